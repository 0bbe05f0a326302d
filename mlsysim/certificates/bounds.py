"""Read formulas over boxes of designs: a range of positions for each choice."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from mlsysim.certificates.enclosure import Enclosure, enclosed
from mlsysim.certificates.formulas import (
    ChoiceFormula,
    Formulas,
    NumberFormula,
    Positions,
    Result,
    TableFormula,
    Value,
)
from mlsysim.certificates.lookup import Ends, Lookup
from mlsysim.certificates.power_laws import Scale
from mlsysim.certificates.rounding import Array
from mlsysim.certificates.rules import RULES, TRUTHS

# Formulas of so few combinations are looked up: over a part of them, the extremes are exact.
_MOST_CELLS = 256
# Choices of so many positive numbers in order are worth a power law.
_FEWEST_POSITIONS = 12


@dataclass(frozen=True, kw_only=True)
class BoxTable:
    """Many boxes; one row each, one column per choice.

    Parameters
    ----------
    first, last
        The first and the last position.
    """

    first: Positions
    last: Positions

    def __len__(self) -> int:
        return len(self.first)

    @property
    def volumes(self) -> Array:
        """The number of designs in each (a float: it may be astronomical)."""
        return np.prod((self.last - self.first + 1).astype(np.float64), axis=1)


class Bounds:
    """Encloses steps over boxes.

    Parameters
    ----------
    formulas
        The question.
    """

    def __init__(self, formulas: Formulas) -> None:
        self._formulas = formulas
        self._choices = {choice.name: choice for choice in formulas.choices}
        self._long = [choice.name for choice in formulas.choices if _is_long(choice)]
        self._roots = {
            formulas.objective,
            *(place for r in formulas.requirements for place in (r.holds, *r.sides)),
        }
        self._columns = {
            choice.name: Lookup.of((choice.name,), choice.at(np.arange(choice.count)))
            for choice in formulas.choices
            if choice.is_numeric and not choice.is_monotone
        }
        self._lookups = {
            place: Lookup.of(step.choices, step.values)
            for place, step in enumerate(formulas.steps)
            if isinstance(step, TableFormula)
        }
        small = {place for place in formulas.needed(self._roots) if self._is_small(place)}
        for place in small.intersection(formulas.needed(self._roots, small)):
            self._lookups[place] = self._tabulated(place)
        self._order = formulas.needed(self._roots, self._lookups.keys())

    def read(self, boxes: BoxTable) -> dict[int, Enclosure]:
        """Enclose the objective, what tells whether requirements hold, and what they compare."""
        read = self._read(boxes, self._order)
        return {place: read[place] for place in self._roots}

    def _read(self, boxes: BoxTable, order: list[int]) -> dict[int, Enclosure]:
        names = list(self._formulas.lengths)
        first = dict(zip(names, boxes.first.T, strict=True))
        last = dict(zip(names, boxes.last.T, strict=True))
        found: dict[int, Enclosure] = {}
        with np.errstate(all="ignore"):
            ranges = {
                name: self._range(choice, first, last)
                for name, choice in self._choices.items()
                if choice.is_numeric
            }
            scale = Scale.of({name: ranges[name] for name in self._long})
            for place in order:
                found[place] = self._step(place, found, first, last, ranges, scale)
        return found

    def _step(
        self,
        place: int,
        found: Mapping[int, Enclosure],
        first: Ends,
        last: Ends,
        ranges: Mapping[str, tuple[Array, Array]],
        scale: Scale,
    ) -> Enclosure:
        lookup = self._lookups.get(place)
        if lookup is not None:
            return lookup.over(first, last)
        step = self._formulas.steps[place]
        match step:
            case NumberFormula(value=value):
                end = np.asarray(value, np.float64)
                return enclosed(end, end, np.isnan(end))
            case Value(choice=name):
                low, high = ranges[name]
                known = np.zeros((), np.bool_)
                if name not in scale.ends:
                    return Enclosure(low=low, high=high, undefined=known)
                law = scale.choice(name)
                return Enclosure(low=low, high=high, undefined=known, below=law, above=law)
            case Result(operation=operation, arguments=arguments):
                return RULES[operation](scale, *(found[argument] for argument in arguments))
            case _:
                raise TypeError(f"formulas hold no {type(step).__name__} that is not looked up")

    def _range(self, choice: ChoiceFormula, first: Ends, last: Ends) -> tuple[Array, Array]:
        column = self._columns.get(choice.name)
        if column is not None:
            enclosure = column.over(first, last)
            return enclosure.low, enclosure.high
        ends = choice.at(first[choice.name]), choice.at(last[choice.name])
        return np.minimum(*ends), np.maximum(*ends)

    def _is_small(self, place: int) -> bool:
        step, support = self._formulas.steps[place], self._formulas.supports[place]
        if not isinstance(step, Result) or not support:
            return False
        if not support.isdisjoint(self._long) and step.operation not in TRUTHS:
            return False
        return math.prod(self._formulas.lengths[name] for name in support) <= _MOST_CELLS

    def _tabulated(self, place: int) -> Lookup:
        """Enclose a step at each combination of its choices."""
        lengths = self._formulas.lengths
        names = tuple(name for name in lengths if name in self._formulas.supports[place])
        shape = [lengths[name] for name in names]
        cells = np.zeros((math.prod(shape), len(lengths)), np.int64)
        grid = np.indices(shape).reshape(len(shape), -1)
        for name, positions in zip(names, grid, strict=True):
            cells[:, list(lengths).index(name)] = positions
        order = self._formulas.needed([place], self._lookups.keys())
        at = self._read(BoxTable(first=cells, last=cells), order)[place]
        count = len(cells)
        return Lookup(
            names,
            np.broadcast_to(at.low, count).reshape(shape),
            np.broadcast_to(at.high, count).reshape(shape),
            np.broadcast_to(at.undefined, count).reshape(shape),
        )


def _is_long(choice: ChoiceFormula) -> bool:
    if choice.count < _FEWEST_POSITIONS or not choice.is_monotone:
        return False
    return bool(np.all(choice.at(np.array([0, choice.count - 1])) > 0))
