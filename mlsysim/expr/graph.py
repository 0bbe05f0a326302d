"""The graph that a trace leaves behind: leaves, operations, sharing.

Equal sub-expressions are one node (hash-consing), and a node is only ever
built after its arguments, so `Graph.nodes` is in evaluation order.
"""

import contextlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeGuard

import numpy as np
from numpy.typing import NDArray

from mlsysim.expr.columns import Extremes
from mlsysim.expr.operation import Connection, Connective, Operation, Selection
from mlsysim.expr.operations import OPERATIONS


@dataclass(frozen=True, eq=False, kw_only=True)
class GraphNode:
    """Base of everything in a graph; compared and hashed by identity.

    Parameters
    ----------
    position
        The place in evaluation order.
    truth
        Whether the value is a truth value (1 or 0).
    support
        The names of the choices that the value depends on.
    """

    position: int
    truth: bool
    support: frozenset[str]


@dataclass(frozen=True, eq=False, kw_only=True)
class Constant(GraphNode):
    """A number that no choice changes."""

    value: float


@dataclass(frozen=True, eq=False, kw_only=True)
class Choice(GraphNode):
    """The value of a numeric choice."""

    name: str


@dataclass(frozen=True, eq=False, kw_only=True)
class End(GraphNode):
    """The least or the greatest value of a numeric choice in a box; no design has one.

    Parameters
    ----------
    name
        The choice.
    top
        Whether it is the greatest.
    """

    name: str
    top: bool


@dataclass(frozen=True, eq=False, kw_only=True)
class Table(GraphNode):
    """A number looked up by the positions of one or more choices in their domains.

    Parameters
    ----------
    names
        The choices, one per axis of `values`.
    values
        The numbers; NaN where the combination does not exist.
    """

    names: tuple[str, ...]
    values: NDArray[np.float64]

    @cached_property
    def extremes(self) -> Extremes:
        """The lowest and the highest entry over blocks of positions."""
        return Extremes(self.values)


@dataclass(frozen=True, eq=False, kw_only=True)
class Apply(GraphNode):
    """An operation on earlier nodes."""

    operation: Operation
    # Left out of what is printed: that would tell shared arguments over and over again.
    arguments: tuple[GraphNode, ...] = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Guard:
    """A condition without which a design does not exist, and the reason."""

    condition: GraphNode
    reason: str


@dataclass(eq=False)
class Graph:
    """A growing set of nodes in evaluation order.

    Parameters
    ----------
    lengths
        The number of values of each choice.
    """

    lengths: Mapping[str, int]
    nodes: list[GraphNode] = field(default_factory=list)
    guards: list[Guard] = field(default_factory=list)
    lacking: list[GraphNode] = field(default_factory=list)
    _interned: dict[tuple[object, ...], GraphNode] = field(default_factory=dict)
    _assumed: list[GraphNode] = field(default_factory=list)

    def constant(self, value: float, *, truth: bool = False) -> GraphNode:
        """Give the node of a number."""
        number = float(value)
        # Zeros differ in their sign, and what is not a number is equal to nothing.
        told = number if number and number == number else repr(number)  # noqa: PLR0124
        return self._intern(
            (Constant, told, truth),
            lambda at: Constant(position=at, truth=truth, support=frozenset(), value=number),
        )

    def choice(self, name: str, *, truth: bool = False) -> GraphNode:
        """Give the node of a numeric choice's value."""
        return self._intern(
            (Choice, name),
            lambda at: Choice(position=at, truth=truth, support=frozenset({name}), name=name),
        )

    def end(self, name: str, *, top: bool) -> GraphNode:
        """Give the node of one end of a numeric choice."""
        return self._intern(
            (End, name, top),
            lambda at: End(position=at, truth=False, support=frozenset({name}), name=name, top=top),
        )

    def table(
        self, names: tuple[str, ...], values: NDArray[np.float64], *, truth: bool = False
    ) -> GraphNode:
        """Give the node of a look-up by positions."""
        if np.all(values == values.flat[0]):
            return self.constant(values.flat[0], truth=truth)
        return self._intern(
            (Table, names, values.tobytes(), truth),
            lambda at: Table(
                position=at, truth=truth, support=frozenset(names), names=names, values=values
            ),
        )

    def apply(self, name: str, *arguments: GraphNode) -> GraphNode:
        """Give the node of an operation, folding what is constant or has no effect."""
        key = (name, *[argument.position for argument in arguments])
        known = self._interned.get(key)
        if known is not None:
            return known
        operation = OPERATIONS[name]
        support = _joint_support(arguments)
        if not support:  # they are constants
            with np.errstate(all="ignore"):
                value = operation.compute(*(np.float64(a.value) for a in arguments))  # type: ignore[attr-defined]
            return self.constant(value, truth=operation.truth)
        same = _unchanged(operation, arguments)
        if same is not None:
            return same
        return self._intern(
            key,
            lambda at: Apply(
                position=at,
                truth=operation.truth
                or (isinstance(operation, Selection) and arguments[1].truth and arguments[2].truth),
                support=support,
                operation=operation,
                arguments=arguments,
            ),
        )

    def guard(self, condition: GraphNode, reason: str) -> None:
        """Record that designs which fail a condition do not exist, where what is assumed holds."""
        for assumed in self._assumed:
            condition = self.apply("logical_or", self.apply("logical_not", assumed), condition)
        self.guards.append(Guard(condition=condition, reason=reason))

    def lack(self, condition: GraphNode) -> None:
        """Record that designs which meet a condition need a figure that nobody has stated.

        A guard that comes later does not rule them out: on plain numbers nothing gets that far.
        """
        for required in (*self._assumed, *(guard.condition for guard in self.guards)):
            condition = self.apply("logical_and", required, condition)
        self.lacking.append(condition)

    def excludes(self, at: Mapping[str, int]) -> bool:
        """Tell whether guards so far leave no design at the positions of some choices."""
        for guard in self.guards:
            table = guard.condition
            if isinstance(table, Table) and at.keys() >= {*table.names}:
                holds = table.values[tuple(at[name] for name in table.names)]
            else:
                holds = not isinstance(table, Constant) or table.value
            if not holds:
                return True
        return False

    @contextlib.contextmanager
    def assuming(self, condition: GraphNode) -> Iterator[None]:
        """Trace what is computed under a condition only: so do its guards hold."""
        self._assumed.append(condition)
        try:
            yield
        finally:
            self._assumed.pop()

    def _intern(self, key: tuple[object, ...], build: Callable[[int], GraphNode]) -> GraphNode:
        node = self._interned.get(key)
        if node is None:
            node = self._interned[key] = build(len(self.nodes))
            self.nodes.append(node)
        return node


def _joint_support(arguments: tuple[GraphNode, ...]) -> frozenset[str]:
    """Unite supports; mostly that of one argument holds the others, and is kept as it is."""
    joint = arguments[0].support
    for argument in arguments[1:]:
        if not argument.support <= joint:
            joint = argument.support if joint <= argument.support else joint | argument.support
    return joint


def _unchanged(operation: Operation, arguments: tuple[GraphNode, ...]) -> GraphNode | None:
    """Find the argument that an operation returns as it is, to the last bit."""
    if isinstance(operation, Selection) and isinstance(arguments[0], Constant):
        return arguments[1 if arguments[0].value else 2]
    for place, neutral in enumerate(operation.neutral):
        argument = arguments[place]
        if neutral is None or not isinstance(argument, Constant) or argument.value != neutral:
            continue
        if not any(one.truth for one in arguments):
            return arguments[1 - place]
    return None


def is_conjunction(node: GraphNode) -> TypeGuard[Apply]:
    """Tell whether a truth value says that several others all hold."""
    return (
        isinstance(node, Apply)
        and isinstance(node.operation, Connective)
        and node.operation.connection is Connection.ALL
    )


def reachable(roots: Iterable[GraphNode], ends: Collection[int] = ()) -> list[GraphNode]:
    """List the nodes that some roots need, in evaluation order; nothing of what ends are made."""
    seen: dict[int, GraphNode] = {}
    stack = list(roots)
    while stack:
        node = stack.pop()
        if node.position not in seen:
            seen[node.position] = node
            if isinstance(node, Apply) and node.position not in ends:
                stack.extend(node.arguments)
    return [seen[position] for position in sorted(seen)]
