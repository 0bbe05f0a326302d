"""How work is split: uneven parts, and which accelerators sit together."""

from typing import Any

from mlsysim.expr.functions import ceil, floor, maximum, minimum, where
from mlsysim.numeric import from_numpy


@from_numpy
def fullest_share(total: Any, parts: Any) -> Any:
    """Count the items in the fullest of some parts: ``ceil(total / parts)``.

    Everyone waits for the fullest part, so it sets time and memory.

    Examples
    --------
    >>> fullest_share(80, 3)
    27
    """
    return ceil(total / parts)


@from_numpy
def slack(total: Any, parts: Any) -> Any:
    """Count by how much the emptiest part falls short of the fullest: 0 or 1.

    Examples
    --------
    >>> slack(80, 3), slack(80, 4)
    (1, 0)
    """
    return ceil(total / parts) - floor(total / parts)


@from_numpy
def members_together(size: Any, stride: Any, domain: Any, used: Any) -> Any:
    """Count the members of a group that share a scale-up domain.

    Ranks are numbered with tensor parallelism fastest, then data, then
    pipeline (Megatron-LM's order).  A domain holds ``domain / stride`` ranks
    of a group.  A group that is larger fills whole domains; a smaller one lies
    in one domain if its size divides that number; a group that straddles
    domains unevenly counts as scattered, because the slowest group sets the
    pace.

    Parameters
    ----------
    size
        Members of the group.
    stride
        Distance between the ranks of neighbours.
    domain
        Accelerators of a scale-up domain.
    used
        Accelerators at work in all.

    Examples
    --------
    >>> members_together(4, 1, 8, 64), members_together(16, 1, 8, 64)
    (4, 8)
    >>> members_together(8, 4, 8, 64), members_together(3, 1, 8, 64)
    (2, 1)
    """
    places = where(domain % stride == 0, maximum(domain // stride, 1), 1)
    packed = where(places % size == 0, size, 1)
    scattered = where(size >= places, places, packed)
    return where(used <= domain, size, scattered)


@from_numpy
def filled_domain(domain: Any, node: Any, used: Any, *groups: Any) -> Any:
    """Count the accelerators of a scale-up domain that a job takes, so that groups stay whole.

    A job that fits into a domain has all of it.  A larger one takes, of a domain of several
    nodes, as many whole blocks as there are: ``floor(domain / b) b``, in whole nodes, with b the
    largest group that fits into it.  Of a rack of 72, groups of 16 or of 64 take 64, and groups
    of 8, 24 or 72 take all.  A domain of one node is taken whole: a job gets whole nodes.

    Parameters
    ----------
    domain, node
        Accelerators of a domain and of a node.
    used
        Accelerators at work in all.
    groups
        Sizes of groups of consecutive ranks, each a multiple of the one before.

    Examples
    --------
    >>> filled_domain(72, 4, 512, 8, 64), filled_domain(72, 4, 512, 8), filled_domain(72, 4, 72, 64)
    (64, 72, 72)
    >>> filled_domain(8, 8, 512, 3)
    8
    """
    block = node
    for size in groups:
        block = where(size <= domain, maximum(block, size), block)
    taken = domain // block * block
    taken = where(used > domain, taken - taken % node, domain)
    return where(domain > node, taken, domain)


@from_numpy
def first_layers_on_stage(before: Any, chunk: Any, first: Any, around: Any) -> Any:
    """Count the first layers of a model, such as its dense ones, that a stage holds.

    Of every a layers a stage has a chunk of c, behind b of them, so that of the first F layers
    it has ``floor(F / a) c`` and of the rest, R, ``min(max(R - b, 0), c)``.

    Parameters
    ----------
    before
        Layers of a round through the pipeline that stages before it hold, b.
    chunk
        Those that it holds, c.
    first
        The layers in question, F.
    around
        Layers of a round, a.

    Examples
    --------
    >>> [first_layers_on_stage(before, 4, 6, 64) for before in (0, 4, 8)]
    [4, 2, 0]
    """
    rounds = floor(first / around)
    rest = first - rounds * around
    return rounds * chunk + minimum(maximum(rest - before, 0), chunk)


@from_numpy
def most_on_stage(stage_layers: Any, layers: Any, front: Any, spread: Any, among: Any) -> Any:
    """Bound the layers of a kind on the stage that holds the most of them.

    ``min(l, n, min(l, f) + ceil(l s / a))``: of n layers, f stand in front of all others, and s
    lie evenly among a.

    Parameters
    ----------
    stage_layers
        Layers on the stage, l.
    layers
        Layers of the kind, n.
    front
        Those of them in front, f.
    spread
        The others, s.
    among
        All layers that are not in front, a; those of the kind, if they have no others among them.

    Examples
    --------
    >>> most_on_stage(4, 58, 0, 58, 58), most_on_stage(12, 24, 0, 24, 48)
    (4, 6)
    >>> most_on_stage(4, 3, 3, 0, 1)
    3
    """
    evenly = ceil(stage_layers * spread / among)
    return minimum(stage_layers, layers, minimum(stage_layers, front) + evenly)
