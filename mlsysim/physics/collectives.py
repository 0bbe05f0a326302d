"""Time of collective communication on rings, within and across scale-up domains."""

from typing import Any

from mlsysim.expr.functions import ceil, maximum, minimum, where
from mlsysim.numeric import from_numpy


@from_numpy
def ring_gather_time(message: Any, group: Any, bandwidth: Any, latency: Any) -> Any:
    """Time an all-gather or a reduce-scatter on a ring (s).

    ``(g - 1)/g M/β + (g - 1) λ``.  Thakur et al. 2005; Patarasu and Yuan
    2009: no algorithm moves less.

    Parameters
    ----------
    message
        Bytes of the whole tensor, M.
    group
        Members, g.
    bandwidth
        Bytes per second and direction out of one member, β.
    latency
        Time of one hop, λ.

    Examples
    --------
    >>> ring_gather_time(8e9, 4, 1e9, 0.0)
    6.0
    """
    return (group - 1) * (message / (group * bandwidth) + latency)


@from_numpy
def gather_time(message: Any, together: Any, domains: Any, inside: Any, across: Any) -> Any:
    """Time an all-gather or a reduce-scatter over several scale-up domains (s).

    First within each domain, then across domains, where each member moves its
    own share ``M/g`` through its own port:
    ``(g-1)/g M/β₁ + (g-1) λ₁ + (k-1)/k (M/g)/β₂ + (k-1) λ₂``.

    Parameters
    ----------
    message
        Bytes of the whole tensor, M.
    together
        Members per domain, g.
    domains
        Domains, k.
    inside, across
        ``(bandwidth, latency)`` per member of the two levels.
    """
    return ring_gather_time(message, together, *inside) + ring_gather_time(
        message / together, domains, *across
    )


@from_numpy
def ring_exchange_time(
    message: Any,
    messages: Any,
    together: Any,
    domains: Any,
    inside: Any,
    across: Any,
    hops: Any,
) -> Any:
    """Time an all-gather or a reduce-scatter that is cut into several messages (s).

    Volume as for `gather_time`; each message goes round one ring over all members, which has
    ``k (g - 1)`` hops within domains and ``k - 1`` between them.

    Parameters
    ----------
    message
        Bytes of all messages, M.
    messages
        How many there are.
    together
        Members per domain, g.
    domains
        Domains, k.
    inside, across
        ``(bandwidth, latency)`` per member of the two levels; only the bandwidth counts.
    hops
        Times of a hop of a large message within a domain and between domains.

    Examples
    --------
    >>> ring_exchange_time(8e9, 10, 4, 2, (1e9, 0.0), (1e9, 0.0), (0.1, 0.2))
    15.0
    """
    volume = gather_time(message, together, domains, (inside[0], 0.0), (across[0], 0.0))
    return volume + messages * (domains * (together - 1) * hops[0] + (domains - 1) * hops[1])


@from_numpy
def all_reduce_time(message: Any, together: Any, domains: Any, inside: Any, across: Any) -> Any:
    """Time an all-reduce: a reduce-scatter and then an all-gather (s).

    Parameters as for `gather_time`.  Patarasu and Yuan 2009.

    Examples
    --------
    >>> all_reduce_time(8e9, 4, 1, (1e9, 0.0), (1e9, 0.0))
    12.0
    """
    return 2 * gather_time(message, together, domains, inside, across)


@from_numpy
def all_to_all_time(held: Any, together: Any, domains: Any, inside: Any, across: Any) -> Any:
    """Time an all-to-all over several scale-up domains (s).

    Each member keeps its own part and sends the others: ``(g-1)/g M/β₁`` within its
    domain, and what is meant for other domains, ``M₂``, through its own port:
    ``M₂/β₂``.  Latency as for `gather_time`.

    Parameters
    ----------
    held
        ``(bytes that a member holds, bytes of them that leave its domain)``.
    together
        Members per domain, g.
    domains
        Domains, k.
    inside, across
        ``(bandwidth, latency)`` per member of the two levels.

    Examples
    --------
    >>> all_to_all_time((8e9, 0.0), 4, 1, (1e9, 0.0), (1e9, 0.0))
    6.0
    """
    kept, sent = held
    near = (together - 1) * (kept / (together * inside[0]) + inside[1])
    return near + sent / across[0] + (domains - 1) * across[1]


@from_numpy
def copies_leaving(copies: Any, domains: Any, reach: Any) -> Any:
    """Count the other domains in which a token is wanted.

    A token with K equally likely destinations in r of k domains is sent once to each
    domain that has any: ``r (1 - (1 - 1/r)^K) (k - 1)/k``.  Dispatchers send one copy
    per node and spread it there (DeepSeek-V3, arXiv 2412.19437, section 3.2.2).

    Parameters
    ----------
    copies
        Experts that a token sees, K.
    domains
        Domains among which experts are dealt out, k.
    reach
        How many of them a token may be sent to, r: all, or those of the groups of experts
        that its router may choose from.

    Examples
    --------
    >>> copies_leaving(8, 1, 1), copies_leaving(1, 4, 4)
    (0.0, 0.75)
    """
    return reach * (1 - (1 - 1 / reach) ** copies) * (domains - 1) / domains


@from_numpy
def domains_in_reach(domains: Any, groups: Any, chosen: Any) -> Any:
    """Count the domains that hold the experts that one token may see, at most.

    ``min(k, M ceil(k/G))``: routers that choose their experts within M of G groups leave a token
    M groups (node-limited routing; DeepSeek-V3, arXiv 2412.19437, section 2.1.2), each of
    which lies in ``ceil(k/G)`` domains.

    Examples
    --------
    >>> domains_in_reach(8, 8, 4), domains_in_reach(16, 8, 4), domains_in_reach(4, 1, 1)
    (4, 8, 4)
    """
    return minimum(domains, chosen * ceil(domains / groups))


@from_numpy
def ranks_visited(copies: Any, ranks: Any) -> Any:
    """Count the ranks in which a token is wanted: ``r (1 - (1 - 1/r)^K)``.

    As `copies_leaving`, its own rank included.

    Examples
    --------
    >>> ranks_visited(8, 1), ranks_visited(1, 4)
    (1.0, 1.0)
    """
    return ranks * (1 - (1 - 1 / ranks) ** copies)


@from_numpy
def domains_spanned(group: Any, together: Any) -> Any:
    """Count the domains that a group spans: ``ceil(n / g)``."""
    return ceil(group / together)


@from_numpy
def mesh_bandwidth(bandwidth: Any, group: Any, domain: Any, full_mesh: Any) -> Any:
    """Find the bandwidth that a group gets out of a member (byte/s).

    In a full mesh each pair has its own link, ``β / (domain - 1)``, so a
    group of g drives only ``g - 1`` of them; behind a switch a group of any
    size gets all of β.

    Parameters
    ----------
    bandwidth
        Bytes per second and direction out of one accelerator, β.
    group
        Members that talk.
    domain
        Accelerators of the scale-up domain.
    full_mesh
        Whether accelerators are linked pairwise.

    Examples
    --------
    >>> mesh_bandwidth(448.0, 2, 8, True)
    64.0
    """
    pairs = maximum(domain - 1, 1)
    active = maximum(group - 1, 1)
    return where(full_mesh, bandwidth * active / pairs, bandwidth)


@from_numpy
def mesh_steps(group: Any, full_mesh: Any) -> Any:
    """Count the steps, one after the other, in which a group gathers what its members hold.

    In a full mesh a member exchanges with all others at once, in one step; behind a switch the
    g - 1 steps of a ring follow one another.

    Parameters
    ----------
    group
        Members that talk, g.
    full_mesh
        Whether accelerators are linked pairwise.

    Examples
    --------
    >>> mesh_steps(8, True), mesh_steps(8, False)
    (1, 7)
    """
    return where(full_mesh, minimum(group - 1, 1), group - 1)
