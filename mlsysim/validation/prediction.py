"""What the training model predicts for a measured row, in the row's own unit.

For anything that varies the model, such as a fit of its constants, convert the
rows once and evaluate each configuration as often as it takes::

    configurations = [found for row in rows if isinstance(found := convert(row), Configuration)]
    prediction = predict_configuration(configurations[0], DistributedModel(calibration=mine))
"""

import copy
import functools
import inspect
import math
from dataclasses import dataclass
from typing import Any, assert_never

from mlsysim.core.solver import DistributedModel
from mlsysim.errors import Infeasible, MissingFigureError, ParameterError
from mlsysim.stages.calibration import calibration_of
from mlsysim.units import magnitude
from mlsysim.validation.accelerators import accelerator_of
from mlsysim.validation.conventions import counted_flops, counted_hardware_flops
from mlsysim.validation.conversion import Configuration, Skipped, convert
from mlsysim.validation.training_row import TrainingRow
from mlsysim.validation.vocabulary import MemoryAccounting, MemoryUnit, Timed, Unit

# MLPerf's GPT-3 evaluates 5.8 thousand sequences after every 24.6 thousand: forward passes alone,
# a third of the cost or less.  The TPU entries log blocks with both.
_EVALUATION_SHARE = 0.07
_HOUR = 3600.0
TIMES = frozenset(
    {Unit.SECONDS, Unit.MILLISECONDS, Unit.HOURS_PER_TERATOKEN, Unit.KILOHOURS_PER_TERATOKEN}
)
"""Units of which less is better."""


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """One row, measured and predicted.

    Parameters
    ----------
    row
        The row.
    predicted
        The value predicted, in the row's own unit; None for a row that was skipped.
    step_time
        The step time predicted (s).
    memory_predicted
        The memory of the fullest accelerator predicted, in the unit of the row's source.
    skipped
        Why there is no prediction, or None.
    notes
        What had to be supposed.
    """

    row: TrainingRow
    predicted: float | None = None
    step_time: float | None = None
    memory_predicted: float | None = None
    skipped: str | None = None
    notes: tuple[str, ...] = ()

    @property
    def error(self) -> float | None:
        """How far the prediction lies above the measurement, as a fraction of it."""
        if self.predicted is None or not self.row.value:
            return None
        return self.predicted / self.row.value - 1

    @property
    def memory_error(self) -> float | None:
        """The same for the memory."""
        if self.memory_predicted is None or not self.row.mem_gb:
            return None
        return self.memory_predicted / self.row.mem_gb - 1


def predict(row: TrainingRow, stage: DistributedModel | None = None) -> Prediction:
    """Predict a measured row.

    Parameters
    ----------
    row
        The row.
    stage
        The model; the one with the package's constants unless given.

    Examples
    --------
    >>> from mlsysim.validation.measured import training_rows
    >>> prediction = predict(training_rows()[0])
    >>> prediction.row.unit, prediction.skipped
    (<Unit.TERAFLOPS: 'TFLOP/s/GPU'>, None)
    """
    configuration = convert(row)
    if isinstance(configuration, Skipped):
        return Prediction(row=row, skipped=configuration.reason)
    return predict_configuration(configuration, stage)


def predict_configuration(
    configuration: Configuration, stage: DistributedModel | None = None
) -> Prediction:
    """Predict a measured row that is in the models' terms already.

    A design that does not fit in memory has a time all the same: the source
    that ran it had some means that its row does not tell.
    """
    model = stage or DistributedModel()
    try:
        result = _solved(configuration, model)
    except (Infeasible, MissingFigureError, ParameterError) as error:
        return Prediction(row=configuration.row, skipped=str(error), notes=configuration.notes)
    time = _measured_time(configuration, result)
    return Prediction(
        row=configuration.row,
        predicted=in_own_unit(configuration, time),
        step_time=time,
        memory_predicted=_memory(configuration, model, result),
        notes=configuration.notes,
    )


def predicted_time(configuration: Configuration, stage: DistributedModel) -> Any:
    """Predict what the source timed (s); an array where the constants of the model are arrays."""
    return _measured_time(configuration, _solved(configuration, stage))


def measured_time(configuration: Configuration) -> float:
    """Give the time that a row's value says its source measured (s)."""
    value = configuration.row.value or math.nan
    each = in_own_unit(configuration, 1.0)
    return value / each if configuration.unit in TIMES else each / value


def shares_of_time(
    configuration: Configuration, stage: DistributedModel | None = None
) -> dict[str, float]:
    """Say what the predicted step consists of, as shares of it."""
    parts = _solved(configuration, stage or DistributedModel()).time_breakdown()
    times = {name: magnitude(part, "s") for name, part in parts.items()}
    total = sum(times.values())
    return {name: time / total for name, time in times.items()}


def _solved(configuration: Configuration, model: DistributedModel) -> Any:
    known = _accepted(type(model))
    arguments = {name: value for name, value in configuration.arguments.items() if name in known}
    return model.solve(model=configuration.model, fleet=configuration.cluster, **arguments)


def in_own_unit(configuration: Configuration, time: float) -> float:
    """Express a step time (s) in the unit, and by the conventions, of the row.

    Tokens and operations per second are those of the whole batch over all
    accelerators of the row.
    """
    accelerators = configuration.cluster.accelerators
    tokens = configuration.tokens_per_step / time
    match configuration.unit:
        case Unit.SECONDS | Unit.MILLISECONDS:
            return time * (1e3 if configuration.unit is Unit.MILLISECONDS else 1)
        case Unit.TOKENS | Unit.TOKENS_PER_ACCELERATOR:
            return tokens / (1 if configuration.unit is Unit.TOKENS else accelerators)
        case Unit.SAMPLES | Unit.SAMPLES_PER_ACCELERATOR:
            samples = configuration.arguments["batch_size"] / time
            return samples / (1 if configuration.unit is Unit.SAMPLES else accelerators)
        case Unit.HOURS_PER_TERATOKEN | Unit.KILOHOURS_PER_TERATOKEN:
            hours = 1e12 * accelerators / tokens / _HOUR
            return hours / (1 if configuration.unit is Unit.HOURS_PER_TERATOKEN else 1e3)
        case Unit.TERAFLOPS | Unit.PETAFLOPS | Unit.PER_CENT_MODEL | Unit.PER_CENT_HARDWARE:
            return _operations(configuration, tokens)
    assert_never(configuration.unit)


def _operations(configuration: Configuration, tokens: float) -> float:
    """Express tokens per second as operations, by the conventions of the row's source."""
    arguments = configuration.arguments
    hardware = configuration.unit is Unit.PER_CENT_HARDWARE
    count = counted_hardware_flops if hardware else counted_flops
    rate = tokens * count(
        configuration.convention,
        configuration.model,
        arguments["seq_len"],
        arguments["recompute"],
    )
    if configuration.unit is Unit.PETAFLOPS:
        return rate / 1e15
    each = rate / configuration.cluster.accelerators
    if configuration.unit is Unit.TERAFLOPS:
        return each / 1e12
    return 100 * each / _peak(configuration)


def _peak(configuration: Configuration) -> float:
    """Give the peak that sources divide by: the data sheet's, whatever the power limit."""
    named = accelerator_of(configuration.row.accelerator)
    accelerator = named or configuration.cluster.accelerator
    return magnitude(accelerator.peak(configuration.arguments["precision"]), "flop/s")


def _measured_time(configuration: Configuration, result: Any) -> float:
    """Give the time that the source took, in s: of a step unless the metric says otherwise."""
    if configuration.metric is Timed.LAYER:
        return magnitude(result.step_latency_compute + result.step_latency_tensor, "s")
    time = magnitude(result.step_latency_total, "s")
    evaluated = configuration.metric is Timed.STEP_WITH_EVALUATION
    return time * (1 + _EVALUATION_SHARE) if evaluated else time


def _memory(configuration: Configuration, model: DistributedModel, result: Any) -> float:
    """Give what the source would have printed, in its gigabytes."""
    figures = accounted(configuration.row)
    if figures:
        calibration = model.calibration or calibration_of(configuration.cluster.accelerator)
        printed = copy.copy(model)
        printed.calibration = calibration.replace(**figures)
        result = _solved(configuration, printed)
    return magnitude(
        result.memory_per_accelerator, str(configuration.row.mem_unit or MemoryUnit.GB)
    )


def accounted(row: TrainingRow) -> dict[str, float]:
    """Give the figures of a `Calibration` that differ for what the source printed.

    PyTorch's peak of what is reserved leaves out driver and communication buffers, that of what is
    allocated the gaps as well.
    """
    figures: dict[str, float] = {}
    if row.mem_accounting in {MemoryAccounting.RESERVED, MemoryAccounting.ALLOCATED}:
        figures["runtime_reserve"] = 0.0
    if row.mem_accounting is MemoryAccounting.ALLOCATED:
        figures["fragmentation"] = 1.0
    if row.logit_bytes is not None:
        figures["logit_bytes"] = row.logit_bytes
    return figures


@functools.cache
def _accepted(kind: type[DistributedModel]) -> frozenset[str]:
    return frozenset(inspect.signature(kind.solve).parameters)
