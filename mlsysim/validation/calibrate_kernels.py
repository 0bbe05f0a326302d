"""What single kernels achieve: matrix products and collectives, from measured times.

A product takes ``t₀ + F/(P η)``, fitted for large ones as training has: from 1,024 rows on and
with matrices of 4,096 by 4,096 elements or more.  A gather or a reduce-scatter among g
accelerators takes ``t₁ + (g-1)/g M/(β ε)``, fitted from 2 MB on for the largest g;
for pairs of accelerators without links of their own, more of which share their host.  Each fit
makes the *relative* errors small, and weighs rows that lie far off by one over the root of how
far.
"""

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from mlsysim.catalog.builtin import Systems
from mlsysim.units import magnitude
from mlsysim.validation.cells import RowCells
from mlsysim.validation.table import MeasuredTable

DEVICES = {
    "NVIDIA A100-SXM4-80GB": "A100_80GB_SXM",
    "A100-80GB": "A100_80GB_SXM",
    "NVIDIA H100 80GB HBM3": "H100_SXM",
    "H100": "H100_SXM",
    "NVIDIA H200": "H200_SXM",
    "NVIDIA B200": "B200_SXM",
    "NVIDIA B300 SXM6 AC": "B300_SXM",
    "NVIDIA GB200": "GB200",
    "NVIDIA GB300": "GB300",
    "NVIDIA L40S": "L40S",
    "NVIDIA RTX PRO 6000 Blackwell Server Edition": "RTX_PRO_6000_Server",
}
"""Devices by the names of the measurements, and by those of the catalogue."""
_PRECISIONS = {"bfloat16": "bf16", "fp16": "bf16", "fp8": "fp8", "nvfp4": "fp4"}
_LEAST_ROWS, _LEAST_MATRIX, _LEAST_MESSAGE = 1024, 4096 * 4096, 2_000_000
_ROUNDS, _CLOSE = 20, 0.02

Points = dict[str, list[tuple[float, float]]]


def kernel_lines(table: MeasuredTable) -> Iterator[str]:
    """Fit every accelerator and precision that a file of kernels has, as lines of TOML."""
    for key, points in _points(table, _product).items():
        device, precision = key.split()
        peak = magnitude(Systems.Accelerators[device].peak(precision), "flop/s")
        overhead, slope = affine_fit(points)
        yield (
            f"[{device}] product_efficiencies.{precision} = {1 / (slope * peak):.3f}, "
            f'product_overheads.{precision} = "{1e6 * overhead:.1f} us"'
        )
    gathers = _points(table, _gather)
    groups: dict[str, list[int]] = {}
    for key in gathers:
        device, members = key.split()
        groups.setdefault(device, []).append(int(members))
    for device, sizes in groups.items():
        linked = Systems.Accelerators[device].scale_up_domain > 1
        points = gathers[f"{device} {max(sizes) if linked else min(sizes)}"]
        bandwidth = magnitude(Systems.Accelerators[device].link_bandwidth, "byte/s")
        _, slope = affine_fit(points)
        yield f"[{device}] link_efficiency = {1 / (slope * bandwidth):.2f}"


def affine_fit(points: list[tuple[float, float]]) -> tuple[float, float]:
    """Fit ``y = a + b x`` with a and b not negative.

    Examples
    --------
    >>> offset, slope = affine_fit([(1.0, 5.0), (2.0, 7.0), (4.0, 11.0)])
    >>> round(offset, 6), round(slope, 6)
    (3.0, 2.0)
    """
    work, time = (np.array(column) for column in zip(*points, strict=True))
    weights = np.ones_like(time)
    offset = slope = 0.0
    for _ in range(_ROUNDS):
        # Dividing by the times makes the errors relative.
        columns = np.stack([weights / time, weights * work / time], axis=1)
        offset, slope = (float(value) for value in np.linalg.lstsq(columns, weights)[0])
        if offset < 0:
            offset = 0.0
            slope = float((columns[:, 1] @ weights) / (columns[:, 1] @ columns[:, 1]))
        far = np.abs((offset + slope * work) / time - 1)
        weights = 1 / np.sqrt(np.maximum(far, _CLOSE))
    return offset, slope


def _points(
    table: MeasuredTable, read: Callable[[Mapping[str, str]], tuple[str, float, float] | None]
) -> Points:
    points: Points = {}
    for row in table.rows:
        found = read(_texts(row))
        if found is not None:
            points.setdefault(found[0], []).append(found[1:])
    return points


def _texts(row: RowCells) -> Mapping[str, str]:
    names = ("device", "kind", "op", "dtype", "m", "n", "k", "n_gpus", "bytes", "latency_ms")
    return {name: row.text(name) for name in names}


def _product(row: Mapping[str, str]) -> tuple[str, float, float] | None:
    """Read a product: its accelerator and precision, its operations, and its time."""
    device, precision = DEVICES.get(row["device"]), _PRECISIONS.get(row["dtype"])
    if row["kind"] != "gemm" or device is None or precision is None or not row["m"]:
        return None
    m, n, k = (float(row[name]) for name in ("m", "n", "k"))
    if m < _LEAST_ROWS or n * k < _LEAST_MATRIX:
        return None
    return f"{device} {precision}", 2 * m * n * k, 1e-3 * float(row["latency_ms"])


def _gather(row: Mapping[str, str]) -> tuple[str, float, float] | None:
    """Read a gather or scatter: accelerator and members, the bytes that one moves, and its time."""
    device = DEVICES.get(row["device"])
    if row["op"] not in ("all_gather", "reduce_scatter") or device is None:
        return None
    members, size = float(row["n_gpus"]), float(row["bytes"])
    if size < _LEAST_MESSAGE:
        return None
    moved = (members - 1) / members * size
    return f"{device} {row['n_gpus']}", moved, 1e-3 * float(row["latency_ms"])
