"""Trace a question: what is to be minimised, and what must hold, as a graph."""

import functools
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mlsysim.errors import Infeasible, MetricError, TracingError
from mlsysim.expr.alternatives import Alternatives
from mlsysim.expr.columns import Column
from mlsysim.expr.evaluate import BoxReader
from mlsysim.expr.graph import Apply, Constant, Graph, GraphNode
from mlsysim.expr.operation import Sum
from mlsysim.expr.traced import node_of
from mlsysim.expr.tracing import parameters
from mlsysim.problem.objective import Objective
from mlsysim.problem.problem import INFEASIBLE, UNDEFINED, Problem
from mlsysim.problem.reading import Condition, Reading, read, resolver
from mlsysim.problem.relation import Relation
from mlsysim.search.verify import undefined


@dataclass(frozen=True, kw_only=True)
class Requirement:
    """One condition that every design must meet, in the graph.

    Parameters
    ----------
    name
        The user's constraint, or ``<Stage>.feasible`` for a model's verdict.
    reason
        The constraint's text, or the verdict's reason, e.g. memory.
    truth
        Whether it holds.
    left, relation, right, unit
        What is compared, where it compares numbers.
    """

    name: str
    reason: str
    truth: GraphNode
    left: GraphNode | None = None
    relation: Relation | None = None
    right: GraphNode | None = None
    unit: str = ""

    @property
    def sides(self) -> tuple[GraphNode, ...]:
        """The numbers that are compared."""
        return tuple(side for side in (self.left, self.right) if side is not None)


@dataclass(frozen=True, kw_only=True)
class GraphMetric:
    """An objective in the graph.

    Parameters
    ----------
    node
        The objective, in its own unit and sense.
    unit
        Its unit.
    """

    node: GraphNode
    unit: str


@dataclass(frozen=True, kw_only=True)
class Formulation:
    """A traced question.

    Parameters
    ----------
    problem
        The question.
    graph
        The operations that the evaluator performed.
    columns
        The values of the numeric choices.
    objectives
        What is asked of the metrics; several for a front.
    metrics
        The objectives in the graph.
    requirements
        What must hold.
    resolve
        Gives the traced value of any metric path or name of the space.
    result
        What the evaluator returned on traced values.
    """

    problem: Problem
    graph: Graph
    columns: Mapping[str, Column]
    objectives: tuple[Objective, ...]
    metrics: tuple[GraphMetric, ...]
    requirements: tuple[Requirement, ...]
    resolve: Callable[[str], Any] | None = None
    result: Any = None

    def metric(self, path: str) -> GraphMetric:
        """Give any metric that the evaluator returns, by its path.

        Raises
        ------
        MetricError
            If there is none of that name.
        """
        if self.resolve is None:
            raise MetricError(f"the evaluator returns nothing, and hence no metric {path!r}")
        item = Objective.parse(f"minimize: {path}")
        return _metric(self.graph, item, item.value(self.resolve))


def formulate(
    problem: Problem,
    evaluate: Callable[[dict[str, Any]], Any],
    others: Sequence[Objective] = (),
) -> Formulation:
    """Call the evaluator once on traced values, and read what it returned.

    Raises
    ------
    TracingError
        If the evaluator does what only particular numbers can do.
    """
    graph, traced = parameters(problem.space)
    columns = {
        name: Column(domain.values) for name, domain in problem.space.items() if domain.is_numeric
    }
    try:
        result = evaluate(dict(traced))
        reading = read(problem, traced, result)
    except Infeasible as verdict:
        # Raised without looking at any choice: no design is possible.
        never = Requirement(
            name=INFEASIBLE, reason=str(verdict), truth=graph.constant(0.0, truth=True)
        )
        return Formulation(
            problem=problem,
            graph=graph,
            columns=columns,
            objectives=(problem.objective, *others),
            metrics=(GraphMetric(node=graph.constant(0.0), unit=""),) * (1 + len(others)),
            requirements=(never,),
        )
    return Formulation(
        problem=problem,
        graph=graph,
        columns=columns,
        objectives=(problem.objective, *others),
        metrics=(
            _metric(graph, problem.objective, (reading.objective, reading.unit)),
            *(_metric(graph, item, item.value(resolver(traced, result))) for item in others),
        ),
        requirements=(*_requirements(graph, reading), *_guards(graph)),
        resolve=resolver(traced, result),
        result=result,
    )


def _metric(graph: Graph, objective: Objective, value: tuple[Any, str]) -> GraphMetric:
    return GraphMetric(node=_node(graph, value[0], objective.metric), unit=value[1])


def _requirements(graph: Graph, reading: Reading) -> list[Requirement]:
    return [_requirement(graph, condition) for condition in reading.conditions]


def _requirement(graph: Graph, condition: Condition) -> Requirement:
    truth = _node(graph, condition.holds, condition.name)
    if not truth.truth:  # a number in place of a truth value: whatever is finite and not zero
        truth = graph.apply("logical_and", truth, is_finite(graph, truth))
    if condition.relation is None or isinstance(condition.left, (str, Alternatives)):
        return Requirement(name=condition.name, reason=condition.reason, truth=truth)
    return Requirement(
        name=condition.name,
        reason=condition.reason,
        truth=truth,
        left=_node(graph, condition.left, condition.name),
        relation=condition.relation,
        right=_node(graph, condition.right, condition.name),
        unit=condition.unit,
    )


def definedness(form: Formulation) -> tuple[Requirement, ...]:
    """Require of each objective that it is finite, where its range does not say so.

    A program leaves out what has no finite objective by itself; as a requirement
    it can be named, and left out.
    """
    graph = form.graph
    first = {name: np.zeros(1, np.int64) for name in graph.lengths}
    last = {name: np.array([length - 1], np.int64) for name, length in graph.lengths.items()}
    reader = BoxReader([metric.node for metric in form.metrics], form.columns)
    return tuple(
        Requirement(
            name=UNDEFINED,
            reason=undefined(objective.metric),
            truth=is_finite(graph, metric.node),
        )
        for objective, metric, bound in zip(
            form.objectives, form.metrics, reader.read(first, last), strict=True
        )
        if not (np.all(np.isfinite(bound.low)) and np.all(np.isfinite(bound.high)))
    )


def beside_guards(graph: Graph, item: Requirement) -> Requirement:
    """Give a requirement as it is where designs may fail a guard.

    Such a design has no numbers: where it is let through, nothing else is asked of it.
    """
    impossible, holds = graph.constant(0.0, truth=True), item.truth
    for guard in graph.guards:
        fails = graph.apply("logical_not", guard.condition)
        impossible = graph.apply("logical_or", impossible, fails)
    for side in item.sides:
        holds = graph.apply("logical_and", holds, is_finite(graph, side))
    truth = graph.apply("logical_or", impossible, holds)
    return Requirement(name=item.name, reason=item.reason, truth=truth)


def is_finite(graph: Graph, node: GraphNode) -> GraphNode:
    """Give the truth value whether a value is a finite number.

    A sum is one where its parts are, if they have no choice in common: asked one by one, they
    leave the jobs of a joint question apart.  That finite parts overflow together is left to
    whoever evaluates the design.
    """
    if isinstance(node, Apply) and isinstance(node.operation, Sum):
        parts = [part for part in node.arguments if not isinstance(part, Constant)]
        if len(parts) == 1 or (parts and not frozenset.intersection(*(p.support for p in parts))):
            truths = [is_finite(graph, part) for part in parts]
            return functools.reduce(lambda a, b: graph.apply("logical_and", a, b), truths)
    size = graph.apply("absolute", node)
    return graph.apply("less_equal", size, graph.constant(sys.float_info.max))


def _guards(graph: Graph) -> list[Requirement]:
    return [
        Requirement(name=INFEASIBLE, reason=guard.reason, truth=guard.condition)
        for guard in graph.guards
    ]


def _node(graph: Graph, value: Any, what: str) -> GraphNode:
    if isinstance(value, np.ndarray) and value.ndim:
        raise TracingError(f"{what} is an array of shape {value.shape}, not one number")
    node = node_of(graph, value)
    if node is None:
        raise TracingError(f"{what} is a {type(value).__name__}, which cannot be traced")
    return node
