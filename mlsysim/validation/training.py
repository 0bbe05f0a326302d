"""Training rows beside the predictions of `DistributedModel`.

Two rows are rivals if one source measured one model, at one sequence length and
in one precision, on the same number of the same accelerators, by one release of its software:
what is left for a planner to choose is the layout, the batch and what is recomputed, and the
speed is in tokens per second and accelerator, whatever the batch.
"""

import functools
from collections.abc import Iterable

from mlsysim.core.solver import DistributedModel
from mlsysim.stages.evidence import Evidence, evidence_on
from mlsysim.validation.accelerators import accelerator_of
from mlsysim.validation.conversion import Configuration, Skipped, convert
from mlsysim.validation.outcome import Outcome
from mlsysim.validation.prediction import (
    TIMES,
    Prediction,
    predict_configuration,
    shares_of_time,
)
from mlsysim.validation.table import MeasuredTable
from mlsysim.validation.training_row import TrainingRow, training_rows


def training_outcomes(
    table: MeasuredTable, stage: DistributedModel | None = None
) -> tuple[Outcome, ...]:
    """Predict every row of a table of training runs.

    Raises
    ------
    MeasurementError
        If a column is missing or a cell cannot be used.
    """
    return outcomes_of_rows(training_rows(table), stage)


def outcomes_of_rows(
    rows: Iterable[TrainingRow], stage: DistributedModel | None = None
) -> tuple[Outcome, ...]:
    """Predict training rows.

    Parameters
    ----------
    rows
        The rows.
    stage
        The model; the one with the package's constants unless given.
    """
    return tuple(_outcome(row, stage) for row in rows)


def _outcome(row: TrainingRow, stage: DistributedModel | None) -> Outcome:
    configuration = convert(row)
    if isinstance(configuration, Skipped):
        return _beside(row, Prediction(row=row, skipped=configuration.reason))
    prediction = predict_configuration(configuration, stage)
    if prediction.predicted is None:
        return _beside(row, prediction)
    return _beside(row, prediction, configuration, stage)


def _beside(
    row: TrainingRow,
    prediction: Prediction,
    configuration: Configuration | None = None,
    stage: DistributedModel | None = None,
) -> Outcome:
    accelerator = accelerator_of(row.accelerator)
    speeds = _speeds(prediction, configuration) if configuration else (None, None)
    return Outcome(
        id=row.id,
        group=row.group,
        accelerator=row.accelerator,
        hardware=accelerator.name if accelerator else row.accelerator,
        unit=row.unit or "",
        measured=row.value,
        predicted=prediction.predicted,
        memory_measured=row.mem_gb,
        memory_predicted=prediction.memory_predicted,
        skipped=prediction.skipped,
        notes=prediction.notes,
        evidence=_evidence(configuration) if configuration else None,
        rivals=_rivals(configuration) if configuration else None,
        design=_design(configuration) if configuration else None,
        speed_measured=speeds[0],
        speed_predicted=speeds[1],
        parts=(
            None
            if configuration is None
            else functools.partial(shares_of_time, configuration, stage)
        ),
    )


def _evidence(configuration: Configuration) -> Evidence:
    return evidence_on(DistributedModel.__name__, configuration.cluster, configuration.model)


def _rivals(configuration: Configuration) -> tuple[object, ...]:
    row, arguments = configuration.row, configuration.arguments
    return (
        row.group,
        row.accelerator,
        configuration.cluster.accelerators,
        row.model,
        configuration.model,
        arguments["seq_len"],
        row.precision,
        row.metric,
        row.release or row.printed_release,
    )


def _design(configuration: Configuration) -> tuple[object, ...]:
    return (configuration.model, configuration.cluster, *sorted(configuration.arguments.items()))


def _speeds(
    prediction: Prediction, configuration: Configuration
) -> tuple[float | None, float | None]:
    """Give the measured and the predicted speed in tokens per second and accelerator."""
    time, measured, predicted = prediction.step_time, prediction.row.value, prediction.predicted
    if not (time and measured and predicted):
        return None, None
    speed = configuration.tokens_per_step / time / configuration.cluster.accelerators
    ratio = measured / predicted
    return (speed / ratio if configuration.unit in TIMES else speed * ratio), speed
