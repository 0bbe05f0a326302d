"""Why nothing meets every requirement: a minimal conflict, and what would have to give.

Requirements are left out one after the other as long as the rest still
excludes every design; each question is put to the solver anew, so the result
does not rest on the solver's own unsatisfiable cores.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from mlsysim.expr.functions import absolute, maximum, where
from mlsysim.expr.graph import Constant, Graph
from mlsysim.expr.traced import Traced
from mlsysim.problem.problem import INFEASIBLE
from mlsysim.results.relaxation import Relaxation
from mlsysim.search.cpsat.formulation import Requirement
from mlsysim.search.cpsat.minimize import Minimum
from mlsysim.search.cpsat.program import Program
from mlsysim.search.cpsat.question import Question
from mlsysim.search.exhaustive.explanation import relaxation
from mlsysim.search.verify import Point

Solve = Callable[[Program], Minimum]


@dataclass(frozen=True, kw_only=True)
class Conflict:
    """A conflict among requirements.

    Parameters
    ----------
    names
        Its members.
    reasons
        Member -> the text of the constraint, or the reasons of the verdict.
    relaxations
        What each member would have to become.
    minimal
        Whether it is proven that no member can be left out; false where time ran out.
    """

    names: tuple[str, ...]
    reasons: dict[str, str]
    relaxations: tuple[Relaxation, ...]
    minimal: bool


def find_conflict(question: Question, solve: Solve) -> Conflict:
    """Explain an infeasible question.

    Parameters
    ----------
    question
        The question, which is known to be infeasible.
    solve
        Finds the best design of a program.
    """
    constraints = [constraint.name for constraint in question.problem.constraints]
    verdicts = [name for name in question.names if name not in constraints]
    kept = list(question.names)
    minimal = True
    # The user's constraints go first: that no design can even exist says more.
    for name in (*reversed(constraints), *reversed(verdicts)):
        rest = [other for other in kept if other != name]
        without = solve(_feasibility(question, rest))
        minimal &= without.proven or len(without.best) > 0
        if without.proven and not len(without.best):
            kept = rest
    nearest = {name: _nearest(question, name, solve) for name in kept}
    return Conflict(
        names=tuple(kept),
        reasons={name: _reason(question, name, nearest[name]) for name in kept},
        relaxations=tuple(
            relaxation(question.problem, name, question.unit, point)
            for name, point in nearest.items()
        ),
        minimal=minimal,
    )


def _feasibility(question: Question, names: Collection[str]) -> Program:
    return question.program(
        kept=[item for item in question.requirements if item.name in names],
        objectives=[question.formulation.graph.constant(0.0)],
    )


def _nearest(question: Question, name: str, solve: Solve) -> Point | None:
    """Find the design that breaks one requirement alone, by as little as possible."""
    graph = question.formulation.graph
    others = [item for item in question.requirements if item.name != name]
    broken = [item for item in question.requirements if item.name == name]
    waived = sum((_broken(graph, item) for item in broken if item.relation is None), _zero(graph))
    fewest = solve(question.program(kept=others, objectives=[waived.node])).best
    if not len(fewest):
        return None
    bare = Requirement(name=name, reason="", truth=(waived <= float(fewest.values[0, 0])).node)
    compared = [item for item in broken if item.relation]
    excess = maximum(_zero(graph), *(_excess(graph, item) for item in compared))
    if len(compared) == 1 and not any(item.relation is None for item in broken):
        excess = _shortfall(graph, compared[0])
    closest = solve(question.program(kept=[*others, bare], objectives=[excess.node])).best
    return question.point((closest if len(closest) else fewest).designs[0].tolist())


def _reason(question: Question, name: str, nearest: Point | None) -> str:
    """Give the text of a constraint, or why a verdict fails where it comes nearest."""
    constraint = question.problem.constraint(name)
    if constraint is not None:
        return constraint.text
    if nearest is None:
        return ", ".join(sorted({r.reason for r in question.requirements if r.name == name}))
    reasons = ", ".join(sorted(reason for member, reason in nearest.broken if member == name))
    return f"raised by the evaluator: {reasons}" if name == INFEASIBLE else reasons


def _zero(graph: Graph) -> Any:
    return Traced(graph, graph.constant(0.0))


def _broken(graph: Graph, item: Requirement) -> Any:
    return where(Traced(graph, item.truth), 0.0, 1.0)


def _shortfall(graph: Graph, item: Requirement) -> Any:
    """Say how far the one comparison that cannot hold is from holding.

    Nothing is clipped: the shortfall of a sum stays a sum, which the solver
    minimises as it minimises an objective.
    """
    if item.left is None or item.right is None or item.relation is None:
        return _zero(graph)
    left, right = Traced(graph, item.left), Traced(graph, item.right)
    if isinstance(item.right, Constant):
        return item.relation.excess(left, right)
    return _excess(graph, item)


def _excess(graph: Graph, item: Requirement) -> Any:
    """Say how far a comparison is from holding, relative to its right side."""
    if item.left is None or item.right is None or item.relation is None:
        return _zero(graph)
    left, right = Traced(graph, item.left), Traced(graph, item.right)
    size = absolute(right)
    amount = item.relation.excess(left, right) / where(size > 0.0, size, 1.0)
    return where(Traced(graph, item.truth), 0.0, amount)
