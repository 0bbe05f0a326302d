"""Compare two answers to one question.

What a limit has cut short is not compared with what it might have become: an
unproven answer only must not be better than a proven one.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from mlsysim.results.pareto import ParetoFront
from mlsysim.results.relaxation import Relaxation
from mlsysim.results.result import SearchResult
from mlsysim.results.status import Status

# Two searches agree on an objective to this, relative (DESIGN semantics 2).
_TOLERANCE = 1e-9
# The solver comes this close, relative, to how far a requirement would have to give.
_NEARLY = 2e-6


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Two answers to one question, and what differs.

    Parameters
    ----------
    solved
        The answer of CP-SAT.
    reference
        The answer of the exhaustive reference.
    differences
        One line per difference; empty if they agree.
    """

    solved: SearchResult
    reference: SearchResult
    differences: tuple[str, ...]

    @property
    def agrees(self) -> bool:
        """Whether the two say the same, as far as both are finished."""
        return not self.differences

    @property
    def is_complete(self) -> bool:
        """Whether both answers are finished, so that everything was compared."""
        return not (_is_stopped(self.solved) or _is_stopped(self.reference))

    def __bool__(self) -> bool:
        return self.agrees

    def __str__(self) -> str:
        size = self.reference.statistics.grid_size
        if not self.agrees:
            return "\n".join(["CP-SAT and the reference disagree:", *self.differences])
        told = f"CP-SAT and the reference agree ({self.solved.status}, {size:,} designs)"
        if self.is_complete:
            return told
        stopped = [
            f"{who} was stopped by {answer.statistics.stopped_by}"
            for who, answer in (("CP-SAT", self.solved), ("the reference", self.reference))
            if _is_stopped(answer)
        ]
        return f"{told} as far as both are finished: {', '.join(stopped)}"


def compare(solved: SearchResult, reference: SearchResult) -> Comparison:
    """Compare status, unit, best objectives, conflict and relaxations.

    Ties may be broken differently, so designs are not compared.

    Parameters
    ----------
    solved
        The answer of CP-SAT.
    reference
        The answer of the exhaustive reference.
    """
    differences = [*_status_differences(solved, reference)]
    if not differences:
        if solved and reference and solved.unit != reference.unit:
            differences.append(_differ("unit", solved.unit, reference.unit))
        differences += _list_differences(solved, reference)
        differences += _conflict_differences(solved, reference)
    return Comparison(solved=solved, reference=reference, differences=tuple(differences))


def compare_fronts(solved: ParetoFront, reference: ParetoFront) -> list[str]:
    """Compare status, units, points, conflict and relaxations of two Pareto fronts.

    Ties may be broken differently, so designs are not compared.

    Parameters
    ----------
    solved
        The answer of CP-SAT.
    reference
        The answer of the exhaustive reference.

    Returns
    -------
    list of str
        One line per difference; empty if they agree.
    """
    differences = [*_status_differences(solved, reference)]
    if differences:
        return differences
    differences += _conflict_differences(solved, reference)
    if not (solved.points and reference.points):
        return differences
    if solved.units != reference.units:
        differences.append(_differ("units", solved.units, reference.units))
    if Status.FEASIBLE in {solved.status, reference.status}:
        return differences
    if len(solved) != len(reference):
        return [*differences, _differ("points", len(solved), len(reference))]
    for place, (mine, yours) in enumerate(zip(solved, reference, strict=True), 1):
        values = zip(mine.objective_values, yours.objective_values, strict=True)
        if not all(math.isclose(*pair, rel_tol=_TOLERANCE) for pair in values):
            differences.append(
                _differ(f"point {place}", mine.objective_values, yours.objective_values)
            )
    return differences


def _is_stopped(answer: SearchResult | ParetoFront) -> bool:
    return answer.statistics.stopped_by is not None


def _differ(what: str, ours: object, theirs: object) -> str:
    return f"{what}: {ours!s} by CP-SAT, {theirs!s} by the reference"


def _status_differences(
    solved: SearchResult | ParetoFront, reference: SearchResult | ParetoFront
) -> Iterator[str]:
    """Tell whether one finds a design, or a better one, where the other proves there is none."""
    pair = {solved.status, reference.status}
    found = pair & {Status.OPTIMAL, Status.FEASIBLE}
    if Status.INFEASIBLE in pair and found:
        yield _differ("status", solved.status, reference.status)


def _list_differences(solved: SearchResult, reference: SearchResult) -> Iterator[str]:
    """Compare the best designs, as far as each list is proven."""
    ours, theirs = ([c.objective_value for c in r.top_candidates] for r in (solved, reference))
    if Status.FEASIBLE in {solved.status, reference.status}:
        yield from _better_than_proven(solved, reference)
        return
    if len(ours) != len(theirs) and not (_is_stopped(solved) or _is_stopped(reference)):
        yield _differ("candidates", len(ours), len(theirs))
    for place, (mine, yours) in enumerate(zip(ours, theirs, strict=False), 1):
        if not math.isclose(mine, yours, rel_tol=_TOLERANCE):
            yield _differ(f"objective of number {place}", repr(mine), repr(yours))


def _better_than_proven(solved: SearchResult, reference: SearchResult) -> Iterator[str]:
    """Tell whether a design is better than what the other search proves to be possible."""
    if not (solved and reference):
        return
    sign = 1 if solved.objective.startswith("minimize") else -1
    names = (("CP-SAT", solved), ("the reference", reference))
    for (prover, proven), (finder, found) in (names, names[::-1]):
        bound, best = proven.bound, found.best_objective
        if bound is not None and sign * (bound - best) > _TOLERANCE * abs(bound):
            yield f"bound: {bound!r} by {prover}, but {finder} finds {best!r}"


def _conflict_differences(
    solved: SearchResult | ParetoFront, reference: SearchResult | ParetoFront
) -> Iterator[str]:
    """Compare conflicts where both are minimal, and what both know of the relaxations."""
    if {solved.status, reference.status} != {Status.INFEASIBLE}:
        return
    minimal = solved.conflict_is_minimal and reference.conflict_is_minimal
    if minimal and set(solved.conflict) != set(reference.conflict):
        yield _differ("conflict", ", ".join(solved.conflict), ", ".join(reference.conflict))
        return
    theirs = {item.name: item for item in reference.relaxations}
    for mine in solved.relaxations:
        yours = theirs.get(mine.name)
        if yours is not None and not _alike(mine, yours):
            yield _differ(f"relaxation of {mine.name!r}", mine, yours)


def _alike(one: Relaxation, other: Relaxation) -> bool:
    """Tell whether two relaxations say the same; their designs may be others."""
    if (one.params is None) != (other.params is None):
        return False
    if one.value is None or other.value is None:
        return one.value is None and other.value is None
    return one.unit == other.unit and _as_far(one, other)


def _as_far(one: Relaxation, other: Relaxation) -> bool:
    """Tell whether two values are as far from their limits."""
    (mine, my_limit), (yours, your_limit) = (
        (float(item.value or 0.0), float(item.limit or 0.0)) for item in (one, other)
    )
    distances = mine - my_limit, yours - your_limit
    largest = max(map(abs, (mine, yours, my_limit, your_limit)))
    slack = _NEARLY * max(map(abs, distances)) + _TOLERANCE * largest
    return abs(distances[0] - distances[1]) <= slack
