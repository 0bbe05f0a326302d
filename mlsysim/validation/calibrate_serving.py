"""Refit the constants of the serving models: ``python -m mlsysim.validation.calibrate_serving``.

It prints those of the catalogue's data files of serving calibrations and of runtimes.  What an
accelerator achieves comes from its kernels alone and is in its own record (`calibrate_kernels`,
`calibrate_small_kernels`).  A few constants per runtime, and some for all, are fitted to the
end-to-end rows, never to a single row: by a search along one constant at a time, with the mean
absolute logarithm of predicted over measured as the loss.  A source counts with the root of its
number of rows; an error beyond half is no worse than half, so that what the models lack does not
bend the constants.
"""

import copy
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from mlsysim.catalog.calibration import ServingCalibration
from mlsysim.catalog.record import Record
from mlsysim.catalog.runtime import Runtime
from mlsysim.validation.measured import SERVING, path_of
from mlsysim.validation.serving_prediction import EngineConstants, predict_serving
from mlsysim.validation.serving_row import ServingRow, serving_rows
from mlsysim.validation.table import read_table

# Sources that came after the constants were fitted, and judge them.
CAME_LATER = frozenset(
    {
        "dli_trtllm09_h100nvl",
        "dli_trtllm09_l40",
        "dli_trtllm09_sxm",
        "intel_gaudi3",
        "nim_h100",
        "rocm_vllm",
    }
)
# Ranges in which constants are looked for: of all runtimes, and of each.
COMMON: Mapping[str, tuple[float, float]] = {
    "attention_efficiency": (0.3, 0.75),
    "activation_passes": (1.0, 4.0),
    "collective_factor": (0.3, 1.0),
    "mixed_efficiency": (0.4, 1.0),
    "stage_waiting": (0.0, 0.2),
    "imbalance": (1.0, 3.0),
}
EACH: Mapping[str, tuple[float, float]] = {
    "layer_time": (5e-6, 1e-4),
    "expert_time": (0.0, 8e-5),
    "expert_efficiency": (0.2, 1.0),
    "grouped_efficiency": (0.4, 1.0),
    "sequence_time": (0.0, 8e-5),
}
STEP_TIME = 0.65e-3
"""Time of a pass outside its kernels (s); the sources cannot tell it from that of the layers."""
START = Runtime(
    name="Start",
    step_time=STEP_TIME,
    layer_time=3.8e-5,
    expert_time=3.5e-5,
    expert_efficiency=0.5,
    grouped_efficiency=1.0,
    sequence_time=1e-5,
)
# What logs of vLLM show beyond what its tensors take: at most 0.43 GiB on one accelerator
# (vllm-project/vllm issues 10517 and 13061, pull request 12126), at most 2.15 GiB on each of
# eight A100: 0.573 GiB more with every doubling.  SGLang's are taken for the same.  AIConfigurator
# gives TensorRT-LLM 392 MiB of NCCL buffers on eight.
_VLLM_BUFFERS = 6.15e8
_TENSORRT_BUFFERS = 1.37e8
RUNTIMES: Mapping[str, float] = {
    "vllm": _VLLM_BUFFERS,
    "sglang": _VLLM_BUFFERS,
    "tensorrt_llm": _TENSORRT_BUFFERS,
    "tensorrt_llm_0": _TENSORRT_BUFFERS,
}
"""The runtimes, and what their buffers of communication take with every doubling (byte)."""
_LARGEST_ERROR = 0.4
_POINTS = 11
# Sparse attention with an indexer is not modelled.
_LEFT_OUT = ("GLM_5",)


def calibrated(rows: Sequence[ServingRow], *, rounds: int = 3) -> EngineConstants:
    """Fit the constants of runtimes to end-to-end rows.

    Parameters
    ----------
    rows
        The rows.
    rounds
        How often every constant is tried, each time in a third of the range.
    """
    used = [row for row in rows if not any(name in row.model for name in _LEFT_OUT)]
    found = EngineConstants(
        serving=ServingCalibration(
            attention_efficiency=0.6,
            activation_passes=2.0,
            collective_factor=1.0,
            imbalance=1.0,
            mixed_efficiency=0.8,
            stage_waiting=0.07,
        ),
        runtimes={
            name: START.replace(name=name, group_memory=buffers)
            for name, buffers in RUNTIMES.items()
        },
    )
    best = float(np.min(loss_of(used, found)))
    for turn in range(rounds):
        for place in (*COMMON, *((name, knob) for name in RUNTIMES for knob in EACH)):
            values = _tries(place, found, 3**turn)
            losses = loss_of(used, _with(found, place, values))
            at = int(np.argmin(losses))
            if float(losses[at]) < best:
                best, found = float(losses[at]), _with(found, place, float(values[at]))
    return found


def loss_of(rows: Sequence[ServingRow], constants: EngineConstants) -> np.ndarray:
    """Measure how far predictions lie off, for each entry of a constant that is an array."""
    by_source: dict[str, list[np.ndarray]] = defaultdict(list)
    for row in rows:
        predicted = predict_serving(row, constants).value
        if predicted is None:
            continue
        off = np.abs(np.log(np.asarray(predicted, float) / (row.value or 1.0)))
        by_source[row.group].append(np.minimum(off, _LARGEST_ERROR))
    weights = {source: len(errors) ** 0.5 for source, errors in by_source.items()}
    means = {source: sum(errors) / len(errors) for source, errors in by_source.items()}
    total = sum(weights[source] * np.atleast_1d(mean) for source, mean in means.items())
    return np.asarray(total / sum(weights.values()))


def _tries(place: Any, constants: EngineConstants, division: int) -> np.ndarray:
    """Spread values over a part of the range around what is known."""
    if isinstance(place, str):
        (low, high), known = COMMON[place], getattr(constants.serving, place)
    else:
        (low, high), known = EACH[place[1]], getattr(constants.runtimes[place[0]], place[1])
    half = (high - low) / division / (1 if division == 1 else 2)
    spread = np.linspace(max(low, known - half), min(high, known + half), _POINTS)
    return np.append(spread, known)


def _with(constants: EngineConstants, place: Any, value: Any) -> EngineConstants:
    """Put other values in a place: a number, or an array of candidates."""
    if isinstance(place, str):
        changed = _changed(constants.serving, place, value)
        return EngineConstants(serving=changed, runtimes=constants.runtimes)
    name, knob = place
    runtimes = {**constants.runtimes, name: _changed(constants.runtimes[name], knob, value)}
    return EngineConstants(serving=constants.serving, runtimes=runtimes)


def _changed(record: Record, figure: str, value: Any) -> Any:
    """Copy a record with another value, unchecked: an array is no figure of a catalogue."""
    changed = copy.copy(record)
    vars(changed)[figure] = value
    return changed


def constants_lines(constants: EngineConstants) -> Iterator[str]:
    """Give constants as the lines of the catalogue's data files."""
    yield "# mlsysim/catalog/data/serving_calibrations.toml"
    yield from (f"{name} = {getattr(constants.serving, name):.3g}" for name in COMMON)
    yield "\n# mlsysim/catalog/data/runtimes.toml"
    for name, runtime in constants.runtimes.items():
        yield f"[{name}]"
        yield from (f"{knob} = {getattr(runtime, knob):.3g}" for knob in EACH)


def fitted_serving_rows() -> list[ServingRow]:
    """Give the rows of the package to which its constants are fitted: all but `CAME_LATER`."""
    rows = serving_rows(read_table(path_of(SERVING)))
    return [row for row in rows if row.group not in CAME_LATER]


def main() -> None:
    """Fit, and print the lines."""
    rows = fitted_serving_rows()
    for line in constants_lines(calibrated(rows)):
        sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    main()
