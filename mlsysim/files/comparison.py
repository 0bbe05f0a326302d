"""Compare the answers to one question with the file's."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

from mlsysim.files.schema import Expected
from mlsysim.numeric import TOLERANCE
from mlsysim.problem.domain import label
from mlsysim.results import ParetoFront, SearchResult, Status
from mlsysim.results.formatting import design
from mlsysim.search.comparison import Comparison, compare_fronts, is_stopped


def differences(expected: Expected, comparison: Comparison) -> list[str]:
    """List what answers and the expected one disagree about; empty where they agree.

    Designs that tie are interchangeable for the solver; who evaluates every design
    breaks ties by the order of the space, so that its best design has to be the
    expected one exactly.
    """
    lines = list(comparison.differences)
    solver = next(iter(comparison.answers))
    for who in dict.fromkeys([comparison.plainest, solver]):
        any_best = who == solver and _tied(comparison.reference)
        lines += _from_expected(expected, comparison.answers[who], who, any_best=any_best)
    return lines


def front_differences(expected: Expected | None, fronts: Mapping[str, ParetoFront]) -> list[str]:
    """List what Pareto fronts and the expected one disagree about; empty where they agree.

    Parameters
    ----------
    expected
        The file's answer: how many points; nothing if it states none.
    fronts
        Who found one -> what.
    """
    lines = [f"pareto: {line}" for line in compare_fronts(fronts)]
    if expected is not None:
        lines += (
            f"expected.points: {expected.points}, but {who} finds {len(front)}"
            for who, front in fronts.items()
            if expected.points not in {None, len(front)}
        )
    return lines


def _from_expected(
    expected: Expected, result: SearchResult, who: str, *, any_best: bool
) -> Iterator[str]:
    if result.status in {Status.FEASIBLE, Status.UNKNOWN}:
        return  # stopped before it could be compared, which `Verified.stopped` tells
    if result.status != expected.status:
        yield f"expected.status: {expected.status}, but {who} says {result.status}"
        return
    if result.status is Status.INFEASIBLE:
        wanted, found = sorted(expected.conflict), sorted(result.conflict)
        if wanted and wanted != found and not is_stopped(result):
            yield f"expected.conflict: {', '.join(wanted)}, but {who} finds {', '.join(found)}"
        return
    wanted_value, value = expected.objective, result.best_objective
    if wanted_value is not None and not math.isclose(
        value, wanted_value, rel_tol=expected.tolerance
    ):
        yield f"expected.objective: {wanted_value!r}, but {who} finds {value!r}"
    if expected.parameters and not any_best and not _same(expected.parameters, result.best_params):
        wanted_design = design(expected.parameters)
        yield f"expected.parameters: {wanted_design}, but {who} finds {design(result.best_params)}"


def _same(wanted: Mapping[str, Any], found: Mapping[str, Any]) -> bool:
    """Compare a design in a file, where catalogue entries are names, with one in a result."""
    return wanted == {
        name: value if isinstance(value, (bool, int, float)) else label(value)
        for name, value in found.items()
    }


def _tied(reference: SearchResult) -> bool:
    """Tell whether the best design shares its objective with the next."""
    best = [item.objective_value for item in reference.top_candidates[:2]]
    return len(best) > 1 and math.isclose(*best, rel_tol=TOLERANCE)
