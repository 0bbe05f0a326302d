"""Records made in Python: what is refused, and how they compare."""

import copy
import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from mlsysim.catalog import Accelerator, Cluster, Confidence, Fabric, Systems
from mlsysim.errors import CatalogError, InputError, UnitError, UnknownNameError
from mlsysim.units import quantity

CHIP: dict[str, Any] = {
    "name": "Mine",
    "peaks": {"bf16": "500 Tflop/s"},
    "memory_capacity": "64 GiB",
    "memory_bandwidth": "2 TB/s",
}


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"memory_capacity": 64}, UnitError, "64 has no unit; write '64 GiB'"),
        ({"memory_capacity": "64"}, UnitError, "no unit"),
        ({"memory_capacity": "64 GB/s"}, UnitError, "does not measure this"),
        ({"memory_capacity": "64 GiBB"}, UnitError, "is not a unit"),
        ({"memory_capacity": "64 GB/"}, UnitError, "is not a unit"),
        ({"memory_capacity": "a lot"}, UnitError, "not a number with a unit"),
        ({"memory_capacity": quantity(64, "flop")}, UnitError, "does not measure this"),
        ({"memory_capacity": quantity(np.array([1.0]), "GB")}, CatalogError, "not a single"),
        ({"memory_capacity": None}, UnitError, "not an amount"),
        ({"memory_capacity": True}, UnitError, "not an amount"),
        ({"memory_capacity": "-64 GiB"}, CatalogError, "not a positive amount"),
        ({"memory_capacity": quantity(-64.0, "GiB")}, CatalogError, "not a positive amount"),
        ({"memory_capacity": quantity(float("nan"), "GiB")}, CatalogError, "not a positive"),
        ({"unit_price": "0 USD"}, CatalogError, "leave the key out"),
        ({"link_latency": "-1 us"}, CatalogError, "not a sensible amount"),
        ({"peaks": {}}, CatalogError, "an empty table"),
        ({"peaks": "500 Tflop/s"}, CatalogError, "not a table"),
        ({"peaks": {"bf61": "500 Tflop/s"}}, CatalogError, "did you mean 'bf16'"),
        ({"peaks": {"bf16": "500 Tflop"}}, UnitError, "bf16: 500 Tflop is in"),
        ({"matmul_efficiencies": {"bf16": 80}}, CatalogError, "a number from 0 to 1"),
        ({"matmul_efficiencies": {"bf16": "80 %"}}, CatalogError, "not a plain number"),
        ({"scale_up_domain": -8}, CatalogError, "at least 1"),
        ({"confidence": "D"}, CatalogError, "not one of A, B, C"),
    ],
)
def test_bad_values(change: dict[str, Any], error: type[InputError], message: str) -> None:
    """A bad value is refused with the record, the field and the cure."""
    with pytest.raises(error) as caught:
        Accelerator(**(CHIP | change))
    assert message in str(caught.value)
    assert str(caught.value).startswith(f"Accelerator 'Mine': {next(iter(change))}: ")


def test_a_reference_takes_a_record_and_not_its_name() -> None:
    """In Python the record itself is at hand."""
    with pytest.raises(CatalogError, match="'DGX_H100' is not a Node"):
        Cluster(name="Bad", node="DGX_H100", nodes=2, fabric=Systems.Fabrics.IB_NDR)  # type: ignore[arg-type]


def test_records_are_frozen() -> None:
    """A record cannot be changed; `replace` makes another."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        Systems.Accelerators.H100_SXM.year = 2030  # type: ignore[misc]


def test_records_compare_by_what_they_state() -> None:
    """Equal statements make equal records, whatever the unit they were written in."""
    one = Accelerator(**CHIP)
    other = Accelerator(**(CHIP | {"memory_bandwidth": quantity(2000, "GB/s")}))
    assert one == other
    assert hash(one) == hash(other)
    assert one != Accelerator(**(CHIP | {"memory_capacity": "80 GiB"}))
    assert one != "Mine"


def test_records_of_a_fit_compare_whatever_it_tries_at_once() -> None:
    """Figures may be arrays there, of as many values as are tried: of two lengths none is equal."""
    few, many = (Accelerator(**CHIP) for _ in range(2))
    vars(few)["memory_capacity"] = np.ones(2)
    vars(many)["memory_capacity"] = np.ones(34)
    assert few != many
    vars(many)["memory_capacity"] = np.ones(2)
    assert few == many


def test_a_replaced_figure_is_the_users() -> None:
    """The support of a figure does not outlive the figure."""
    own = Systems.Accelerators.H100_SXM.replace(name="Own", unit_price="31 kUSD")
    assert own.figures["unit_price"].source == "given by the user"
    assert own.figures["unit_price"].value == 31_000
    assert own.figures["link_latency"] == Systems.Accelerators.H100_SXM.figures["link_latency"]


def test_replacing_what_does_not_exist() -> None:
    """A misspelt field is not silently ignored."""
    with pytest.raises(UnknownNameError, match="did you mean 'unit_price'"):
        Systems.Accelerators.H100_SXM.replace(unit_prise="31 kUSD")


def test_how_a_record_looks() -> None:
    """Its name is its label; its representation says what kind it is."""
    assert str(Systems.Accelerators.H100_SXM) == "H100_SXM"
    assert repr(Systems.Accelerators.H100_SXM) == "<Accelerator H100_SXM>"


def test_one_figure_can_have_its_own_support() -> None:
    """An estimate inside a record of good figures is marked as one."""
    price = Systems.Accelerators.H100_SXM.figures["unit_price"]
    assert (price.confidence, price.unit) == (Confidence.C, "USD")
    assert Systems.Accelerators.H100_SXM.figures["memory_capacity"].confidence is Confidence.A


@pytest.mark.parametrize(
    ("kind", "values", "stated", "message"),
    [
        (Cluster, (), {"nod": 1}, "Cluster '': no field is called 'nod'; did you mean 'node'"),
        (Cluster, (), {"name": "Mine"}, "Cluster 'Mine': node is missing; write e.g. node=Node("),
        (Cluster, ("Mine",), {}, "Cluster: 'Mine' has no name; write each figure as name=value"),
        (Fabric, (), {"name": "F"}, "Fabric 'F': bandwidth is missing; write e.g. bandwidth='100 "),
    ],
)
def test_arguments_that_do_not_fit_are_our_error(
    kind: Callable[..., Any], values: tuple[str, ...], stated: dict[str, Any], message: str
) -> None:
    """A misspelt or missing figure is answered as in a file, not with Python's own words."""
    with pytest.raises(CatalogError) as caught:
        kind(*values, **stated)
    assert message in str(caught.value)


def test_records_with_as_many_candidates_as_one_another_may_be_equal() -> None:
    """A fit tries many constants at once; of other lengths, they are other constants."""

    def of(*tried: float) -> Any:
        fitted = copy.copy(Systems.Calibrations.Generic)
        vars(fitted)["matmul_efficiency"] = np.array(tried)
        return fitted

    assert of(0.4, 0.6) == of(0.4, 0.6)
    assert of(0.4, 0.6) != of(0.4, 0.5)
    assert of(0.4, 0.6) != of(0.4, 0.5, 0.6)
