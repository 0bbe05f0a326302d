"""What encloses formulas holds at every design: ends, power laws, and whether they are numbers."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import Term, examples, spaces, terms

from mlsysim.certificates.bounds import Bounds, BoxTable
from mlsysim.certificates.enclosure import Enclosure, enclosed
from mlsysim.certificates.formulas import Formulas, Positions
from mlsysim.certificates.parts import designs_of
from mlsysim.certificates.power_laws import PowerLaw, Scale
from mlsysim.certificates.rules import ARITY, INEXACT, RULES, TRUTHS
from mlsysim.expr.operations import OPERATIONS
from mlsysim.problem.problem import Problem
from mlsysim.search.cpsat.certifying import traced

# Positive and long: these have power laws.
LONG = {"x": range(1, 60), "y": range(8, 200, 8), "z": [0.1 * 1.3**k for k in range(20)]}

numbers = st.one_of(
    st.integers(-6, 6).map(float),
    st.floats(-8, 8, allow_subnormal=False),
    st.sampled_from([1e-6, 0.1, 0.3, 7.5e11, 1e12, -1e12, 2.0**51, 1e-300, 1e300, -1e300]),
    st.sampled_from([0.0, -0.0, 1.0, np.inf, -np.inf, np.nan]),
)


def test_every_operation_has_its_rule() -> None:
    """The checker knows the language, by name, number of arguments, kind and exactness."""
    assert {name: row.arity for name, row in OPERATIONS.items()} == ARITY
    assert TRUTHS.keys() == {name for name, row in OPERATIONS.items() if row.truth}
    assert INEXACT.keys() == {name for name, row in OPERATIONS.items() if not row.is_exact}


@pytest.mark.parametrize("name", RULES)
@given(data=st.data())
@examples(40)
def test_a_rule_encloses_every_value(name: str, data: st.DataObject) -> None:
    """Whatever values the arguments take between their ends, the result is enclosed."""
    columns = [data.draw(st.lists(numbers, min_size=1, max_size=4)) for _ in range(ARITY[name])]
    if name == "divide":  # a zero below has one sign: plain Python divides by neither
        columns[1] = [value + 0.0 for value in columns[1]]
    with np.errstate(all="ignore"):
        grid = np.meshgrid(*(np.array(column) for column in columns), indexing="ij")
        values = np.asarray(getattr(np, name)(*grid), np.float64)
        found = RULES[name](Scale.of({}), *map(_hull, columns))
    _assert_encloses(found, values.ravel())


@given(data=st.data())
@examples(120)
def test_formulas_are_enclosed_over_boxes(data: st.DataObject) -> None:
    """At every design of a box each step lies within its ends and between its power laws."""
    space = data.draw(st.sampled_from([LONG, LONG, None])) or data.draw(spaces())
    gain = data.draw(terms(space, 8))
    formulas = _formulas(space, gain)
    bounds = Bounds(formulas)
    first = [data.draw(st.integers(0, n - 1)) for n in formulas.lengths.values()]
    last = [
        data.draw(st.integers(low, min(n - 1, low + 12)))
        for low, n in zip(first, formulas.lengths.values(), strict=True)
    ]
    box = BoxTable(first=np.array([first], np.int64), last=np.array([last], np.int64))
    designs, _ = designs_of(box)
    designs = designs[:: 1 + len(designs) // 400]
    read = bounds._read(box, bounds._order)
    for place, values in zip(read, formulas.at(designs, list(read)), strict=True):
        _assert_encloses(read[place], values)
        for law, sign in ((read[place].below, 1.0), (read[place].above, -1.0)):
            if law is not None and np.all(law.factor >= 0):
                _assert_law(formulas, law, sign, box, designs, values)


def _formulas(space: Mapping[str, Any], gain: Term) -> Formulas:
    def evaluate(params: dict[str, Any]) -> dict[str, Any]:
        return {"gain": gain(params)}

    return traced(Problem.of(space, "minimize: gain", None), evaluate)


def _hull(column: list[float]) -> Enclosure:
    values = np.array(column)
    known = values[~np.isnan(values)]
    undefined = np.array([len(known) < len(values)])
    if not len(known):
        return enclosed(np.array([np.nan]), np.array([np.nan]), undefined)
    return enclosed(np.array([known.min()]), np.array([known.max()]), undefined)


def _assert_encloses(found: Enclosure, values: np.ndarray) -> None:
    number = ~np.isnan(values)
    assert np.all(number | found.undefined)
    assert np.all(values[number] >= found.low)
    assert np.all(values[number] <= found.high)


def _assert_law(
    formulas: Formulas,
    law: PowerLaw,
    sign: float,
    box: BoxTable,
    designs: Positions,
    values: np.ndarray,
) -> None:
    """Compare with the law at each design, which is itself off by a few units in the last place."""
    choices = {choice.name: choice for choice in formulas.choices}
    places = {name: at for at, name in enumerate(formulas.lengths)}
    told = np.full(len(designs), float(np.ravel(law.factor)[0]))
    for name, exponent in law.exponents.items():
        at = places[name]
        ends = [choices[name].at(end[:, at]) for end in (box.first, box.last)]
        middle = Scale.of({name: (np.minimum(*ends), np.maximum(*ends))}).middles[name]
        told *= (choices[name].at(designs[:, at]) / middle) ** exponent
    number = ~np.isnan(values)
    assert np.all(sign * (values - told * (1.0 - sign * 1e-13))[number] >= 0)
