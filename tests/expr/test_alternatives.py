"""Stand-ins for a choice among objects and strings."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from mlsysim.errors import Infeasible, TracingError
from mlsysim.expr.alternatives import Alternatives
from mlsysim.expr.columns import Column
from mlsysim.expr.evaluate import over_designs
from mlsysim.expr.functions import maximum, select, where
from mlsysim.expr.graph import Graph
from mlsysim.expr.traced import Traced
from mlsysim.expr.tracing import parameters
from mlsysim.problem.space import SearchSpace
from mlsysim.units import magnitude, quantity

PEAKS = {"old": {"bf16": 100.0}, "new": {"bf16": 300.0, "fp8": 600.0}}


@dataclass(frozen=True)
class Chip:
    """A chip with an attribute of each kind, and a method that may say no."""

    name: str
    memory: Any
    cores: int
    family: str
    fast: bool

    def peak(self, precision: str, scale: float = 1.0) -> float:
        """Give the peak in a precision."""
        if precision not in PEAKS[self.name]:
            raise Infeasible(f"{self.name} has no {precision}")
        return PEAKS[self.name][precision] * scale

    @property
    def maker(self) -> "Maker":
        """An object of its own."""
        return Maker(name=f"maker of {self.name}", share=self.cores / 10)


@dataclass(frozen=True)
class Maker:
    """What a chip leads to."""

    name: str
    share: float


OLD = Chip("old", quantity(16.0, "GB"), 4, "chip", fast=False)
NEW = Chip("new", quantity(0.064, "TB"), 8, "chip", fast=True)
SPACE = SearchSpace({"chip": [OLD, NEW], "precision": ["bf16", "fp8"], "n": [1, 3]})


def start() -> tuple[Graph, dict[str, Any], Callable[[Any], Any]]:
    """Trace the space; also give a function that reads a result over the whole grid."""
    graph, params = parameters(SPACE)
    grid = np.meshgrid(*(np.arange(2) for _ in SPACE), indexing="ij")
    at = dict(zip(SPACE, grid, strict=True))

    def read(result: Any) -> Any:
        node = result.node if isinstance(result, Traced) else result
        (values,) = over_designs([node], at, {"n": Column([1, 3])})
        return np.broadcast_to(values, (2, 2, 2)).tolist()

    return graph, params, read


def by_chip(old: float, new: float) -> list[list[list[float]]]:
    """Spread two values over the grid, of which the chip is the first axis."""
    return [[[old, old], [old, old]], [[new, new], [new, new]]]


def test_attributes_become_tables() -> None:
    """A number, a truth value and a quantity of the chip are looked up by the choice."""
    _, params, read = start()
    chip = params["chip"]
    assert read(chip.cores) == by_chip(4, 8)
    assert read(chip.fast) == by_chip(0, 1)
    assert chip.fast.node.truth
    # 0.064 TB are 64 GB, give or take the rounding of the conversion.
    assert read(magnitude(chip.memory, "GB")) == by_chip(16, magnitude(NEW.memory, "GB"))
    assert read(magnitude(chip.memory / 2 * params["n"], "GB"))[1][0] == pytest.approx([32.0, 96.0])


def test_what_all_share_is_itself() -> None:
    """An attribute that is the same for all alternatives needs no choice."""
    _, params, _ = start()
    assert params["chip"].family == "chip"


def test_objects_lead_to_objects() -> None:
    """chip.maker.share goes through an object of each chip's own: 4 / 10 and 8 / 10."""
    _, params, read = start()
    assert isinstance(params["chip"].maker, Alternatives)
    assert read(params["chip"].maker.share) == by_chip(0.4, 0.8)


def test_a_method_with_a_choice_for_an_argument() -> None:
    """chip.peak(precision) is a table over both; what one cannot do becomes a guard."""
    graph, params, read = start()
    peak = params["chip"].peak(params["precision"], scale=2.0)
    assert len(graph.guards) == 1
    assert graph.guards[0].reason == "old has no fp8"
    assert read(graph.guards[0].condition) == [[[1, 1], [0, 0]], [[1, 1], [1, 1]]]
    table = read(peak)
    assert table[0][0] == [200.0, 200.0]
    assert np.isnan(table[0][1]).all()
    assert table[1] == [[600.0, 600.0], [1200.0, 1200.0]]


def test_a_method_with_a_traced_argument() -> None:
    """chip.peak('bf16', n) computes with the traced number for each chip."""
    _, params, read = start()
    peak = params["chip"].peak("bf16", params["n"])
    assert read(peak) == [[[100.0, 300.0]] * 2, [[300.0, 900.0]] * 2]


def test_what_no_alternative_can_is_infeasible() -> None:
    """Where every alternative says no, so does the stand-in."""
    _, params, _ = start()
    with pytest.raises(Infeasible, match="chip"):
        params["chip"].peak("int1")


def test_select_takes_a_choice_as_its_key() -> None:
    """select(precision, options) gives numbers, quantities and traced values alike."""
    _, params, read = start()
    bits = select(params["precision"], {"bf16": 16, "fp8": 8})
    assert read(bits)[0] == [[16, 16], [8, 8]]
    size = select(params["precision"], {"bf16": quantity(2.0, "kB"), "fp8": quantity(1.0, "B")})
    assert read(magnitude(size, "B"))[0] == [[2000, 2000], [1, 1]]
    mixed = select(params["precision"], {"bf16": params["n"], "fp8": 7})
    assert read(mixed)[0] == [[1, 3], [7, 7]]


def test_comparisons_are_conditions() -> None:
    """Comparing precision with 'fp8' gives a traced truth value that where can use."""
    _, params, read = start()
    assert read(where(params["precision"] == "fp8", 1.0, 2.0))[0] == [[2, 2], [1, 1]]
    assert read(where(params["chip"] != OLD, 1.0, 2.0)) == by_chip(2, 1)
    assert read(maximum(params["chip"].cores, 5)) == by_chip(5, 8)


def test_different_units_are_refused() -> None:
    """A choice between bytes and seconds is no quantity."""
    _, params, _ = start()
    with pytest.raises(TracingError, match="different units"):
        select(params["precision"], {"bf16": quantity(1.0, "B"), "fp8": quantity(1.0, "s")})


REFUSALS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "if": (lambda name: 1 if name else 2, "where"),
    "comparison in an if": (lambda name: 1 if name == "fp8" else 2, "where"),
    "key": (lambda name: {"fp8": 1}[name], "select"),
    "loop": (list, "exhaustive"),
    "len": (len, "exhaustive"),
    "in": (lambda name: "8" in name, "select"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_what_needs_one_thing_is_refused_with_a_remedy(name: str) -> None:
    """A branch, a key or a loop over a choice of strings is refused, with what to do instead."""
    action, remedy = REFUSALS[name]
    _, params, _ = start()
    with pytest.raises(TracingError, match=remedy):
        action(params["precision"])


def test_an_unknown_attribute_is_the_objects_own_error() -> None:
    """chip.colour raises what a chip raises."""
    _, params, _ = start()
    with pytest.raises(AttributeError, match="colour"):
        _ = params["chip"].colour
