"""Stand-ins for a choice among things that are not numbers.

A search space may offer clusters, accelerators, precisions or anything else
by name.  The evaluator then receives an `Alternatives`: reading an attribute
or calling a method reads or calls it on every alternative, and whatever comes
out as a number becomes a traced look-up table.
"""

import itertools
import math
import numbers
import operator
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, NoReturn

import numpy as np

from mlsysim.errors import Infeasible, MissingFigureError, TracingError
from mlsysim.expr.graph import Graph
from mlsysim.expr.traced import Traced, apply
from mlsysim.units import is_quantity, magnitude, quantity, same_dimension, unit_of


class _Content(NamedTuple):
    """What an `Alternatives` holds, out of the way of the things' own attributes."""

    graph: Graph
    names: tuple[str, ...]
    things: tuple[Any, ...]


class Alternatives:
    """One of several things, depending on one or more choices.

    Parameters
    ----------
    graph
        The graph that grows.
    names
        The choices that decide.
    things
        One thing per combination of their values, the last choice fastest.
    """

    __slots__ = ("_content",)

    def __init__(self, graph: Graph, names: tuple[str, ...], things: Sequence[Any]) -> None:
        self._content = _Content(graph, names, tuple(things))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # protocols are a matter of the class, not of the things
            raise AttributeError(name)
        return combine(lambda thing: getattr(thing, name), self)

    def __getitem__(self, key: Any) -> Any:
        return combine(lambda thing, at: thing[at], self, key)

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        """Call every alternative, with every alternative of the arguments."""
        count = len(arguments)

        def call(method: Any, *values: Any) -> Any:
            return method(*values[:count], **dict(zip(options, values[count:], strict=True)))

        return combine(call, self, *arguments, *options.values())

    def __eq__(self, other: object) -> Any:
        return combine(lambda mine, yours: bool(mine == yours), self, other)

    def __ne__(self, other: object) -> Any:
        return combine(lambda mine, yours: bool(mine != yours), self, other)

    def __repr__(self) -> str:
        return f"<traced choice {', '.join(self._content.names)}>"

    def __str__(self) -> str:
        raise TracingError(
            f"{self!r} has no text of its own; use repr(), or mlsysim.select for a look-up"
        )

    def __format__(self, spec: str) -> str:
        return str(self)

    def __bool__(self) -> NoReturn:
        raise TracingError(f"{self!r} has no single truth value; use mlsysim.where")

    def __hash__(self) -> int:
        raise TracingError(
            f"{self!r} is not one dictionary key; use mlsysim.select(key, {{option: value}})"
        )

    def __iter__(self) -> NoReturn:
        raise TracingError(f"{self!r} cannot be looped over; search with method='exhaustive'")

    def __len__(self) -> NoReturn:
        raise TracingError(f"{self!r} has no single length; search with method='exhaustive'")

    def __contains__(self, item: object) -> NoReturn:
        raise TracingError(f"{self!r} cannot be searched with `in`; use mlsysim.select")


_content: Callable[[Alternatives], _Content] = operator.attrgetter("_content")


class _Hole:
    """The place of a combination that does not exist."""


_HOLE = _Hole()


def combine(function: Callable[..., Any], *values: Any) -> Any:
    """Apply a function to every alternative of its arguments, and join the results.

    Parameters
    ----------
    function
        Called once per combination, with every `Alternatives` replaced by a thing.
    values
        The arguments; those that are not `Alternatives` are handed on as they are.

    Returns
    -------
    object
        The result itself where all combinations agree; a traced number or
        quantity where they are numbers; else again an `Alternatives`.
    """
    deciders = [_content(value) for value in values if isinstance(value, Alternatives)]
    graph = deciders[0].graph
    names = tuple(dict.fromkeys(name for decider in deciders for name in decider.names))
    results: list[Any] = []
    reasons: list[str] = []
    lacks: dict[int, MissingFigureError] = {}
    for positions in itertools.product(*(range(graph.lengths[name]) for name in names)):
        at = dict(zip(names, positions, strict=True))
        picked = [
            _pick(value, at) if isinstance(value, Alternatives) else value for value in values
        ]
        # What a verdict has ruled out is not asked for figures that it may lack.
        if graph.excludes(at) or any(thing is _HOLE for thing in picked):
            results.append(_HOLE)
            continue
        try:
            results.append(function(*picked))
        except Infeasible as verdict:
            results.append(_HOLE)
            reasons.append(str(verdict))
        except MissingFigureError as error:  # a verdict over other choices may rule it out
            lacks[len(results)] = error
            results.append(_HOLE)
    exists = [result is not _HOLE for result in results]
    if reasons:
        possible = [float(one or place in lacks) for place, one in enumerate(exists)]
        graph.guard(_table(graph, names, possible, truth=True), reasons[0])
    for place, lack in lacks.items():
        if not any(exists):
            raise lack
        here = [float(other == place) for other in range(len(results))]
        graph.lack(_table(graph, names, here, truth=True))
    return join(graph, names, results)


def most(count: Callable[[Any], int], value: Any) -> int:
    """Give the largest count over all alternatives; of anything else, its own."""
    if not isinstance(value, Alternatives):
        return count(value)
    return max(count(thing) for thing in _content(value).things if thing is not _HOLE)


def may_be_none(value: object) -> bool:
    """Tell whether a value is a choice of which `None` is an alternative."""
    return isinstance(value, Alternatives) and any(
        thing is None for thing in _content(value).things
    )


def unless_none(choice: Alternatives) -> tuple[Any, Any]:
    """Take a choice among `None` and other things apart.

    Returns
    -------
    absent
        The traced truth value whether it is `None`.
    given
        The choice with another of its things in the place of `None`; a traced number where all
        of them are numbers.
    """
    graph, names, things = _content(choice)
    absent = [float(thing is None) for thing in things]
    other = next((thing for thing in things if thing is not None and thing is not _HOLE), None)
    filled = [other if thing is None else thing for thing in things]
    truth = Traced(graph, _table(graph, names, absent, truth=True))
    return truth, join(graph, names, filled)


def join(graph: Graph, names: tuple[str, ...], results: Sequence[Any]) -> Any:
    """Make one value out of one result per combination of choices."""
    present = [result for result in results if result is not _HOLE]
    if not present:
        raise Infeasible(f"no value of {', '.join(names)} is possible")
    first = present[0]
    if all(_same(result, first) for result in present):
        return first
    if all(is_quantity(result) for result in present):
        if not all(same_dimension(result, first) for result in present):
            raise TracingError(f"{', '.join(names)} decides between values of different units")
        unit = unit_of(first)
        plain = [r if r is _HOLE else magnitude(r, unit) for r in results]
        return quantity(join(graph, names, plain), unit)
    if all(_is_number(result) for result in present):
        column = [math.nan if result is _HOLE else float(result) for result in results]
        truth = all(isinstance(result, (bool, np.bool_)) for result in present)
        return Traced(graph, _table(graph, names, column, truth=truth))
    if all(_is_number(result) or isinstance(result, Traced) for result in present):
        return _chain(graph, names, results)
    return Alternatives(graph, names, results)


def _chain(graph: Graph, names: tuple[str, ...], results: Sequence[Any]) -> Any:
    """Select among traced values by nested conditions.

    Only a hole leaves something undefined: where there is none, the first result is what is
    left when no other is chosen, and the range of the whole is that of the results.
    """
    whole = all(result is not _HOLE for result in results)
    chosen: Any = results[0] if whole else math.nan
    for place, result in enumerate(results):
        if result is not _HOLE and not (whole and place == 0):
            here = [float(other == place) for other in range(len(results))]
            chosen = apply(
                "where", Traced(graph, _table(graph, names, here, truth=True)), result, chosen
            )
    return chosen


def _pick(value: Alternatives, at: dict[str, int]) -> Any:
    content = _content(value)
    place = 0
    for name in content.names:
        place = place * content.graph.lengths[name] + at[name]
    return content.things[place]


def _table(graph: Graph, names: tuple[str, ...], column: Sequence[float], *, truth: bool) -> Any:
    shape = tuple(graph.lengths[name] for name in names)
    return graph.table(names, np.array(column, np.float64).reshape(shape), truth=truth)


def _is_number(value: Any) -> bool:
    return isinstance(value, (numbers.Real, np.bool_))


def _same(value: Any, first: Any) -> bool:
    if value is first:
        return True
    simple = (str, bytes, type(None), tuple)
    return type(value) is type(first) and isinstance(value, simple) and bool(value == first)
