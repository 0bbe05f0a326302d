"""Refit the constants of the serving models.

``python -m mlsysim.validation.calibrate_serving KERNELS.csv`` writes
``mlsysim/stages/serving/calibration.toml`` to standard output.  The measured kernels are not
part of the package; they are in its repository, in ``tests/measured/kernels_measured.csv``.  What
an accelerator achieves comes from its kernels alone (`calibrate_serving_kernels`).  Then a few
constants per runtime, and some for all, are fitted to the end-to-end rows, never to a single
row: by a search along one constant at a time, with the mean absolute logarithm of predicted
over measured as the loss.  A source counts with the root of its number of rows; an error
beyond half is no worse than half, so that what the models lack does not bend the constants.
"""

import argparse
import dataclasses
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mlsysim.stages.serving.calibration import Achieved, Runtime, ServingCalibration
from mlsysim.validation.calibrate_serving_kernels import kernel_fits
from mlsysim.validation.measured import SERVING, path_of
from mlsysim.validation.serving_prediction import predict_serving
from mlsysim.validation.serving_row import ServingRow, serving_rows
from mlsysim.validation.table import read_table

# Ranges in which constants are looked for: of all runtimes, and of each.
COMMON: Mapping[str, tuple[float, float]] = {
    "core_efficiency": (0.3, 0.75),
    "activation_passes": (1.0, 4.0),
    "collective_factor": (0.3, 1.0),
    "mixed_efficiency": (0.4, 1.0),
    "stage_waiting": (0.0, 0.2),
    "expert_imbalance": (1.0, 3.0),
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
# Alike but for what is in the catalogue.
_ALIKE = {
    "A100_40GB_SXM": "A100_80GB_SXM",
    "GH200_96GB": "H100_SXM",
    "H800_SXM": "H100_SXM",
}


def calibrated(
    rows: Sequence[ServingRow], accelerators: Mapping[str, Achieved], *, rounds: int = 3
) -> ServingCalibration:
    """Fit the constants of runtimes to end-to-end rows.

    Parameters
    ----------
    rows
        The rows.
    accelerators
        What accelerators achieve.
    rounds
        How often every constant is tried, each time in a third of the range.
    """
    used = [row for row in rows if not any(name in row.model for name in _LEFT_OUT)]
    found = ServingCalibration(
        accelerators=accelerators,
        runtimes={
            name: dataclasses.replace(START, group_memory=buffers)
            for name, buffers in RUNTIMES.items()
        },
        core_efficiency=0.6,
        mixed_efficiency=0.8,
        stage_waiting=0.07,
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


def loss_of(rows: Sequence[ServingRow], calibration: ServingCalibration) -> np.ndarray:
    """Measure how far predictions lie off, for each entry of a constant that is an array."""
    by_source: dict[str, list[np.ndarray]] = defaultdict(list)
    for row in rows:
        predicted = predict_serving(row, calibration).value
        if predicted is None:
            continue
        off = np.abs(np.log(np.asarray(predicted, float) / (row.value or 1.0)))
        by_source[row.group].append(np.minimum(off, _LARGEST_ERROR))
    weights = {source: len(errors) ** 0.5 for source, errors in by_source.items()}
    means = {source: sum(errors) / len(errors) for source, errors in by_source.items()}
    total = sum(weights[source] * np.atleast_1d(mean) for source, mean in means.items())
    return np.asarray(total / sum(weights.values()))


def _tries(place: Any, calibration: ServingCalibration, division: int) -> np.ndarray:
    """Spread values over a part of the range around what is known."""
    if isinstance(place, str):
        (low, high), known = COMMON[place], getattr(calibration, place)
    else:
        (low, high), known = EACH[place[1]], getattr(calibration.runtimes[place[0]], place[1])
    half = (high - low) / division / (1 if division == 1 else 2)
    spread = np.linspace(max(low, known - half), min(high, known + half), _POINTS)
    return np.append(spread, known)


def _with(calibration: ServingCalibration, place: Any, value: Any) -> ServingCalibration:
    if isinstance(place, str):
        return dataclasses.replace(calibration, **{place: value})
    name, knob = place
    changed = dataclasses.replace(calibration.runtimes[name], **{knob: value})
    return dataclasses.replace(calibration, runtimes={**calibration.runtimes, name: changed})


def as_toml(calibration: ServingCalibration) -> str:
    """Write constants as the file that `ServingCalibration.built_in` reads."""
    text = [_HEADER, "[common]"]
    text += _lines(calibration, skip=("accelerators", "other", "runtimes"))
    text += ["", "[other]", "# a usual accelerator, where no kernels have been measured"]
    text += _lines(calibration.other, skip=("matmul_efficiencies",))
    for name, runtime in calibration.runtimes.items():
        text += ["", f"[runtimes.{name}]", *_lines(runtime)]
    for name, achieved in calibration.accelerators.items():
        text += ["", f"[accelerators.{name}]"]
        text += _lines(achieved, skip=("matmul_efficiencies", "other_matmul_efficiency"))
        for precision, value in achieved.matmul_efficiencies.items():
            text.append(f"matmul_efficiencies.{precision} = {value:.3g}")
    return "\n".join(text) + "\n"


def _lines(values: Any, skip: tuple[str, ...] = ()) -> list[str]:
    named = ((item.name, getattr(values, item.name)) for item in dataclasses.fields(values))
    return [f"{name} = {float(value):.3g}" for name, value in named if name not in skip]


_HEADER = """\
# Constants of the serving models; python -m mlsysim.validation.calibrate_serving writes this file.
# mlsysim/stages/serving/calibration.py says what each of them means, in s, byte and fractions.
#
# accelerators: kernels of AIConfigurator (github.com/ai-dynamo/aiconfigurator @095f58a51,
#   systems/data: matrix products and NCCL all-reduces), in tests/measured.
# runtimes and common: end-to-end rows of mlsysim/validation/measured (TensorRT-LLM's performance
#   pages of v0.9.0 and v1.0, the InferenceX runs that AIConfigurator collects), except network_*,
#   which are assumed: 3/4 of the bandwidth as in training.
# context_memory, group_memory: the most that logs of vLLM show beyond its tensors, 0.43 GiB on
#   one accelerator and 2.15 GiB on each of eight; TensorRT-LLM has the buffers of AIConfigurator.
# tensorrt_llm_0 is TensorRT-LLM before 1.0, with its C++ runtime.
"""


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the refitted file to standard output."""
    parser = argparse.ArgumentParser(prog="python -m mlsysim.validation.calibrate_serving")
    parser.add_argument("kernels", type=Path)
    kernels = dict(kernel_fits(read_table(parser.parse_args(arguments).kernels).rows))
    kernels |= {name: kernels[like] for name, like in _ALIKE.items()}
    rows = serving_rows(read_table(path_of(SERVING)))
    sys.stdout.write(as_toml(calibrated(rows, kernels)))


if __name__ == "__main__":
    main()
