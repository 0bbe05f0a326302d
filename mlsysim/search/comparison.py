"""Compare the answers to one question.

What a limit has cut short is not compared with what it might have become: an
unproven answer only must not be better than a proven one.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Generic, TypeVar

from mlsysim.numeric import TOLERANCE
from mlsysim.results.formatting import count
from mlsysim.results.pareto import ParetoFront
from mlsysim.results.relaxation import Relaxation
from mlsysim.results.result import SearchResult
from mlsysim.results.status import Status

# The solver comes this close, relative, to how far a requirement would have to give.
_NEARLY = 2e-6

SOLVER = "CP-SAT"
BOXES = "branch and bound"
ARRAYS = "the exhaustive search"
REFERENCE = "the reference"

Answer = TypeVar("Answer", SearchResult, ParetoFront)


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Answers to one question, and what differs.

    Parameters
    ----------
    answers
        Who answered -> what: CP-SAT first, then plainer and plainer ways; last, where
        the space is small, the reference.
    differences
        One line per difference; empty if they agree.
    """

    answers: Mapping[str, SearchResult]
    differences: tuple[str, ...]

    @property
    def solved(self) -> SearchResult:
        """The first answer: CP-SAT's."""
        return next(iter(self.answers.values()))

    @property
    def reference(self) -> SearchResult:
        """The plainest answer: the reference's, or that of the exhaustive search."""
        return self.answers[self.plainest]

    @property
    def plainest(self) -> str:
        """Who gave it."""
        return list(self.answers)[-1]

    @property
    def agrees(self) -> bool:
        """Whether all say the same, as far as they are finished."""
        return not self.differences

    @property
    def is_complete(self) -> bool:
        """Whether all answers are finished, so that everything was compared."""
        return not any(map(is_stopped, self.answers.values()))

    def __bool__(self) -> bool:
        return self.agrees

    def __str__(self) -> str:
        size = self.solved.statistics.grid_size
        if not self.agrees:
            return "\n".join([f"{' and '.join(self.answers)} disagree:", *self.differences])
        both = f"{next(iter(self.answers))} and {self.plainest}"
        told = f"{both} agree ({self.solved.status}, {count(size, 'design')})"
        if self.is_complete:
            return told
        stopped = [
            f"{who} was stopped by {answer.statistics.stopped_by}"
            for who, answer in self.answers.items()
            if is_stopped(answer)
        ]
        return f"{told} as far as both are finished: {', '.join(stopped)}"


def compare(answers: Mapping[str, SearchResult]) -> Comparison:
    """Compare status, unit, best objectives, conflict and relaxations.

    Ties may be broken differently, so designs are not compared.

    Parameters
    ----------
    answers
        Who answered -> what; each is compared with the next.
    """
    pairs = (_Pair(*one, *other) for one, other in pairwise(answers.items()))
    differences = tuple(line for pair in pairs for line in _differences(pair))
    return Comparison(answers=dict(answers), differences=differences)


def compare_fronts(answers: Mapping[str, ParetoFront]) -> list[str]:
    """Compare status, units, points, conflict and relaxations of Pareto fronts.

    Ties may be broken differently, so designs are not compared.

    Parameters
    ----------
    answers
        Who answered -> what; each is compared with the next.

    Returns
    -------
    list of str
        One line per difference; empty if they agree.
    """
    pairs = (_Pair(*one, *other) for one, other in pairwise(answers.items()))
    return [line for pair in pairs for line in _front_differences(pair)]


@dataclass(frozen=True)
class _Pair(Generic[Answer]):
    """Two answers, and who gave them."""

    who: str
    one: Answer
    whose: str
    other: Answer

    @property
    def statuses(self) -> set[Status]:
        return {self.one.status, self.other.status}

    def differ(self, what: str, mine: object, yours: object) -> str:
        return f"{what}: {mine!s} by {self.who}, {yours!s} by {self.whose}"


def _differences(pair: _Pair[SearchResult]) -> list[str]:
    if differences := list(_status_differences(pair)):
        return differences
    if pair.one and pair.other and pair.one.unit != pair.other.unit:
        differences.append(pair.differ("unit", pair.one.unit, pair.other.unit))
    return [*differences, *_list_differences(pair), *_conflict_differences(pair)]


def _front_differences(pair: _Pair[ParetoFront]) -> Iterator[str]:
    one, other = pair.one, pair.other
    if differences := list(_status_differences(pair)):
        yield from differences
        return
    yield from _conflict_differences(pair)
    if not (one.points and other.points):
        return
    if one.units != other.units:
        yield pair.differ("units", one.units, other.units)
    if Status.FEASIBLE in pair.statuses:
        return
    if len(one) != len(other):
        yield pair.differ("points", len(one), len(other))
        return
    for place, (mine, yours) in enumerate(zip(one, other, strict=True), 1):
        values = zip(mine.objective_values, yours.objective_values, strict=True)
        if not all(math.isclose(*two, rel_tol=TOLERANCE) for two in values):
            yield pair.differ(f"point {place}", mine.objective_values, yours.objective_values)


def is_stopped(answer: SearchResult | ParetoFront) -> bool:
    """Tell whether a limit or an interrupt has left something of an answer open."""
    return answer.statistics.stopped_by is not None


def _status_differences(pair: _Pair[Answer]) -> Iterator[str]:
    """Tell whether one finds a design, or a better one, where the other proves there is none."""
    found = pair.statuses & {Status.OPTIMAL, Status.FEASIBLE}
    if Status.INFEASIBLE in pair.statuses and found:
        yield pair.differ("status", pair.one.status, pair.other.status)


def _list_differences(pair: _Pair[SearchResult]) -> Iterator[str]:
    """Compare the best designs, as far as each list is proven."""
    if Status.FEASIBLE in pair.statuses:
        yield from _better_than_proven(pair)
        return
    mine, yours = ([c.objective_value for c in r.top_candidates] for r in (pair.one, pair.other))
    if len(mine) != len(yours) and not (is_stopped(pair.one) or is_stopped(pair.other)):
        yield pair.differ("candidates", len(mine), len(yours))
    for place, values in enumerate(zip(mine, yours, strict=False), 1):
        if not math.isclose(*values, rel_tol=TOLERANCE):
            yield pair.differ(f"objective of number {place}", *map(repr, values))


def _better_than_proven(pair: _Pair[SearchResult]) -> Iterator[str]:
    """Tell whether a design is better than what the other search proves to be possible."""
    if not (pair.one and pair.other):
        return
    sign = 1 if pair.one.objective.startswith("minimize") else -1
    names = ((pair.who, pair.one), (pair.whose, pair.other))
    for (prover, proven), (finder, found) in (names, names[::-1]):
        bound, best = proven.bound, found.best_objective
        if bound is not None and sign * (bound - best) > TOLERANCE * abs(bound):
            yield f"bound: {bound!r} by {prover}, but {finder} finds {best!r}"


def _conflict_differences(pair: _Pair[Answer]) -> Iterator[str]:
    """Compare conflicts where both are minimal, and what both know of the relaxations."""
    one, other = pair.one, pair.other
    if pair.statuses != {Status.INFEASIBLE}:
        return
    minimal = one.conflict_is_minimal and other.conflict_is_minimal
    if minimal and set(one.conflict) != set(other.conflict):
        yield pair.differ("conflict", ", ".join(one.conflict), ", ".join(other.conflict))
        return
    theirs = {item.name: item for item in other.relaxations}
    for mine in one.relaxations:
        yours = theirs.get(mine.name)
        if yours is not None and not _alike(mine, yours):
            yield pair.differ(f"relaxation of {mine.name!r}", mine, yours)


def _alike(one: Relaxation, other: Relaxation) -> bool:
    """Tell whether two relaxations say the same; their designs may be others."""
    if (one.params is None) != (other.params is None):
        return False
    if one.value is None or other.value is None:
        return one.value is None and other.value is None
    return one.unit == other.unit and _as_far(one, other)


def _as_far(one: Relaxation, other: Relaxation) -> bool:
    """Tell whether two values are as far from their limits; an equation has two sides."""
    (mine, my_limit), (yours, your_limit) = (
        (float(item.value or 0.0), float(item.limit or 0.0)) for item in (one, other)
    )
    distances = abs(mine - my_limit), abs(yours - your_limit)
    largest = max(map(abs, (mine, yours, my_limit, your_limit)))
    slack = _NEARLY * max(distances) + TOLERANCE * largest
    return abs(distances[0] - distances[1]) <= slack
