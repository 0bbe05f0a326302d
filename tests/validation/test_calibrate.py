"""The script that fits the constants: what it finds is what the catalogue holds."""

import dataclasses
import re
from pathlib import Path

import pytest

from mlsysim.catalog import Systems
from mlsysim.units import magnitude
from mlsysim.validation.calibrate_kernels import affine_fit, kernel_lines
from mlsysim.validation.calibrate_runs import (
    CAME_LATER,
    CONSTANTS,
    families_of,
    fitted_rows,
    loss_of,
)
from mlsysim.validation.calibrate_serving import fitted_serving_rows
from mlsysim.validation.calibrate_small_kernels import small_kernel_lines
from mlsysim.validation.measured import training_rows
from mlsysim.validation.table import read_table

KERNELS = Path(__file__).parents[1] / "measured" / "kernels_measured.csv"


def test_a_straight_line_is_found() -> None:
    """Points on 3 + 2 x give 3 and 2."""
    offset, slope = affine_fit([(1.0, 5.0), (2.0, 7.0), (4.0, 11.0), (8.0, 19.0)])
    assert (offset, slope) == pytest.approx((3.0, 2.0))


def test_an_overhead_is_never_negative() -> None:
    """Points on -1 + 2 x give a line through the origin."""
    offset, slope = affine_fit([(1.0, 1.0), (2.0, 3.0), (4.0, 7.0)])
    assert offset == 0.0
    assert 1.0 < slope < 2.0


def test_the_catalogue_holds_what_kernels_tell() -> None:
    """Every line of the script is a figure of the catalogue, to the digits that it prints."""
    found = 0
    for line in kernel_lines(read_table(KERNELS)):
        device = Systems.Accelerators[line[1 : line.index("]")]]
        for precision, value in re.findall(r"product_efficiencies\.(\w+) = ([\d.]+)", line):
            assert device.product_efficiencies[precision] == float(value)
            found += 1
        for precision, value in re.findall(r'product_overheads\.(\w+) = "([\d.]+) us"', line):
            if float(value):
                stored = magnitude(device.product_overheads[precision], "us")
                assert stored == pytest.approx(float(value))
        for value in re.findall(r"link_efficiency = ([\d.]+)", line):
            assert device.link_efficiency == float(value)
            found += 1
    assert found >= 25


def test_the_catalogue_holds_what_small_kernels_tell() -> None:
    """Likewise for reading memory and for short messages."""
    found = 0
    for line in small_kernel_lines(read_table(KERNELS)):
        device = Systems.Accelerators[line[1 : line.index("]")]]
        for name, value in re.findall(r'(\w+) = "?([\d.]+)', line):
            stored = getattr(device, name)
            plain = stored if name == "memory_efficiency" else magnitude(stored, "us")
            assert plain == pytest.approx(float(value))
            found += 1
    assert found >= 25


def test_constants_belong_to_families() -> None:
    """Every measured row has a family, and no family has constants beyond the three."""
    families = families_of(training_rows()[::20])
    assert set(families) <= set(Systems.Calibrations)
    assert CONSTANTS == ("sustained", "activation_passes", "exposure")


def test_rows_whose_layout_is_not_told_count_otherwise() -> None:
    """Blanking cells of a layout changes what a row adds to the loss, and not the others."""
    rows = next(iter(families_of(training_rows()[:40]).values()))
    calibration = Systems.Calibrations.Ampere
    first = [row for row in rows if row.row.group == rows[0].row.group]
    blank = dataclasses.replace(
        first[0], row=dataclasses.replace(first[0].row, mbs=None, recompute=None)
    )
    whole, less = loss_of(first, calibration), loss_of([blank, *first[1:]], calibration)
    assert whole != less


def test_constants_are_fitted_to_the_rows_that_the_readme_counts() -> None:
    """What came later judges the constants, and no refit of the catalogue's sees it."""
    families = families_of(fitted_rows(training_rows()))
    count = sum(map(len, families.values()))
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    serving = len(fitted_serving_rows())
    assert f"fitted to {count} of the training and {serving} of the serving rows" in readme
    groups = {row.row.group for rows in families.values() for row in rows}
    assert groups.isdisjoint(CAME_LATER)
    assert {row.group for row in training_rows()} >= CAME_LATER
