"""Read only those ends of ranges over boxes that are asked for.

The least value of ``a / b`` needs the least of ``a`` and the greatest of ``b``, and nothing
else.  Where it is known beforehand that numbers are finite and nowhere negative, that is one
operation instead of the dozen by which a range is kept right in every case.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from mlsysim.expr.columns import Array, Column, Positions, places_of_pairs
from mlsysim.expr.compiled.reader import CompiledReader, Effort, Inputs, compiled
from mlsysim.expr.compiled.tape import Lane
from mlsysim.expr.evaluate import BoxReader
from mlsysim.expr.graph import Apply, Choice, Constant, End, GraphNode, Table, reachable
from mlsysim.expr.operation import Extreme, Product, Quotient, Rounding, Selection, Square, Sum
from mlsysim.expr.ranges import Range, point

Slot = tuple[int, bool]
"""One end of a node: its position, and whether it is the upper end."""

_Sides = tuple[bool, ...] | None


class _Boxes:
    """Boxes that are being read, with what several leaves need of them.

    Parameters
    ----------
    first, last
        For each choice the first and the last position in each box.
    columns
        The values of the numeric choices.
    """

    def __init__(
        self,
        first: Mapping[str, Positions],
        last: Mapping[str, Positions],
        columns: Mapping[str, Column],
    ) -> None:
        self._first = first
        self._last = last
        self._columns = columns
        self._numbers: dict[str, tuple[Array, Array]] = {}
        self._places: dict[tuple[str, ...], Positions] = {}

    def number(self, name: str, *, top: bool) -> Array:
        """Give the least (greatest) value of a numeric choice in each box."""
        if name not in self._numbers:
            ends = self._first[name], self._last[name]
            self._numbers[name] = self._columns[name].extremes(*ends)
        return self._numbers[name][top]

    def entry(self, table: Table, *, top: bool) -> Array:
        """Give the least (greatest) entry of a table in each box."""
        if table.extremes.is_paired:
            places = self.places(table.names, table.values.shape)
            return table.extremes.pairs(top=top).take(places)
        return table.extremes.over(self._axes(table.names))[top]

    def places(self, names: tuple[str, ...], shape: tuple[int, ...]) -> Positions:
        """Give where the extremes of the boxes stand among those of all pairs of ends."""
        if names not in self._places:
            self._places[names] = places_of_pairs(shape, self._axes(names))
        return self._places[names]

    def _axes(self, names: tuple[str, ...]) -> list[tuple[Positions, Positions]]:
        return [(self._first[name], self._last[name]) for name in names]


class _Symbols:
    """Boxes that are not there yet: what is read of them are inputs of the machine."""

    def __init__(self, inputs: Inputs) -> None:
        self._inputs = inputs

    def number(self, name: str, *, top: bool) -> Lane:
        return self._inputs.number((name, top))

    def entry(self, table: Table, *, top: bool) -> Lane:
        if table.extremes.is_paired:
            pairs = table.extremes.pairs(top=top)
            return self._inputs.entry((table.names, table.values.shape), pairs)
        return self._inputs.number((table, top))


_Step = Callable[[dict[Slot, Any], Any], None]
"""Finds an end from those before it and from boxes, or from what stands for them."""


class Ends:
    """Knows of the nodes of a graph which ends of their arguments their own ends need.

    Whatever is found out of a node serves every reader of the graph.

    Parameters
    ----------
    columns
        The values of the numeric choices.
    lengths
        The number of positions of each choice.

    Attributes
    ----------
    inputs, lanes
        What its readers have recorded for the machine.
    """

    def __init__(self, columns: Mapping[str, Column], lengths: Mapping[str, int]) -> None:
        self.columns = columns
        self.inputs = Inputs()
        self.lanes: dict[Slot, Any] = {}
        self._first = {name: np.zeros(1, np.int64) for name in lengths}
        self._last = {name: np.array([length - 1]) for name, length in lengths.items()}
        self._ranges: dict[int, Range] = {}
        self._sides: dict[Slot, _Sides] = {}
        self._steps: dict[Slot, tuple[_Step, tuple[Slot, ...]]] = {}

    def learn(self, roots: Iterable[GraphNode]) -> None:
        """Bound nodes over all designs; an end of a choice is one of all its values."""
        known = self._ranges
        nodes = [node for node in reachable(roots, known) if node.position not in known]
        for node in nodes:
            if isinstance(node, End):
                ends = self._first[node.name], self._last[node.name]
                self._ranges[node.position] = _scalar(
                    Range(*self.columns[node.name].extremes(*ends))
                )
        reader = BoxReader(nodes, self.columns, given=known)
        for at, bound in reader.read_all(self._first, self._last, known).items():
            if at not in known:
                self._ranges[at] = _scalar(bound)

    def range_of(self, node: GraphNode) -> Range:
        """Give the range of a node over all designs."""
        if node.position not in self._ranges:
            self.learn([node])
        return self._ranges[node.position]

    def sides(self, node: Apply, *, top: bool) -> _Sides:
        """Tell which end of each argument an end needs; nothing where it may be both."""
        at = (node.position, top)
        if at not in self._sides:
            self._sides[at] = self._find_sides(node, top=top)
        return self._sides[at]

    def step(self, node: GraphNode, *, top: bool) -> tuple[_Step, tuple[Slot, ...]]:
        """Give what finds an end, and the ends of the arguments that it needs."""
        at = (node.position, top)
        if at not in self._steps:
            needs = self._needs(node, top=top) if isinstance(node, Apply) else ()
            self._steps[at] = self._step(node, needs, top=top), needs
        return self._steps[at]

    def _needs(self, node: Apply, *, top: bool) -> tuple[Slot, ...]:
        sides = self.sides(node, top=top)
        if sides is None:
            return tuple((a.position, side) for a in node.arguments for side in (False, True))
        needs = tuple((a.position, side) for a, side in zip(node.arguments, sides, strict=True))
        if isinstance(node.operation, Selection):
            return (*needs, (node.arguments[0].position, not top))
        return needs

    def _find_sides(self, node: Apply, *, top: bool) -> _Sides:  # noqa: PLR0911
        ranges = [self.range_of(argument) for argument in node.arguments]
        if not all(np.isfinite(bound.low) and np.isfinite(bound.high) for bound in ranges):
            return None
        match node.operation:
            case Sum(coefficients=coefficients):
                return tuple(top if own > 0 else not top for own in coefficients)
            case Extreme() | Rounding():
                return (top,) * len(ranges)
            case Product() | Square() if all(bound.low >= 0 for bound in ranges):
                return (top,) * len(ranges)
            case Quotient() if ranges[0].low >= 0 and ranges[1].low > 0:
                return (top, not top)
            case Selection() if node.arguments[0].truth:
                return (top, top, top)
            case _:
                return None

    def _step(  # noqa: PLR0911 - one case per kind
        self, node: GraphNode, needs: Sequence[Slot], *, top: bool
    ) -> _Step:
        at = (node.position, top)
        match node:
            case Constant(value=value):
                return _constantly(at, point(value)[top][()])
            case Choice(name=name):
                return _from_column(at, name, top=top)
            case End(name=name):
                return _from_column(at, name, top=node.top)
            case Table():
                return _from_table(at, node)
            case Apply():
                if self.sides(node, top=top) is None:
                    return _both(node, needs)
                if isinstance(node.operation, Selection):
                    return _selected(at, needs, top=top)
                return _computed(at, node.operation.compute, needs)
            case _:
                raise TypeError(f"a graph holds no {type(node).__name__}")


class EndReader:
    """Reads the lower or upper ends of nodes over many boxes of designs.

    Parameters
    ----------
    wanted
        The nodes with the end that is wanted of each: whether it is the upper one.
    ends
        What is known of the nodes.
    """

    def __init__(self, wanted: Sequence[tuple[GraphNode, bool]], ends: Ends) -> None:
        self._wanted = [(node.position, top) for node, top in wanted]
        self._ends = ends
        roots = [node for node, _ in wanted]
        ends.learn(roots)
        self._steps = self._with_last_uses(reachable(roots))
        self._effort = Effort(len(self._steps))

    def read(self, first: Mapping[str, Positions], last: Mapping[str, Positions]) -> Array:
        """Read every end that is wanted, one row for each.

        Parameters
        ----------
        first, last
            For each choice the first and the last position in each box.
        """
        boxes = _Boxes(first, last, self._ends.columns)
        count = len(next(iter(first.values())))
        is_worth_it = bool(self._ends.lanes) or self._effort.pays(count)
        if not is_worth_it or self._compiled is None:
            rows = np.empty((len(self._wanted), count))
            for row, end in enumerate(self._run(boxes)):
                rows[row] = end
            return rows

        def number(key: tuple[str | Table, bool]) -> Array:
            source, top = key
            if isinstance(source, Table):
                return boxes.entry(source, top=top)
            return boxes.number(source, top=top)

        return self._compiled.read(count, number, lambda key: boxes.places(*key))

    def _run(self, boxes: _Boxes) -> list[Any]:
        values: dict[Slot, Any] = {}
        with np.errstate(all="ignore"):
            for _, step, done in self._steps:
                step(values, boxes)
                for slot in done:
                    values.pop(slot, None)
        return [values[slot] for slot in self._wanted]

    @cached_property
    def _compiled(self) -> CompiledReader | None:
        """The same for the machine; nothing where there is none, or it cannot do that."""
        return compiled(self._ends.inputs, self._record)

    def _record(self) -> list[Any]:
        """Give what is wanted as lanes; what another reader has recorded is there already."""
        lanes = self._ends.lanes
        symbols = _Symbols(self._ends.inputs)
        with np.errstate(all="ignore"):
            for slot, step, _ in self._steps:
                if slot not in lanes:
                    step(lanes, symbols)
        return [lanes[slot] for slot in self._wanted]

    def _with_last_uses(
        self, nodes: Sequence[GraphNode]
    ) -> list[tuple[Slot, _Step, tuple[Slot, ...]]]:
        """List what to do: an end, what finds it, and the ends that nothing after it needs."""
        needed = self._needed(nodes)
        steps: list[tuple[Slot, _Step]] = []
        last: dict[Slot, int] = {}
        for node in nodes:
            tops = [top for top in (False, True) if (node.position, top) in needed]
            if isinstance(node, Apply) and tops and self._ends.sides(node, top=False) is None:
                tops = [False]  # both ends come from one step
                last |= {(node.position, top): len(steps) for top in (False, True)}
            for top in tops:
                step, needs = self._ends.step(node, top=top)
                last |= dict.fromkeys(needs, len(steps))
                steps.append(((node.position, top), step))
        done: dict[int, list[Slot]] = {}
        wanted = set(self._wanted)
        for slot, place in last.items():
            if slot not in wanted:
                done.setdefault(place, []).append(slot)
        return [(*found, tuple(done.get(place, ()))) for place, found in enumerate(steps)]

    def _needed(self, nodes: Sequence[GraphNode]) -> set[Slot]:
        """List the ends on which what is wanted depends."""
        needed = set(self._wanted)
        for node in reversed(nodes):
            for top in (False, True):
                if (node.position, top) in needed:
                    needed.update(self._ends.step(node, top=top)[1])
        return needed


def _scalar(bound: Range) -> Range:
    return Range(np.asarray(bound.low.min()), np.asarray(bound.high.max()))


def _constantly(at: Slot, value: Any) -> _Step:
    def step(values: dict[Slot, Any], _: Any) -> None:
        values[at] = value

    return step


def _from_column(at: Slot, name: str, *, top: bool) -> _Step:
    def step(values: dict[Slot, Any], boxes: Any) -> None:
        values[at] = boxes.number(name, top=top)

    return step


def _from_table(at: Slot, table: Table) -> _Step:
    def step(values: dict[Slot, Any], boxes: Any) -> None:
        values[at] = boxes.entry(table, top=at[1])

    return step


def _computed(at: Slot, compute: Callable[..., Any], needs: Sequence[Slot]) -> _Step:
    if len(needs) == 1:
        (only,) = needs

        def one(values: dict[Slot, Any], _: Any) -> None:
            values[at] = compute(values[only])

        return one
    left, right = needs

    def two(values: dict[Slot, Any], _: Any) -> None:
        values[at] = compute(values[left], values[right])

    return two


def _selected(at: Slot, needs: Sequence[Slot], *, top: bool) -> _Step:
    # A truth value lies within 0 and 1: one end tells that it holds, the other that it fails.
    own, yes, no, other = needs
    low, high = (other, own) if top else (own, other)
    outer = np.maximum if top else np.minimum

    def step(values: dict[Slot, Any], _: Any) -> None:
        first, second = values[yes], values[no]
        either = np.where(values[high] == 0, second, outer(first, second))
        values[at] = np.where(values[low] > 0, first, either)

    return step


def _both(node: Apply, needs: Sequence[Slot]) -> _Step:
    """Bound an operation as a whole."""
    bound = node.operation.bound

    def step(values: dict[Slot, Any], _: Any) -> None:
        ends = iter([values[slot] for slot in needs])
        inputs = [Range(low, high) for low, high in zip(ends, ends, strict=True)]
        values[node.position, False], values[node.position, True] = bound(*inputs)

    return step
