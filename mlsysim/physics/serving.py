"""What a serving engine computes, reads and keeps: passes over tokens, caches, experts, drafts."""

from typing import Any

from mlsysim.expr.functions import ceil, exp, maximum, minimum, sqrt, where
from mlsysim.numeric import from_numpy


@from_numpy
def causal_pairs(positions: Any, window: Any) -> Any:
    """Count the pairs of tokens that attend to each other under a causal mask.

    ``r s - r (r - 1) / 2`` with ``r = min(w, s)``: the sum over the sequence of
    what each token sees.

    Parameters
    ----------
    positions
        Tokens of the sequence, s; zero is allowed.
    window
        Positions that a layer can see, w; anything from s on means all.

    Examples
    --------
    >>> causal_pairs(4, 4)  # 1 + 2 + 3 + 4
    10.0
    >>> causal_pairs(4, 2)  # 1 + 2 + 2 + 2
    7.0
    """
    reach = minimum(window, positions)
    return reach * positions - reach * (reach - 1) / 2


@from_numpy
def touched_share(log_missed: Any, tokens: Any) -> Any:
    """Give the share of experts whose weights some tokens need: ``1 - (1 - K/E)^n``.

    The expectation where each token draws K of E experts evenly and independently of the
    others; concave in n, at most one.

    Parameters
    ----------
    log_missed
        ``log(1 - K/E)``: of the chance that a token passes an expert by.
    tokens
        Tokens of the pass, n.

    Examples
    --------
    >>> import math
    >>> touched_share(math.log(0.75), 2)  # 1 - 9/16
    0.4375
    """
    return 1 - exp(tokens * log_missed)


@from_numpy
def overlapped_time(arithmetic: Any, reading: Any) -> Any:
    """Time products whose arithmetic overlaps with reading their weights (s).

    ``sqrt(a² + r²)``: the roofline with its corner rounded.  A pass makes products of many shapes
    whose last wave of tiles fills the device more or less; where both times are alike, measured
    products take some 1.4 times either (AIConfigurator's tables of bf16 products with 64 to
    256 rows on A100, H100 and B200).  Never less than either.

    Examples
    --------
    >>> overlapped_time(3.0, 4.0)
    5.0
    """
    return sqrt(arithmetic * arithmetic + reading * reading)


@from_numpy
def paged(tokens: Any, page: Any) -> Any:
    """Round tokens up to whole pages: ``ceil(s / p) p``.

    Examples
    --------
    >>> paged(100, 16)
    112
    """
    return ceil(tokens / page) * page


@from_numpy
def tokens_per_pass(drafted: Any, acceptance: Any) -> Any:
    """Count the tokens that one pass with a draft yields: ``(1 - a^(K+1)) / (1 - a)``.

    The drafted tokens that are accepted up to the first refusal, and one from
    the pass itself.  Leviathan et al. 2023, equation 1.

    Parameters
    ----------
    drafted
        Tokens proposed per pass, K; with none the pass yields one.
    acceptance
        Chance that a token is accepted, a, independently of the others.

    Examples
    --------
    >>> tokens_per_pass(2, 0.5), tokens_per_pass(3, 1.0)
    (1.75, 4)
    """
    certain = acceptance >= 1
    refused = where(certain, 1, 1 - acceptance)
    return where(certain, drafted + 1, (1 - acceptance ** (drafted + 1)) / refused)


@from_numpy
def request_rate(batch: Any, prefill: Any, decode: Any, steps: Any) -> Any:
    """Count the requests that a replica answers per second: ``b / (b T_p + n T_d)``.

    Over the life of a batch the engine prefills every request once and makes
    n decode passes over all of them; what it does for one, it cannot do for
    the others.

    Parameters
    ----------
    batch
        Requests at a time, b.
    prefill
        Time of the engine that the prefill of one request takes, T_p.
    decode
        Time of a decode pass over the batch, T_d.
    steps
        Decode passes that a request needs, n.

    Examples
    --------
    >>> request_rate(10, 0.1, 0.05, 20)  # 10 in 1 s of prefill and 1 s of decode
    5.0
    """
    return batch / (batch * prefill + steps * decode)


@from_numpy
def sequences_that_fit(free: Any, each: Any, pass_each: Any, turns: Any) -> Any:
    """Count the sequences that fit into some memory; at least none.

    The largest n with ``n s + ceil(n / t) l <= M``: all are kept, and those of the fullest of
    t micro-batches have their logits at the same time.

    Parameters
    ----------
    free
        The memory, M.
    each
        Keys and values of one sequence, s.
    pass_each
        Logits of one sequence, l.
    turns
        Micro-batches that take turns, t.

    Examples
    --------
    >>> sequences_that_fit(100.0, 30.0, 0.0, 1), sequences_that_fit(-5.0, 30.0, 1.0, 1)
    (3.0, 0.0)
    >>> sequences_that_fit(100.0, 10.0, 20.0, 2)  # 4 with 2 logits take 80, 5 with 3 take 110
    4.0
    """
    available = maximum(free, 0.0)
    round_of_all = turns * each + pass_each
    rounds = available // round_of_all
    rest = available - rounds * round_of_all - pass_each
    more = minimum(maximum(rest, 0.0) // each, turns - 1)
    return rounds * turns + more


@from_numpy
def fullest_of(mean: Any, variance: Any, parts: Any) -> Any:
    """Expect the largest of some random counts: ``m + z(p) sqrt(v)``.

    ``p = (k - 3/8) / (k + 1/4)``: the largest of k normal variables by Blom's rule (1958,
    *Statistical Estimates and Transformed Beta-Variables*); their quantile by Tukey's lambda
    distribution, ``z(p) = 4.91 (p^0.14 - (1 - p)^0.14)``, within 0.03 up to a few hundred.  With
    one part it is the mean.

    Parameters
    ----------
    mean, variance
        Of each count, m and v.
    parts
        How many there are, k.

    Examples
    --------
    >>> fullest_of(5.0, 4.0, 1), round(fullest_of(5.0, 4.0, 8), 2)  # tables say 5 + 2 * 1.42
    (5.0, 7.87)
    """
    below = (parts - 0.375) / (parts + 0.25)
    above = 0.625 / (parts + 0.25)  # what is missing to one, in a form that is plainly positive
    return mean + 4.91 * (below**0.14 - above**0.14) * sqrt(variance)
