"""What kernels achieve that are too small to be bound by arithmetic or by links.

Matrix products of few rows wait for their weights: given what large ones reach, they tell the
fraction of the memory bandwidth that reading reaches.  An all-reduce of a short message costs time
by itself and for each of its steps: ``t₁ + 2 (g-1) t₂ + 2 (g-1)/g M/(β ε)``, given what large
messages reach.  Each accelerator is fitted to its own kernels alone, by a search over a grid, with
the mean absolute logarithm of predicted over measured time as the loss.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np

from mlsysim.catalog.accelerator import Accelerator
from mlsysim.catalog.builtin import Systems
from mlsysim.stages.serving.formats import stored_width
from mlsysim.units import magnitude
from mlsysim.validation.calibrate_kernels import DEVICES
from mlsysim.validation.cells import RowCells
from mlsysim.validation.table import MeasuredTable

_PRECISIONS = {"bfloat16": "bf16", "fp8": "fp8", "nvfp4": "fp4"}
_OUTPUT_BYTES = 2
# Time of a call that a captured graph does not pay, up to what a call with quantization takes.
_CALLS = np.arange(0.0, 16e-6, 1e-6)
_EFFICIENCIES = np.arange(0.30, 1.0, 0.02)
_STARTS = np.arange(0.0, 12e-6, 1e-6)
_STEPS = np.arange(0.2e-6, 3e-6, 0.1e-6)


def small_kernel_lines(table: MeasuredTable) -> Iterator[str]:
    """Fit every accelerator whose large kernels the catalogue knows, as lines of TOML."""
    products: dict[str, list[RowCells]] = defaultdict(list)
    reduces: dict[str, list[RowCells]] = defaultdict(list)
    for cells in table.rows:
        device = DEVICES.get(cells.text("device"))
        if device is None:
            continue
        if cells.text("op") == "gemm" and cells.text("dtype") in _PRECISIONS:
            products[device].append(cells)
        elif cells.text("op") == "all_reduce" and "NCCL 2" in cells.text("software"):
            reduces[device].append(cells)
    for device, rows in products.items():
        memory = memory_fit(Systems.Accelerators[device], rows)
        yield f"[{device}] memory_efficiency = {memory:.2f}"
    for device, rows in reduces.items():
        start, step = reduce_fit(Systems.Accelerators[device], rows)
        yield (
            f'[{device}] collective_overhead = "{1e6 * start:.0f} us", '
            f'link_latency = "{1e6 * step:.1f} us"'
        )


def memory_fit(accelerator: Accelerator, rows: Sequence[RowCells]) -> float:
    """Fit the fraction of the memory bandwidth that reading weights reaches."""
    kinds: dict[str, list[RowCells]] = defaultdict(list)
    for cells in rows:
        kinds[_PRECISIONS[cells.text("dtype")]].append(cells)
    losses = sum(_reading_losses(accelerator, precision, kinds[precision]) for precision in kinds)
    return float(_EFFICIENCIES[int(np.argmin(losses))])


def _reading_losses(
    accelerator: Accelerator, precision: str, rows: Sequence[RowCells]
) -> np.ndarray:
    """Measure how far each efficiency lies off, at the call time that suits it best."""
    rate = magnitude(accelerator.peak(precision), "flop/s")
    rate = rate * accelerator.product_efficiencies[precision]
    bandwidth = magnitude(accelerator.memory_bandwidth, "byte/s")
    m, n, k = (np.array([cells.number(axis) for cells in rows], float) for axis in "mnk")
    moved = stored_width(precision) * (n * k + m * k) + _OUTPUT_BYTES * m * n
    time = np.array([cells.number("latency_ms") for cells in rows], float) / 1e3
    reading = moved / bandwidth / _EFFICIENCIES[:, None]
    roof = np.maximum(2 * m * n * k / rate, reading)
    calls = roof + _CALLS[:, None, None]
    return np.asarray(np.abs(np.log(calls / time)).mean(axis=-1).min(axis=0))


def reduce_fit(accelerator: Accelerator, rows: Sequence[RowCells]) -> tuple[float, float]:
    """Fit what an all-reduce costs by itself, and for each of its steps (s)."""
    bandwidth = magnitude(accelerator.link_bandwidth, "byte/s") * accelerator.link_efficiency
    group, message = (
        np.array([cells.number(column) for cells in rows], float) for column in ("n_gpus", "bytes")
    )
    time = np.array([cells.number("latency_ms") for cells in rows], float) / 1e3
    moving = 2 * (group - 1) / group * message / bandwidth
    steps = 2 * (group - 1) * _STEPS[:, None]
    predicted = _STARTS[:, None, None] + steps + moving
    losses = np.abs(np.log(predicted / time)).mean(axis=-1)
    start, step = np.unravel_index(int(np.argmin(losses)), losses.shape)
    return float(_STARTS[start]), float(_STEPS[step])
