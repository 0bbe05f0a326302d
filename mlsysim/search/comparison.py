"""Compare two answers to one question."""

import math
from dataclasses import dataclass

from mlsysim.results.pareto import ParetoFront
from mlsysim.results.result import SearchResult

# Two searches agree on an objective to this, relative (DESIGN semantics 2).
_TOLERANCE = 1e-9


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
        """Whether the two say the same."""
        return not self.differences

    def __bool__(self) -> bool:
        return self.agrees

    def __str__(self) -> str:
        size = self.reference.statistics.grid_size
        if self.agrees:
            return f"CP-SAT and the reference agree ({self.solved.status}, {size:,} designs)"
        return "\n".join(["CP-SAT and the reference disagree:", *self.differences])


def compare(solved: SearchResult, reference: SearchResult) -> Comparison:
    """Compare status, unit, the best objectives, and the number of candidates.

    Ties may be broken differently, so designs are not compared.

    Parameters
    ----------
    solved
        The answer of CP-SAT.
    reference
        The answer of the exhaustive reference.
    """
    differences = []
    for what in ("status", "unit"):
        ours, theirs = getattr(solved, what), getattr(reference, what)
        if ours != theirs:
            differences.append(f"{what}: {ours!s} by CP-SAT, {theirs!s} by the reference")
    ours, theirs = ([c.objective_value for c in r.top_candidates] for r in (solved, reference))
    if len(ours) != len(theirs):
        differences.append(f"candidates: {len(ours)} by CP-SAT, {len(theirs)} by the reference")
    for place, (mine, yours) in enumerate(zip(ours, theirs, strict=False), 1):
        if not math.isclose(mine, yours, rel_tol=_TOLERANCE):
            differences.append(
                f"objective of number {place}: {mine!r} by CP-SAT, {yours!r} by the reference"
            )
    return Comparison(solved=solved, reference=reference, differences=tuple(differences))


def compare_fronts(solved: ParetoFront, reference: ParetoFront) -> list[str]:
    """Compare status, units and points of two Pareto fronts.

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
    differences = []
    for what in ("status", "units"):
        ours, theirs = getattr(solved, what), getattr(reference, what)
        if ours != theirs:
            differences.append(f"{what}: {ours!s} by CP-SAT, {theirs!s} by the reference")
    if len(solved) != len(reference):
        counts = f"{len(solved)} by CP-SAT, {len(reference)} by the reference"
        return [*differences, f"points: {counts}"]
    for place, (mine, yours) in enumerate(zip(solved, reference, strict=True), 1):
        values = zip(mine.objective_values, yours.objective_values, strict=True)
        if not all(math.isclose(*pair, rel_tol=_TOLERANCE) for pair in values):
            differences.append(
                f"point {place}: {mine.objective_values!r} by CP-SAT, "
                f"{yours.objective_values!r} by the reference"
            )
    return differences
