"""Explain an answer by CP-SAT: one trace, and one solve per variant of the question."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from mlsysim.expr.graph import Graph
from mlsysim.expr.traced import Traced
from mlsysim.problem.problem import Problem
from mlsysim.problem.variant import Variant, relaxed_limit
from mlsysim.results.explained import Explanation
from mlsysim.results.status import Status
from mlsysim.search.cpsat.engine import Search
from mlsysim.search.cpsat.minimize import Way
from mlsysim.search.cpsat.question.formulation import Requirement
from mlsysim.search.cpsat.question.question import TracedQuestion
from mlsysim.search.explain import Solved, account, judge
from mlsysim.search.options import SearchOptions
from mlsysim.search.verify import Evaluator, Point


def explain(
    problem: Problem, evaluate: Evaluator, options: SearchOptions, way: Way = Way.AUTO
) -> Explanation:
    """Answer a question and explain the answer.

    Parameters
    ----------
    problem
        What is asked.
    evaluate
        The user's evaluator; it is traced once.
    options
        What the caller wants; the time limit is for everything together.
    way
        As for a search.

    Raises
    ------
    TracingError
        If the evaluator cannot be traced.
    DisagreementError
        If a design is not worth on plain numbers what the solver says.
    """
    search = Search(problem, evaluate, options, way)
    result = search.result()
    quickest = 0.0

    def solve(variant: Variant) -> Solved:
        # Not even the quickest so far would be done: what a limit leaves is not begun.
        nonlocal quickest
        if search.clock.left <= quickest:
            return Solved(status=Status.UNKNOWN)
        began = search.clock.elapsed
        solved = _solved(search, variant)
        spent = search.clock.elapsed - began
        quickest = min(quickest or spent, spent)
        return solved

    return account(problem, evaluate, result, solve)


def _solved(search: Search, variant: Variant) -> Solved:
    question = search.question

    def point(design: Sequence[int]) -> Point:
        return judge(variant, question.params(design))

    def accepts(design: Sequence[int]) -> bool:
        return point(design).is_feasible

    form = question.program(kept=list(_requirements(question, variant)))
    return search.solve(replace(form, accepts=accepts), point)


def _requirements(question: TracedQuestion, variant: Variant) -> Iterator[Requirement]:
    """Leave one requirement out, or move its right side."""
    for item in question.requirements:
        if (item.name, item.reason) != (variant.name, variant.reason):
            yield item
        elif variant.share is not None:
            yield _relaxed(question.formulation.graph, item, variant.share)


def _relaxed(graph: Graph, item: Requirement, share: float) -> Requirement:
    if item.left is None or item.right is None or item.relation is None:
        return item
    limit = relaxed_limit(item.relation, Traced(graph, item.right), share)
    truth = item.relation.holds(Traced(graph, item.left), limit)
    return replace(item, truth=truth.node, right=limit.node)
