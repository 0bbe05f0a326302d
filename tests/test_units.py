"""Units: what may be written, what is refused, and what a number becomes."""

from typing import Any

import numpy as np
import pytest

from mlsysim.catalog.fields import Presence
from mlsysim.catalog.measures import QuantityField
from mlsysim.core.dse import DSE
from mlsysim.errors import UnitError
from mlsysim.files.values import argument
from mlsysim.units import (
    as_unit,
    base_quantity,
    is_quantity,
    is_unit,
    magnitude,
    quantity,
    same_dimension,
    unit_names,
    unit_of,
)


@pytest.mark.parametrize(
    ("value", "unit", "base", "expected"),
    [
        (80, "GiB", "byte", 80 * 1024**3),
        (80, "GB", "byte", 80_000_000_000),
        (400, "Gbit/s", "byte/s", 50e9),  # eight bits to the byte
        (989, "Tflop/s", "flop/s", 989e12),
        (1, "kWh", "watt*s", 3.6e6),  # 1000 watts for 3600 seconds
        (3.6, "USD/hour", "USD/s", 0.001),
        (50, "ms", "s", 0.05),
        (2, "µs", "s", 2e-6),
        (2, "\N{GREEK SMALL LETTER MU}s", "s", 2e-6),  # the other sign that looks the same
        (1, "kg", "gram", 1000.0),
        (50, "percent", "", 0.5),
        (7, "token/s", "1/s", 7.0),  # a token is a plain number
    ],
)
def test_an_amount_in_base_units(value: float, unit: str, base: str, expected: float) -> None:
    """An amount is the same amount in base units."""
    converted = base_quantity(value, unit)
    assert unit_of(converted) == unit_of(quantity(1.0, base).to_base_units())
    assert magnitude(converted, base) == pytest.approx(expected, rel=1e-15)


@pytest.mark.parametrize(
    "text",
    ["GB/", "/s", "(GB", "GB)", "GB**", "*", "GB//s", "3 GB", "GB/foo", "Gb/s", "[x]", "∞", "__x"],
)
def test_a_unit_that_makes_no_sense_is_our_error(text: str) -> None:
    """Whatever is wrong with the text of a unit, the error is ours and quotes the text."""
    with pytest.raises(UnitError) as caught:
        as_unit(text)
    assert repr(text) in str(caught.value)


def test_a_misspelt_unit_is_answered_with_the_nearest() -> None:
    """The message proposes the unit that was meant."""
    with pytest.raises(UnitError, match="did you mean 'second'"):
        as_unit("secnd")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("TBps", "did you mean 'TB/s'"),
        ("Gbps", "did you mean 'Gbit/s'"),
        ("qps", "did you mean '1/s'"),
        ("EUR/hour", "money is in USD"),
        ("million", "write a large number as 6e12"),
        ("/s", "write '1/s'"),
    ],
)
def test_words_of_trade_are_answered_with_their_unit(text: str, told: str) -> None:
    """What people write without thinking of it as a unit is told in units."""
    with pytest.raises(UnitError, match=told):
        as_unit(text)


@pytest.mark.parametrize(
    ("left", "right"), [("byte", "flop"), ("USD", "s"), ("watt", "byte/s"), ("byte", "")]
)
def test_byte_flop_and_dollar_are_dimensions(left: str, right: str) -> None:
    """Bytes, flops, dollars and plain numbers cannot stand for one another."""
    assert not same_dimension(quantity(1, left), quantity(1, right))
    with pytest.raises(UnitError, match="cannot be read"):
        magnitude(quantity(1, left), right)


def test_a_plain_number_is_not_a_byte() -> None:
    """Adding one to a byte is refused; stock pint makes nine bits of it."""
    with pytest.raises(Exception, match="dimension"):
        quantity(1, "byte") + 1


def test_a_plain_number_has_no_unit_to_read() -> None:
    """Reading a plain number in a unit is refused, reading it as it is is not."""
    assert magnitude(3) == 3
    with pytest.raises(UnitError, match="plain number"):
        magnitude(3, "ms")


def test_arrays_keep_their_unit() -> None:
    """A quantity may hold an array; reading it converts each element."""
    held = quantity(np.array([1.0, 2.0]), "s")
    assert is_quantity(held)
    assert magnitude(held, "ms").tolist() == [1000.0, 2000.0]


def test_every_unit_name_is_a_unit() -> None:
    """The names listed in suggestions can all be used."""
    names = unit_names()
    assert {"second", "byte", "flop", "USD", "watt"} <= set(names)
    assert all(is_unit(name) for name in names)
    assert not is_unit("foo")


@pytest.mark.parametrize("value", ["x", "5", b"x5", None, True, {}, {5}])
def test_what_is_no_number_has_no_unit(value: object) -> None:
    """Text in quotes is not an amount; the message says so, and how to write one."""
    with pytest.raises(UnitError) as caught:
        quantity(value, "ms")
    assert str(caught.value).startswith(f"{value!r} is not a number that could be in 'ms'")
    assert "quantity(2.5, 'ms')" in str(caught.value)


@pytest.mark.parametrize("number", ["80", "80.", "80.0", "8e1", "8_0", "+80", ".8e2", "8.e+1"])
def test_one_grammar_of_numbers(number: str) -> None:
    """A number with a unit means the same in a catalogue, a question file and a constraint."""
    field = QuantityField("GiB", Presence.REQUIRED, zero=False)
    assert field.parse(f"{number} GiB") == quantity(80, "GiB").to_base_units()
    assert argument(f"{number} GiB", Any, "fixed.memory") == quantity(80, "GiB")
    question = DSE({"x": [79, 80, 81]}, "maximize: memory", [f"memory <= {number} GiB"])
    answer = question.search(lambda params: {"memory": quantity(params["x"], "GiB")})
    assert answer.best_params == {"x": 80}
