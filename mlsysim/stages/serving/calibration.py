"""What accelerators and runtimes achieve in serving: constants with their sources, kept as data.

They are fitted by `mlsysim.validation.calibrate_serving`: what an accelerator
achieves, to times of single kernels; what a runtime adds, to published
end-to-end measurements, one small set for all models and layouts.
"""

import functools
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

_FILE = "calibration.toml"


@dataclass(frozen=True, kw_only=True)
class Achieved:
    """What one accelerator achieves in single kernels.

    Parameters
    ----------
    matmul_efficiencies
        Fraction of the dense peak that large matrix products reach, by precision.
    other_matmul_efficiency
        The same in precisions that have not been measured.
    memory_efficiency
        Fraction of the memory bandwidth with which weights are read.
    link_efficiency
        Fraction of the link bandwidth that large all-reduces reach.
    collective_start, collective_step
        Latency of an all-reduce among g members: ``start + 2 (g - 1) step`` (s).
    context_memory
        Memory that driver and libraries take of an accelerator that works alone (byte).
    """

    matmul_efficiencies: Mapping[str, float] = field(default_factory=dict)
    other_matmul_efficiency: float = 0.65
    memory_efficiency: float = 0.8
    link_efficiency: float = 0.75
    collective_start: float = 5e-6
    collective_step: float = 1e-6
    context_memory: float = 4.62e8

    def matmul_efficiency(self, precision: str) -> float:
        """Give the achieved fraction of the peak in a precision."""
        alike = {"fp16": "bf16", "int8": "fp8"}.get(precision, precision)
        return self.matmul_efficiencies.get(alike, self.other_matmul_efficiency)


@dataclass(frozen=True, kw_only=True)
class Runtime:
    """What a serving engine adds to the kernels.

    Parameters
    ----------
    step_time
        Time of a pass that is neither arithmetic nor traffic: scheduling,
        sampling, handing tokens out (s).
    layer_time
        The same per layer: gaps between kernels, and what small kernels take (s).
    expert_time
        What a layer with experts takes more: routing and permutation (s).
    sequence_time
        What a decode pass takes more for each sequence of its batch: sampling, text, transport (s).
    expert_efficiency
        Rate of products with experts over that of products with one matrix.
    grouped_efficiency
        Bandwidth at which decode reads keys and values that query heads share, over that of
        weights.
    group_memory
        Memory that buffers of communication take, each time that a group is twice as wide (byte).
    """

    step_time: float
    layer_time: float
    expert_time: float
    sequence_time: float = 0.0
    expert_efficiency: float = 1.0
    grouped_efficiency: float = 1.0
    group_memory: float = 6.15e8


@dataclass(frozen=True, kw_only=True)
class ServingCalibration:
    """Constants of the serving model.

    Parameters
    ----------
    accelerators
        What each accelerator achieves, by its name in the catalogue; others get `other`.
    other
        What an accelerator is taken to achieve that has not been measured.
    runtimes
        What each runtime adds, by name.
    core_efficiency
        Fraction of the 16-bit peak that fused attention reaches in a prefill.
    activation_passes
        How often element-wise kernels move the stream of activations.
    collective_factor
        Latency of a runtime's own all-reduce over that of the measured library.
    network_efficiency, network_latency
        Achieved fraction of the bandwidth between domains, and the time of a ring step
        where the catalogue has none (s).
    mixed_efficiency
        Rate of products with experts whose weights are kept in fewer bits than they are
        multiplied in, over that of others.
    stage_waiting
        Share of its time that each further pipeline stage makes a stage wait: passes of
        unequal length do not interlock.
    expert_imbalance
        Load of the fullest expert-parallel rank over the mean, apart from the chance of the draw.
    """

    accelerators: Mapping[str, Achieved] = field(default_factory=dict)
    other: Achieved = field(default_factory=Achieved)
    runtimes: Mapping[str, Runtime] = field(default_factory=dict)
    core_efficiency: float = 0.5
    activation_passes: float = 2.0
    collective_factor: float = 1.0
    network_efficiency: float = 0.75
    network_latency: float = 5e-6
    mixed_efficiency: float = 1.0
    stage_waiting: float = 0.0
    expert_imbalance: float = 1.0

    def achieved(self, accelerator: str) -> Achieved:
        """Give what an accelerator achieves."""
        return self.accelerators.get(accelerator, self.other)

    @classmethod
    def built_in(cls) -> "ServingCalibration":
        """Load the constants that ship with mlsysim.

        Examples
        --------
        >>> 0.5 < ServingCalibration.built_in().achieved("H100_SXM").memory_efficiency < 1
        True
        """
        return _built_in()


@functools.cache
def _built_in() -> ServingCalibration:
    text = resources.files("mlsysim.stages.serving").joinpath(_FILE).read_text(encoding="utf-8")
    return calibration_from(tomllib.loads(text))


def calibration_from(data: Mapping[str, Any]) -> ServingCalibration:
    """Make constants from parsed data; what starts with ``source`` is for readers."""
    plain = {
        name: value for name, value in data["common"].items() if isinstance(value, (int, float))
    }
    accelerators = {name: _achieved(item) for name, item in data["accelerators"].items()}
    return ServingCalibration(
        accelerators=accelerators,
        other=_achieved(data["other"]),
        runtimes={name: _runtime(item) for name, item in data["runtimes"].items()},
        **plain,
    )


def _achieved(item: Mapping[str, Any]) -> Achieved:
    return Achieved(**{name: value for name, value in item.items() if name != "source"})


def _runtime(item: Mapping[str, Any]) -> Runtime:
    return Runtime(**{name: value for name, value in item.items() if name != "source"})
