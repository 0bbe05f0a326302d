"""Accelerators: figures that were got wrong elsewhere, and precisions."""

import pytest

from mlsysim.catalog import Accelerator, Precision, Systems
from mlsysim.errors import Infeasible, MissingFigureError, ParameterError, UnknownNameError
from mlsysim.units import magnitude

H100 = Systems.Accelerators.H100_SXM


@pytest.mark.parametrize(
    ("name", "mebibytes"),
    [
        ("H100_SXM", 81_559),
        ("H200_SXM", 143_771),
        ("B200_SXM", 183_359),
        ("L40S", 46_068),  # of 49,152: error correction
        ("A100_80GB_SXM", 81_920),
    ],
)
def test_memory_is_what_the_driver_reports(name: str, mebibytes: int) -> None:
    """The capacity is neither the label in GB nor the label in GiB."""
    assert magnitude(Systems.Accelerators[name].memory_capacity, "byte") == mebibytes * 2**20


@pytest.mark.parametrize(
    ("name", "precision", "teraflops"),
    [
        ("H100_SXM", "bf16", 989),  # the sheet prints 1,979 with sparsity
        ("H100_SXM", "fp8", 1979),
        ("B200_SXM", "bf16", 2250),  # the 1,000 W part ...
        ("GB200", "bf16", 2500),  # ... and the 1,200 W part
        ("Trainium2", "bf16", 667),  # 380 is the int8 peak of Trainium1
        ("Gaudi3", "bf16", 1677),
        ("Gaudi3", "fp16", 459),  # a quarter of the rate
        ("L4", "fp8", 242),
    ],
)
def test_peaks_are_dense_and_per_precision(name: str, precision: str, teraflops: float) -> None:
    """No sparse figure, and no precision stands in for another."""
    assert magnitude(Systems.Accelerators[name].peak(precision), "Tflop/s") == teraflops


def test_a_precision_without_arithmetic_is_infeasible() -> None:
    """A V100 has no bf16: the design is impossible, and falling back to fp16 would be a lie."""
    volta = Systems.Accelerators.V100_SXM2_32GB
    assert not volta.supports("bf16")
    with pytest.raises(Infeasible, match="V100_SXM2_32GB has no bf16 arithmetic"):
        volta.peak("bf16")


def test_a_misspelt_precision_is_an_error_and_not_a_verdict() -> None:
    """A typing slip must not read as proven infeasible."""
    with pytest.raises(ParameterError, match="'fp61' is not known; did you mean 'fp16'"):
        H100.peak("fp61")


def test_precisions_list_what_has_a_peak() -> None:
    """The precisions are those of the peaks, in the order of the enumeration."""
    assert H100.precisions == ("fp32", "tf32", "bf16", "fp16", "fp8", "int8")
    assert all(H100.supports(precision) for precision in H100.precisions)
    assert not H100.supports(Precision.FP4)


def test_links_are_per_direction() -> None:
    """NVLink4 is sold as 900 GB/s both ways; one way is half of it."""
    assert magnitude(H100.link_bandwidth, "GB/s") == 450


def test_a_full_mesh_is_known_as_one() -> None:
    """Seven links of 64 GB/s: a pair of MI300X has one of them, not 448 GB/s."""
    mesh = Systems.Accelerators.MI300X
    assert mesh.full_mesh
    assert magnitude(mesh.link_bandwidth, "GB/s") / (mesh.scale_up_domain - 1) == 64
    assert not H100.full_mesh


def test_the_rental_price_is_the_median_of_the_providers() -> None:
    """Of 1.71, 1.85 and 6.00 dollars an hour the median is 1.85."""
    assert magnitude(Systems.Accelerators.MI300X.rental_price, "USD/hour") == pytest.approx(1.85)


@pytest.mark.parametrize(
    ("name", "figure"),
    [
        ("MI325X", "unit_price"),  # 0 dollars made it win every comparison elsewhere
        ("TPU_v5p", "thermal_design_power"),
        ("MI325X", "rental_price"),
        ("T4", "matmul_efficiency"),
        ("Trainium1", "link_bandwidth"),
    ],
)
def test_what_nobody_states_is_missing(name: str, figure: str) -> None:
    """Missing data must not win."""
    with pytest.raises(MissingFigureError, match=rf"{name}: .*replace\("):
        getattr(Systems.Accelerators[name], figure)


def test_has_tells_without_raising() -> None:
    """A caller can ask first; asking for a figure that does not exist at all is an error."""
    assert H100.has("unit_price")
    assert not Systems.Accelerators.MI325X.has("unit_price")
    with pytest.raises(UnknownNameError, match="did you mean 'unit_price'"):
        H100.has("unit_prize")


def test_a_table_cannot_be_changed() -> None:
    """Prices and peaks are read-only, like everything in a record."""
    with pytest.raises(TypeError):
        H100.rental_prices["mine"] = 1  # type: ignore[index]


def test_one_of_your_own() -> None:
    """A frozen record in Python takes text or quantities, and counts as given by the user."""
    mine = Accelerator(
        name="Mine",
        peaks={"bf16": "500 Tflop/s"},
        memory_capacity="64 GiB",
        memory_bandwidth="2 TB/s",
        unit_price="12 kUSD",
    )
    assert magnitude(mine.memory_capacity, "byte") == 64 * 2**30
    assert magnitude(mine.unit_price, "USD") == 12_000
    assert mine.figures["peaks.bf16"].source == "given by the user"
    assert mine.figures["peaks.bf16"].unit == "Tflop/s"
    assert mine.figures["peaks.bf16"].value == 500
