"""Why nothing meets every requirement: a minimal conflict, and what would have to give.

A requirement without which a design exists belongs to every conflict, and
that design, as close to it as possible, is its relaxation.  Mostly these
requirements are a conflict by themselves; where they are not, the others are
left out one after the other as long as the rest still excludes every design.
Each question is put to the solver anew, so the result does not rest on the
solver's own unsatisfiable cores.
"""

from collections.abc import Callable, Collection, Sequence
from typing import Any

from mlsysim.expr.functions import absolute, maximum, where
from mlsysim.expr.graph import Constant, Graph
from mlsysim.expr.traced import Traced
from mlsysim.problem.problem import INFEASIBLE
from mlsysim.problem.relation import Relation
from mlsysim.search.cpsat.minimize import Minimum
from mlsysim.search.cpsat.program.program import Program
from mlsysim.search.cpsat.program.rows import Rows
from mlsysim.search.cpsat.question.formulation import Requirement
from mlsysim.search.cpsat.question.question import Question
from mlsysim.search.exhaustive.explanation import relaxation
from mlsysim.search.verify import Point

Solve = Callable[[Program], Minimum]
Prove = Callable[[Program], Rows]

_LIMITS = {Relation.LESS, Relation.AT_MOST, Relation.GREATER, Relation.AT_LEAST}
_MINOR = 1e-6
# Counts of hundreds of things come arbitrarily close to a limit; to find the very
# closest would take hours, and tell nobody more.
_NEARLY = 1e-6


class _OutOfTimeError(Exception):
    """A limit came before the proof."""


def why_infeasible(question: Question, solve: Solve) -> dict[str, Any]:
    """Give the conflict and the relaxations of an infeasible question.

    A conflict is minimal and a relaxation the best there is, or they are not
    told at all: a stopped search must not claim what it has not proven.

    Parameters
    ----------
    question
        The question, which is known to be infeasible.
    solve
        Finds the best design of a program.

    Returns
    -------
    dict
        The fields of a `SearchResult`; empty where a limit came first.
    """

    def prove(form: Program) -> Rows:
        minimum = solve(form)
        if not minimum.proven:
            raise _OutOfTimeError
        return minimum.best

    try:
        closest = {name: _nearest(question, name, prove) for name in _suspects(question, prove)}
        kept = [name for name in closest if closest[name]]
        if not kept or len(prove(_feasibility(question, kept))):
            others = [name for name in question.names if name not in closest]
            closest |= {name: _nearest(question, name, prove) for name in others}
            kept = _minimal(question, [name for name in closest if closest[name]], prove)
        nearest = {name: closest[name] for name in kept}
        reasons = {name: _reason(question, name, kept, nearest[name], prove) for name in kept}
    except _OutOfTimeError:
        return {}
    return {
        "conflict": tuple(kept),
        "conflict_reasons": reasons,
        "relaxations": tuple(
            relaxation(question.problem, name, question.unit, point)
            for name, point in nearest.items()
        ),
    }


def _suspects(question: Question, prove: Prove) -> Sequence[str]:
    """Leave out all names that demand equality, if the rest excludes every design without them.

    None of these belongs to every conflict.
    """
    limits = [
        name
        for name in question.names
        if all(item.relation in _LIMITS for item in question.requirements if item.name == name)
    ]
    some = 0 < len(limits) < len(question.names)
    return limits if some and not len(prove(_feasibility(question, limits))) else question.names


def _minimal(question: Question, critical: Collection[str], prove: Prove) -> list[str]:
    """Leave out names as long as the rest still excludes every design."""
    constraints = [constraint.name for constraint in question.problem.constraints]
    verdicts = [name for name in question.names if name not in constraints]
    kept = list(question.names)
    # The user's constraints go first: that no design can even exist says more.
    for name in (*reversed(constraints), *reversed(verdicts)):
        rest = [other for other in kept if other != name]
        if name not in critical and not len(prove(_feasibility(question, rest))):
            kept = rest
    return kept


def _feasibility(question: Question, names: Collection[str]) -> Program:
    return question.program(
        kept=[item for item in question.requirements if item.name in names],
        objectives=[question.formulation.graph.constant(0.0)],
    )


def _nearest(question: Question, name: str, prove: Prove) -> Point | None:
    """Find the design that breaks one requirement alone, by as little as possible."""
    graph = question.formulation.graph
    others = [item for item in question.requirements if item.name != name]
    broken = [item for item in question.requirements if item.name == name]
    compared = [item for item in broken if item.relation]
    if len(broken) == len(compared) == 1:
        closest = prove(
            question.program(
                kept=others, objectives=[_shortfall(graph, broken[0]).node], nearly=_NEARLY
            )
        )
        return question.point(closest.designs[0].tolist()) if len(closest) else None
    waived = sum((_broken(graph, item) for item in broken if item.relation is None), _zero(graph))
    fewest = prove(question.program(kept=others, objectives=[waived.node]))
    if not len(fewest):
        return None
    bare = Requirement(name=name, reason="", truth=(waived <= float(fewest.values[0, 0])).node)
    amounts = [_excess(graph, item) for item in compared]
    # Of designs that break the worst limit alike, one that breaks few others.
    excess = maximum(_zero(graph), *amounts) + _MINOR * sum(amounts, _zero(graph))
    closest = prove(
        question.program(kept=[*others, bare], objectives=[excess.node], nearly=_NEARLY)
    )
    return question.point((closest if len(closest) else fewest).designs[0].tolist())


def _reason(
    question: Question,
    name: str,
    conflict: Collection[str],
    nearest: Point | None,
    prove: Prove,
) -> str:
    """Give the text of a constraint, or why a verdict fails where all else holds."""
    constraint = question.problem.constraint(name)
    if constraint is not None:
        return constraint.text
    broken = _alone(question, name, conflict, prove) if nearest is None else nearest.broken
    reasons = ", ".join(sorted(reason for member, reason in broken if member == name))
    return f"raised by the evaluator: {reasons}" if name == INFEASIBLE else reasons


def _alone(
    question: Question, name: str, conflict: Collection[str], prove: Prove
) -> Collection[tuple[str, str]]:
    """Find a design that meets the rest of a conflict, and say what it breaks."""
    graph = question.formulation.graph
    others = [item for item in question.requirements if item.name in conflict and item.name != name]
    broken = [item for item in question.requirements if item.name == name]
    fewest = sum((_broken(graph, item) for item in broken), _zero(graph))
    found = prove(question.program(kept=others, objectives=[fewest.node]))
    return question.point(found.designs[0].tolist()).broken if len(found) else ()


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
