"""The script that fits the constants: what it finds is what the catalogue holds."""

import dataclasses
import re
from pathlib import Path

import numpy as np
import pytest

from mlsysim.catalog import Systems
from mlsysim.core.solver import DistributedModel
from mlsysim.units import magnitude
from mlsysim.validation.calibrate_kernels import affine_fit, kernel_lines
from mlsysim.validation.calibrate_runs import CONSTANTS, TrainingTask, predictable, weight_of
from mlsysim.validation.calibrate_small_kernels import small_kernel_lines
from mlsysim.validation.estimation import Array, FitTask, Rows, estimate, left_out
from mlsysim.validation.measured import training_rows
from mlsysim.validation.prediction import in_own_unit, predicted_time
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
    task = TrainingTask.of_families(training_rows()[::20])
    assert set(task.owners) <= set(Systems.Calibrations)
    assert {name for _, name in task.names} == {*CONSTANTS}


def test_rows_whose_layout_is_not_told_count_for_less() -> None:
    """Blanking cells of a layout halves the weight with each."""
    row = next(row for row in training_rows() if row.mbs and row.recompute)
    blank = dataclasses.replace(row, mbs=None, recompute=None)
    assert weight_of(blank) == weight_of(row) / 4


def test_constants_that_made_the_rows_are_found_again() -> None:
    """Rows that the model itself "measured" with other constants lead back to these."""
    made = Systems.Calibrations.Ampere.replace(sustained=0.7, activation_passes=3.0, exposure=0.5)
    on_a100 = (row for row in predictable(training_rows()) if "A100" in row.row.accelerator)
    rows = [row for row in on_a100 if weight_of(row.row) >= 0.5][::2]
    measured = [
        dataclasses.replace(
            row,
            row=dataclasses.replace(
                row.row,
                value=in_own_unit(row, predicted_time(row, DistributedModel(calibration=made))),
            ),
        )
        for row in rows
    ]
    task = TrainingTask.of_accelerators(measured)
    found = task.calibrations(estimate(task.task()).constants)["A100_80GB_SXM"]
    assert found.sustained == pytest.approx(0.7, rel=0.02)
    assert found.activation_passes == pytest.approx(3.0, rel=0.05)
    assert found.exposure == pytest.approx(0.5, rel=0.1)


def test_what_is_left_out_is_predicted_without_its_source() -> None:
    """A constant that a source alone determines is what is known before, once it is left out."""
    rows = np.array([0.0, 0.0, 1.0, 1.0])
    derivatives = np.stack([1 - rows, rows], axis=1)

    def distances(constants: Array, _: Rows) -> tuple[Array, Array]:
        return derivatives @ constants - 0.3, derivatives

    task = FitTask(
        start=np.zeros(2),
        prior=0.1 * np.eye(2),
        expected=np.zeros(2),
        groups=["a", "a", "b", "b"],
        weights=np.ones(4),
        distances=distances,
    )
    found = estimate(task)
    assert found.constants == pytest.approx([0.3, 0.3], abs=0.01)
    without = left_out(task, found)
    assert without.constants["b"] == pytest.approx([0.3, 0.0], abs=0.01)
    assert without.distances == pytest.approx([-0.3] * 4, abs=0.01)
    assert found.fitted == pytest.approx([0.0] * 4, abs=0.01)
