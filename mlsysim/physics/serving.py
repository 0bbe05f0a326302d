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
def touched_experts(experts: Any, log_missed: Any, tokens: Any) -> Any:
    """Count the experts whose weights some tokens need: ``E (1 - (1 - K/E)^n)``.

    The expectation where each token draws its K experts evenly and
    independently of the others; concave in n, at most E.

    Parameters
    ----------
    experts
        Experts of a layer, E.
    log_missed
        ``log(1 - K/E)``: of the chance that a token passes an expert by.
    tokens
        Tokens of the pass, n.

    Examples
    --------
    >>> import math
    >>> touched_experts(8, math.log(0.75), 2)  # 8 * (1 - 9/16)
    3.5
    """
    return experts * (1 - exp(tokens * log_missed))


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
def cached_elements(elements: Any, tokens: Any, full: Any, sliding: Any, window: Any) -> Any:
    """Count the numbers that the keys and values of one sequence take.

    ``e (l_f s + l_w min(s, w))``: layers with a window keep no more than it.

    Parameters
    ----------
    elements
        Numbers per token and layer, e.
    tokens
        Tokens held, s.
    full, sliding
        Layers without and with a window, l_f and l_w.
    window
        Its length, w.

    Examples
    --------
    >>> cached_elements(10, 100, 1, 2, 40)
    1800
    """
    return elements * (full * tokens + sliding * minimum(tokens, window))


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
def pipeline_time(stage: Any, chunks: Any, stages: Any) -> Any:
    """Time some chunks through some stages in a row: ``(c + p - 1) τ``.

    Examples
    --------
    >>> pipeline_time(1.0, 4, 2)
    5.0
    """
    return (chunks + stages - 1) * stage


@from_numpy
def sequences_that_fit(free: Any, each: Any) -> Any:
    """Count the sequences whose cache fits into some memory; at least none.

    Examples
    --------
    >>> sequences_that_fit(100.0, 30.0), sequences_that_fit(-5.0, 30.0)
    (3.0, 0.0)
    """
    return (maximum(free, 0.0) / each) // 1
