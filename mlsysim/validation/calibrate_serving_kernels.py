"""Fit what accelerators achieve in single kernels: products, reading of weights, all-reduces.

Each accelerator is fitted to its own kernels alone, by a search over a grid, with the mean
absolute logarithm of predicted over measured time as the loss.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mlsysim.stages.serving.calibration import Achieved
from mlsysim.stages.serving.formats import stored_width
from mlsysim.units import magnitude
from mlsysim.validation.accelerators import accelerator_of
from mlsysim.validation.cells import Cells

_PRECISIONS = {"bfloat16": "bf16", "float16": "fp16", "fp8": "fp8", "nvfp4": "fp4"}
_OUTPUT_BYTES = 2
# Time of a call that a captured graph does not pay, up to what a call with quantization takes.
_CALLS = np.arange(0.0, 16e-6, 1e-6)
_EFFICIENCIES = np.arange(0.30, 1.0, 0.02)
_STARTS = np.arange(0.0, 12e-6, 1e-6)
_STEPS = np.arange(0.2e-6, 3e-6, 0.1e-6)
_LINKS = np.arange(0.1, 1.05, 0.05)


@dataclass(frozen=True, kw_only=True)
class _Products:
    """Measured products of one accelerator in one precision, as arrays."""

    arithmetic: np.ndarray
    reading: np.ndarray
    time: np.ndarray


def kernel_fits(rows: Sequence[Cells]) -> Mapping[str, Achieved]:
    """Fit every accelerator of which matrix products and all-reduces were measured.

    Parameters
    ----------
    rows
        Kernels, with the columns of ``kernels_measured.csv``.
    """
    products: dict[str, dict[str, list[Cells]]] = defaultdict(lambda: defaultdict(list))
    reduces: dict[str, list[Cells]] = defaultdict(list)
    for cells in rows:
        accelerator = accelerator_of(cells.text("device"))
        if accelerator is None:
            continue
        if cells.text("op") == "gemm" and cells.text("dtype") in _PRECISIONS:
            products[accelerator.name][_PRECISIONS[cells.text("dtype")]].append(cells)
        elif cells.text("op") == "all_reduce" and "NCCL 2" in cells.text("software"):
            reduces[accelerator.name].append(cells)
    return {name: _fit(name, products[name], reduces[name]) for name in products if reduces[name]}


def _fit(name: str, products: Mapping[str, Sequence[Cells]], reduces: Sequence[Cells]) -> Achieved:
    measured = {precision: _products(name, precision, rows) for precision, rows in products.items()}
    memory, efficiencies = min(
        (_fit_products(measured, memory) for memory in _EFFICIENCIES),
        key=lambda found: found[0],
    )[1:]
    start, step, link = _fit_reduces(name, reduces)
    return Achieved(
        matmul_efficiencies={precision: round(x, 2) for precision, x in efficiencies.items()},
        memory_efficiency=round(memory, 2),
        link_efficiency=round(link, 2),
        collective_start=round(start, 7),
        collective_step=round(step, 8),
    )


def _products(name: str, precision: str, rows: Sequence[Cells]) -> _Products:
    """Read products, their times at the peaks of the data sheet, and what was measured (s)."""
    accelerator = accelerator_of(name)
    if accelerator is None:  # a name of the catalogue stands for itself
        raise KeyError(name)
    peak = magnitude(accelerator.peak(precision), "flop/s")
    bandwidth = magnitude(accelerator.memory_bandwidth, "byte/s")
    width = stored_width(precision)
    m, n, k = (np.array([cells.number(axis) for cells in rows], float) for axis in "mnk")
    moved = width * (n * k + m * k) + _OUTPUT_BYTES * m * n
    times = np.array([cells.number("latency_ms") for cells in rows], float) / 1e3
    return _Products(arithmetic=2 * m * n * k / peak, reading=moved / bandwidth, time=times)


def _fit_products(
    measured: Mapping[str, _Products], memory: float
) -> tuple[float, float, dict[str, float]]:
    """Fit efficiency and call time of every precision, given how fast weights are read."""
    total, found = 0.0, {}
    for precision, products in measured.items():
        loss, efficiency = min(
            (_loss(products, memory, efficiency, call), float(efficiency))
            for efficiency in _EFFICIENCIES
            for call in _CALLS
        )
        total += loss
        found[precision] = efficiency
    return total, float(memory), found


def _loss(products: _Products, memory: float, efficiency: float, call: float) -> float:
    roof = np.maximum(products.arithmetic / efficiency, products.reading / memory)
    return float(np.abs(np.log((call + roof) / products.time)).mean())


def _fit_reduces(name: str, rows: Sequence[Cells]) -> tuple[float, float, float]:
    """Fit ``start + 2 (g - 1) step + 2 (g - 1)/g M / (link β)``."""
    accelerator = accelerator_of(name)
    if accelerator is None:
        raise KeyError(name)
    bandwidth = magnitude(accelerator.link_bandwidth, "byte/s")
    group, message = (
        np.array([cells.number(column) for cells in rows], float) for column in ("n_gpus", "bytes")
    )
    time = np.array([cells.number("latency_ms") for cells in rows], float) / 1e3
    moving = 2 * (group - 1) / group * message / bandwidth

    def loss(start: float, step: float, link: float) -> float:
        predicted = start + 2 * (group - 1) * step + moving / link
        return float(np.abs(np.log(predicted / time)).mean())

    return min(
        ((float(a), float(b), float(c)) for a in _STARTS for b in _STEPS for c in _LINKS),
        key=lambda point: loss(*point),
    )
