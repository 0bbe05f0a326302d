"""The constants of engines of serving, fitted to measured serving runs.

What an accelerator achieves comes from its kernels alone and is in its own record
(`calibrate_kernels`, `calibrate_small_kernels`).  A few constants per runtime, and some for all,
are fitted to the end-to-end rows, as `mlsysim.validation.estimation` tells.
"""

import copy
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from mlsysim.catalog.builtin import Systems
from mlsysim.stages.calibration import GENERIC
from mlsysim.validation.estimation import Array, FitTask, Rows
from mlsysim.validation.serving_prediction import EngineConstants, predict_serving
from mlsysim.validation.serving_row import ServingRow
from mlsysim.validation.vocabulary import MeasuredRuntime, ServingUnit

COMMON: Mapping[str, tuple[float, float, float]] = {
    "attention_efficiency": (0.5, 0.2, 0.9),
    "activation_passes": (1.5, 0.3, 5.0),
    "collective_factor": (0.7, 0.3, 2.0),
    "mixed_efficiency": (0.75, 0.2, 1.0),
    "stage_waiting": (0.07, 0.5, 0.3),
    "imbalance": (1.5, 0.3, 4.0),
}
"""Constants of all runtimes: what is supposed before any row, how uncertain the logarithm is, and
the most that they can be."""
EACH: Mapping[str, tuple[float, float, float]] = {
    "layer_time": (4e-5, 0.15, 2e-4),
    "expert_time": (3e-5, 0.5, 2e-4),
    "expert_efficiency": (0.5, 0.3, 1.0),
    "grouped_efficiency": (0.8, 0.2, 1.0),
    "sequence_time": (1e-5, 0.7, 1e-4),
}
"""The same for each runtime.  Layers of all engines call much the same kernels from one graph:
how far engines are apart in `layer_time` is what makes sources that are left out come out best."""
FAMILIES: Mapping[str, tuple[float, float, float]] = {
    "matmul_efficiency": (0.7, 0.2, 0.95),
    "memory_efficiency": (0.75, 0.15, 0.95),
    "link_efficiency": (0.36, 0.3, 0.95),
    "short_link_factor": (0.36 / 0.7, 0.3, 1.0),
    "collective_overhead": (2e-5, 0.3, 1e-4),
}
"""The same for families of accelerators whose kernels nobody has measured.  Links reach what RCCL's
all-reduces of 8 MB do on eight MI300X: 161 of 448 GB/s (crickett-hpe/hpc-ai-envs#30)."""
WITHOUT_KERNELS: Mapping[str, tuple[str, ...]] = {
    "CDNA": ("matmul_efficiency", "short_link_factor", "collective_overhead"),
    "Gaudi": ("matmul_efficiency", "memory_efficiency", "link_efficiency", "collective_overhead"),
}
"""Families, and which of these constants nobody states; AMD states what large messages reach."""
_NUDGE = -0.02
_TIMES = (ServingUnit.MILLISECONDS, ServingUnit.SECONDS)
ALL = ""
"""The owner of what all runtimes have in common."""


@dataclass(frozen=True, kw_only=True)
class ServingTask:
    """Measured runs, and the constants of their engines.

    Parameters
    ----------
    rows
        Runs that can be predicted.
    """

    rows: tuple[ServingRow, ...]

    @classmethod
    def of(cls, rows: Iterable[ServingRow]) -> "ServingTask":
        """Take the rows that can be predicted."""
        return cls(rows=tuple(row for row in rows if predict_serving(row).value is not None))

    @cached_property
    def names(self) -> tuple[tuple[str, str], ...]:
        """The constants: those of all runtimes, then those of each."""
        common = [(ALL, name) for name in COMMON]
        each = [(str(runtime), name) for runtime in MeasuredRuntime for name in EACH]
        families = [(name, one) for name, known in WITHOUT_KERNELS.items() for one in known]
        return (*common, *each, *families)

    def task(self) -> FitTask:
        """State what is to be fitted."""
        known = [_known(*name) for name in self.names]
        spreads = np.array([spread for _, spread, _ in known])
        start = np.log([value for value, _, _ in known])
        return FitTask(
            start=start,
            prior=np.diag(1 / spreads),
            expected=start / spreads,
            groups=[row.group for row in self.rows],
            weights=np.ones(len(self.rows)),
            distances=self._distances,
        )

    def values(self, logarithms: Array) -> dict[tuple[str, str], float]:
        """Give constants by name, as far as they can be."""
        found = zip(self.names, np.exp(logarithms).tolist(), strict=True)
        return {name: min(value, _known(*name)[2]) for name, value in found}

    def constants(self, logarithms: Array) -> EngineConstants:
        """Give constants as the models take them."""
        return self._as_records(self.values(logarithms))

    def _as_records(self, values: Mapping[tuple[str, str], Any]) -> EngineConstants:
        serving = Systems.Calibrations[GENERIC].serving
        return EngineConstants(
            serving=_changed(
                serving, {name: _at_most(values[ALL, name], COMMON[name]) for name in COMMON}
            ),
            runtimes={
                str(runtime): _changed(
                    Systems.Runtimes[str(runtime)],
                    {name: _at_most(values[str(runtime), name], EACH[name]) for name in EACH},
                )
                for runtime in MeasuredRuntime
            },
            families={
                family: {name: _at_most(values[family, name], FAMILIES[name]) for name in known}
                for family, known in WITHOUT_KERNELS.items()
            },
        )

    def _distances(self, constants: Array, kept: Rows) -> tuple[Array, Array]:
        # Entry 0 has the constants, and entry n the n-th one a little smaller.
        values: dict[tuple[str, str], Any] = {}
        for number, (name, logarithm) in enumerate(zip(self.names, constants, strict=True), 1):
            array = np.full(len(self.names) + 1, logarithm)
            array[number] += _NUDGE
            values[name] = np.exp(array)
        records = self._as_records(values)
        distances = np.zeros(len(self.rows))
        derivatives = np.zeros((len(self.rows), len(self.names)))
        for at in np.flatnonzero(kept):
            row = self.rows[at]
            logarithms = sign_of(row) * np.log(
                np.broadcast_to(predict_serving(row, records).value, (len(self.names) + 1,))
                / (row.value or math.nan)
            )
            distances[at] = logarithms[0]
            derivatives[at] = (logarithms[1:] - logarithms[0]) / _NUDGE
        return distances, derivatives


def _known(owner: str, name: str) -> tuple[float, float, float]:
    """Give what is known of a constant before any row."""
    if owner == ALL:
        return COMMON[name]
    return (FAMILIES if owner in WITHOUT_KERNELS else EACH)[name]


def sign_of(row: ServingRow) -> int:
    """Give 1 for a row that measured a time, and -1 for a rate."""
    return 1 if row.unit in _TIMES else -1


def _at_most(value: Any, known: tuple[float, float, float]) -> Any:
    return np.minimum(value, known[2])


def _changed(record: Any, values: Mapping[str, Any]) -> Any:
    """Copy a record with other values, unchecked: an array is no figure of a catalogue."""
    changed = copy.copy(record)
    vars(changed).update(values)
    return changed
