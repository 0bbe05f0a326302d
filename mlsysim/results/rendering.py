"""The first lines of an answer: what was found, how sure it is, what else there is to say."""

from typing import TYPE_CHECKING, assert_never

from mlsysim.results.blocks import Headline, tone_of
from mlsysim.results.formatting import count, seconds
from mlsysim.results.status import Status

if TYPE_CHECKING:
    from mlsysim.results.answer import Answer


def headline(answer: "Answer", *, proven: str, unproven: str) -> Headline:
    """Write the first line: status, what was found, proof, effort, method.

    Parameters
    ----------
    answer
        The answer.
    proven, unproven
        What was found, in words, for the case that it is proven and that it is not.
    """
    statistics = answer.statistics
    stopped = f"stopped by {statistics.stopped_by}; " if statistics.stopped_by else ""
    spent = f"in {seconds(statistics.total_seconds)} by {answer.method}"
    effort = f"{count(statistics.grid_size, 'design')} {spent}"
    aside = " (proven)"
    match answer.status:
        case Status.OPTIMAL:
            text = proven
        case Status.INFEASIBLE:
            part = f" of {answer.designs_of}" if answer.designs_of else ""
            text = f"no design{part} meets every requirement"
        case Status.FEASIBLE:
            aside, text, effort = " (not proven)", unproven, f"{stopped}{effort}"
        case Status.UNKNOWN:
            aside, text, effort = "", "no feasible design found yet", f"{stopped}{effort}"
        case _:
            assert_never(answer.status)
    tone = tone_of(answer.status)
    return Headline(word=answer.status.value, aside=aside, text=text, effort=effort, tone=tone)


def _account(answer: "Answer") -> list[str]:
    """Say how many designs were counted, and why not by CP-SAT."""
    statistics, lines = answer.statistics, []
    if statistics.feasible_points is not None:
        broken = sorted(statistics.rejected.items(), key=lambda item: -item[1])
        rejected = "".join(f", {count:,} break {name}" for name, count in broken)
        lines.append(
            f"{statistics.points_evaluated:,} of {statistics.grid_size:,} designs evaluated: "
            f"{statistics.feasible_points:,} feasible{rejected}"
        )
    if statistics.undefined:
        lines.append(
            f"{statistics.undefined:,} of them for nothing but a number that is not finite"
        )
    if statistics.fallback_reason:
        walked = answer.method == "exhaustive"
        by = "searched exhaustively" if walked else f"answered by {answer.method}"
        lines.append(f"{by} because: {statistics.fallback_reason}")
    return lines


def remarks(answer: "Answer") -> list[str]:
    """Write what follows the verdict: the account, the explanation, what is not finished."""
    by = f" (stopped by {answer.statistics.stopped_by})" if answer.statistics.stopped_by else ""
    unfinished = [f"not finished{by}: {item}" for item in answer.unfinished]
    return [*_account(answer), *answer.explanation.splitlines()[1:], *unfinished]
