"""The terms of the stages in a compiled model, in words: what they sum up to, and how they went in.

A stage's result carries the parts of its time, its memory and its cost
(`mlsysim.results.breakdowns`).  Read on traced values each part is a node of the graph, and
the lowering knows which nodes have an encoding.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from mlsysim.errors import TracingError
from mlsysim.expr.graph import Apply, Constant, GraphNode, reachable
from mlsysim.expr.operation import Product, Quotient, Selection, Sum
from mlsysim.expr.traced import node_of
from mlsysim.problem.nodes import names_in
from mlsysim.problem.problem import Problem
from mlsysim.results.breakdowns import Breakdown, breakdowns_of, carriers_of
from mlsysim.search.cpsat.lowering.lowered import Lowered
from mlsysim.search.cpsat.question.formulation import Requirement
from mlsysim.search.cpsat.question.question import TracedQuestion
from mlsysim.search.cpsat.solving.model import Encoding, EncodingKind

# What the parts of a training stage's time add up to.
_STEP = "step_latency_total"


def in_words(encoding: Encoding) -> str:
    """Tell how an expression went in, with its size and its error."""
    match encoding.kind:
        case EncodingKind.TABLE:
            form = f"table of {encoding.size:,} combinations"
        case EncodingKind.PIECEWISE_LINEAR | EncodingKind.DISAGGREGATED:
            form = f"{encoding.kind.value}, {encoding.size:,} pieces"
        case kind:
            form = kind.value
    return f"{form}, off by at most {encoding.error:.1e}" if encoding.error else f"{form}, exact"


def metrics_of(problem: Problem) -> tuple[str, ...]:
    """List the metrics that a question names, by path: the objective's first."""
    expressions = [problem.objective.expression]
    for constraint in problem.constraints:
        expressions += [constraint.left, constraint.right]
    paths = [path for one in expressions for path in names_in(one.node)]
    return tuple(dict.fromkeys(path for path in paths if path not in problem.space))


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """The objective or a requirement, and the positions of what it is made of."""

    label: str
    node: GraphNode

    @cached_property
    def inside(self) -> frozenset[int]:
        """The positions of the nodes that it needs."""
        return _inside(self.node)


class StageTerms:
    """The terms of a question's stages.

    Parameters
    ----------
    question
        What is asked, traced.
    lowered
        What it was turned into.
    """

    def __init__(self, question: TracedQuestion, lowered: Lowered) -> None:
        self._question = question
        self._lowering = lowered.lowering
        self._graph = question.formulation.graph

    def lines(self) -> Iterator[str]:
        """Tell what each stage's amounts consist of, a line per term."""
        try:
            breakdowns = breakdowns_of(self._question.formulation.result)
        except TracingError:  # an evaluator may break down what only plain numbers can
            return
        for item in breakdowns:
            yield from self._told(item)
        yield from self._asked_of(self._carriers.keys() - {item.stage for item in breakdowns})

    def _asked_of(self, stages: Collection[str]) -> Iterator[str]:
        """Tell the metrics that are asked for of stages that break nothing down."""
        for path in metrics_of(self._question.problem):
            if path.partition(".")[0] in stages:
                metric = self._question.metric(path)
                unit = f" {metric.unit}" if metric.unit else ""
                yield f"  {path}: {self._span(metric.node)}{unit}; {self._form(metric.node)}"

    @cached_property
    def _carriers(self) -> dict[str, Any]:
        return dict(carriers_of(self._question.formulation.result))

    def _told(self, item: Breakdown) -> Iterator[str]:
        what = item.name.removeprefix(f"{item.stage} ")
        if what == "time" and hasattr(self._carriers.get(item.stage), _STEP):
            what = _STEP
        name = f"{item.stage}.{what}" if item.stage else what
        nodes = {part.name: node_of(self._graph, part.value) for part in item.parts}
        parts = {one: node for one, node in nodes.items() if node is not None}
        zero = [one for one, node in parts.items() if self._lowering.range(node) == (0.0, 0.0)]
        left = [one for one in parts if one not in zero] or list(parts)
        capacity = None if item.capacity is None else node_of(self._graph, item.capacity)
        limit = "" if capacity is None else f" <= {self._span(capacity)} {item.unit}"
        yield f"  {name}: {' + '.join(left)}{limit}"
        for one in left:
            node = parts[one]
            yield f"    {one}: {self._span(node)} {item.unit}; {self._form(node)}"
        if zero and left != zero:
            yield f"    always zero: {', '.join(zero)}"

    def _span(self, node: GraphNode) -> str:
        low, high = self._lowering.range(node)
        return f"{low:.4g}" if low == high else f"{low:.4g} to {high:.4g}"

    def _form(self, node: GraphNode) -> str:
        """Tell how a term went in: by itself, or within what it is a part of."""
        low, high = self._lowering.range(node)
        if low == high:
            return "constant"
        parts = list(_linear_parts(node))
        return (
            self._own_form(parts)
            or self._form_within(parts)
            or "not in the model: nothing that is asked depends on it"
        )

    def _own_form(self, parts: Sequence[GraphNode]) -> str | None:
        """Tell how a term, or what it is a sum of, went in by itself."""
        forms = [self._lowering.forms.get(inner.position) for inner in parts]
        known = [own for own in forms if own is not None]
        if forms[0] is not None or len(known) == 1:
            return in_words(known[0])
        kinds = Counter(own.kind.value for own in known)
        told = ", ".join(f"{count} x {kind}" for kind, count in kinds.items())
        return f"sum of {told}" if told else None

    def _form_within(self, parts: Sequence[GraphNode]) -> str | None:
        """Tell what a term is a part of, and how that went in."""
        for inner in parts:
            asked = [one for one in self._asked if inner.position in one.inside]
            outer = self._outer(inner)
            if asked and outer is not None:
                return f"in {asked[0].label}: {in_words(self._lowering.forms[outer.position])}"
            if asked:
                holds = all(one.node.truth and self._lowering.is_settled(one.node) for one in asked)
                met = ", which every combination that is left meets" if holds else ""
                return f"in {asked[0].label}{met}"
        return None

    def _outer(self, node: GraphNode) -> GraphNode | None:
        """Find the smallest expression with an encoding that a term is part of."""
        holders = [outer for outer, inside in self._encoded if node.position in inside]
        return min(holders, key=lambda outer: outer.position, default=None)

    @cached_property
    def _encoded(self) -> list[tuple[GraphNode, frozenset[int]]]:
        nodes = [self._graph.nodes[position] for position in self._lowering.forms]
        return [(node, _inside(node)) for node in nodes]

    def _named(self, one: Requirement) -> str:
        """Name a requirement; of a verdict the reason, too, for it has many."""
        is_verdict = self._question.problem.constraint(one.name) is None
        return f"{one.name} ({one.reason})" if is_verdict else one.name

    @cached_property
    def _asked(self) -> list[_Asked]:
        formulation = self._question.formulation
        return [
            *(_Asked(label="the objective", node=one.node) for one in formulation.metrics),
            *(_Asked(label=self._named(one), node=one.truth) for one in formulation.requirements),
        ]


def _inside(node: GraphNode) -> frozenset[int]:
    return frozenset(one.position for one in reachable([node]))


def _linear_parts(node: GraphNode) -> Iterator[GraphNode]:
    """List a term, then what it is a sum or a choice of; constant factors only change the unit."""
    yield node
    if not isinstance(node, Apply):
        return
    match node.operation, node.arguments:
        case (Product(), (Constant(), inner)) | (Product() | Quotient(), (inner, Constant())):
            yield from _linear_parts(inner)
        case Selection(), (_, yes, no):
            yield from _linear_parts(yes)
            yield from _linear_parts(no)
        case Sum(), terms:
            for term in terms:
                yield from _linear_parts(term)
        case _:
            pass
