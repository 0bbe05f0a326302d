"""Insist that every figure which a question uses is known at every design that could be returned.

Some records of a choice may lack a figure, such as the carbon intensity of a grid.  On plain
numbers a metric that needs it is None there, and whoever asks for the metric is told so
(`mlsysim.search.verify`); or a model raises right away.  Traced either is a gap in a table,
and a proof might never come by the design: so one is looked for, and handed to the
evaluator, whose own error it is then.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from mlsysim.expr.evaluate import BoxReader
from mlsysim.expr.graph import Apply, Constant, Graph, GraphNode, Table, reachable
from mlsysim.expr.operation import Selection
from mlsysim.search.cpsat.minimize import Minimizer
from mlsysim.search.cpsat.question.formulation import Requirement, is_finite
from mlsysim.search.cpsat.question.question import TracedQuestion


def refuse_missing(question: TracedQuestion, minimizer: Minimizer) -> None:
    """Insist that no design which the models allow uses a figure that is not known.

    Raises
    ------
    MetricError, MissingFigureError
        If there is one.
    """
    graph = question.formulation.graph
    for lack in graph.lacking:
        _evaluate_one(question, minimizer, [_demand(lack)])
    own = {constraint.name for constraint in question.problem.constraints}
    verdicts = [item for item in question.requirements if item.name not in own]
    sides = [side for item in question.requirements if item.name in own for side in item.sides]
    used = [*(metric.node for metric in question.formulation.metrics), *sides]
    for node in used:
        gaps = list(_gaps(graph, node))
        for gap in gaps if gaps and _may_be_undefined(question, node) else ():
            undefined = graph.apply("logical_not", is_finite(graph, node))
            # The gap alone is quickly found; only a value that is picked elsewhere needs more.
            if _evaluate_one(question, minimizer, [*verdicts, _demand(gap)]):
                _evaluate_one(question, minimizer, [*verdicts, _demand(gap), _demand(undefined)])


def _evaluate_one(
    question: TracedQuestion, minimizer: Minimizer, demands: Sequence[Requirement]
) -> bool:
    """Evaluate a design that meets some demands on plain numbers; tell whether there is one."""
    objectives = [question.formulation.graph.constant(0.0)]
    best = minimizer.minimize(question.program(kept=demands, objectives=objectives), 1).best
    if len(best):
        question.points(best.designs[0].tolist())
    return bool(len(best))


def _demand(truth: GraphNode) -> Requirement:
    return Requirement(name="", reason="", truth=truth)


def _may_be_undefined(question: TracedQuestion, node: GraphNode) -> bool:
    first = {name: np.zeros(1, np.int64) for name in question.formulation.graph.lengths}
    last = {
        name: np.array([length - 1], np.int64)
        for name, length in question.formulation.graph.lengths.items()
    }
    (bound,) = BoxReader([node], question.formulation.columns).read(first, last)
    return not bool(np.all(np.isfinite(bound.low)) and np.all(np.isfinite(bound.high)))


def _gaps(graph: Graph, used: GraphNode) -> Iterator[GraphNode]:
    """Give a truth value for each gap in what a number is made of: whether a design is in it."""
    for node in reachable([used]):
        match node:
            case Table():
                known = _known(graph, node)
                if not known.all():
                    yield graph.table(node.names, np.where(known, 0.0, 1.0), truth=True)
            case Apply(operation=Selection(), arguments=(condition, yes, no)):
                if _is_gap(yes):
                    yield condition
                if _is_gap(no):
                    yield graph.apply("logical_not", condition)


def _known(graph: Graph, table: Table) -> NDArray[np.bool_]:
    """Tell which entries are numbers, or ruled out by a verdict, so that nobody needs them."""
    known = ~np.isnan(table.values)
    for place in np.argwhere(~known).tolist():
        if graph.excludes(dict(zip(table.names, place, strict=True))):
            known[tuple(place)] = True
    return known


def _is_gap(node: GraphNode) -> bool:
    return isinstance(node, Constant) and bool(np.isnan(node.value))
