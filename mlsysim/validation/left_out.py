"""Errors of predictions for sources that no constant has seen: each is left out of the fit in turn.

A distance is ``ln(predicted / measured)`` of a time, positive where predictions are too slow: a
run predicted four times too fast counts as much as one predicted four times too slow.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from mlsysim.core.solver import DistributedModel
from mlsysim.errors import MeasurementError
from mlsysim.stages.error_classes import Quantity
from mlsysim.stages.evidence import Evidence, evidence_on
from mlsysim.validation.calibrate_runs import TrainingTask
from mlsysim.validation.calibrate_serving import ServingTask
from mlsysim.validation.datasets import DatasetKind, kind_of
from mlsysim.validation.estimation import Estimate, LeftOut, estimate, left_out
from mlsysim.validation.prediction import predict_configuration
from mlsysim.validation.serving_prediction import EngineConstants, predict_serving
from mlsysim.validation.serving_row import ServingRow, serving_rows
from mlsysim.validation.table import read_table
from mlsysim.validation.training_row import TrainingRow, training_rows
from mlsysim.validation.vocabulary import Latency

_FEWEST_SOURCES = 2


@dataclass(frozen=True, kw_only=True)
class Distance:
    """How far one figure of one row was from its prediction.

    Parameters
    ----------
    id, group, accelerator
        The row, its source, and on what it ran.
    evidence
        Of what kind the prediction is.
    quantity
        What was measured.
    stack
        The software, as far as the row says.
    fitted, left_out
        By constants fitted to all rows, and without those of its source.
    """

    id: str
    group: str
    accelerator: str
    evidence: Evidence
    quantity: Quantity
    stack: str
    fitted: float
    left_out: float


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """Constants fitted to some rows, with their errors.

    Parameters
    ----------
    constants
        A family or an engine (or nothing, for all), and which constant -> its value.
    common
        The section of the catalogue that has what all have in common.
    estimate, left_out
        What was fitted to all rows, and without each source.
    distances
        The figures of the rows.
    """

    constants: Mapping[tuple[str, str], float]
    common: str
    estimate: Estimate
    left_out: LeftOut
    distances: tuple[Distance, ...] = field(repr=False)

    def values(self) -> Iterator[tuple[str, str, float, float]]:
        """Give owner, constant, value and relative standard error of each."""
        for (name, value), error in zip(self.constants.items(), self.left_out.errors, strict=True):
            yield *name, value, float(error)


def training_fit(rows: Iterable[TrainingRow]) -> Fitted:
    """Fit the constants of training to rows, to all of them and without each source in turn."""
    task = TrainingTask.of_families(rows)
    stated = task.task()
    found = estimate(stated)
    without = left_out(stated, found)
    calibrations = task.calibrations(found.constants)
    distances: list[Distance] = []
    for at, (row, owner) in enumerate(zip(task.rows, task.owners, strict=True)):
        shared: dict[str, Any] = {
            "id": row.row.id,
            "group": row.row.group,
            "accelerator": row.cluster.accelerator.name,
            "evidence": evidence_on(DistributedModel.__name__, row.cluster, row.model),
            "stack": str(row.row.stack or ""),
        }
        distances.append(
            Distance(
                quantity=Quantity.STEP,
                fitted=float(found.fitted[at]),
                left_out=float(without.distances[at]),
                **shared,
            )
        )
        stage = DistributedModel(calibration=calibrations[owner])
        error = predict_configuration(row, stage).memory_error
        if error is not None:  # no constant that is fitted changes it
            far = math.log1p(error)
            distances.append(Distance(quantity=Quantity.MEMORY, fitted=far, left_out=far, **shared))
    return Fitted(
        constants=task.values(found.constants),
        common="Generic",
        estimate=found,
        left_out=without,
        distances=tuple(distances),
    )


def serving_fit(rows: Iterable[ServingRow]) -> Fitted:
    """Fit the constants of serving to rows, to all of them and without each source in turn."""
    task = ServingTask.of(rows)
    stated = task.task()
    found = estimate(stated)
    without = left_out(stated, found)
    all_rows = task.constants(found.constants)
    others = {name: task.constants(values) for name, values in without.constants.items()}
    distances: list[Distance] = []
    for at, row in enumerate(task.rows):
        prediction = predict_serving(row)
        if prediction.evidence is None:
            continue
        shared: dict[str, Any] = {
            "id": row.id,
            "group": row.group,
            "accelerator": prediction.evidence.accelerator,
            "evidence": prediction.evidence,
            "stack": str(row.runtime or ""),
        }
        quantity = Quantity.FIRST if row.metric is Latency.FIRST else Quantity.TOKEN
        distances.append(
            Distance(
                quantity=quantity,
                fitted=float(found.fitted[at]),
                left_out=float(without.distances[at]),
                **shared,
            )
        )
        if row.ttft_ms and quantity is not Quantity.FIRST:
            distances.append(
                Distance(
                    quantity=Quantity.FIRST,
                    fitted=_first(row, all_rows),
                    left_out=_first(row, others[row.group]),
                    **shared,
                )
            )
    return Fitted(
        constants=task.values(found.constants),
        common="All_Engines",
        estimate=found,
        left_out=without,
        distances=tuple(distances),
    )


def _first(row: ServingRow, constants: EngineConstants) -> float:
    predicted = float(np.asarray(predict_serving(row, constants).ttft_ms))
    return math.log(predicted / (row.ttft_ms or math.nan))


def left_out_of(path: str | Path) -> Fitted:
    """Fit the constants of a kind of rows to a file, and predict each of its sources without it.

    Raises
    ------
    MeasurementError
        If the file cannot be used, or has rows of one source alone.
    """
    table = read_table(path)
    training = kind_of(table) is DatasetKind.TRAINING
    groups = {row.group for row in (training_rows(table) if training else serving_rows(table))}
    if len(groups) < _FEWEST_SOURCES:
        raise MeasurementError(
            f"{path}: to leave a source out takes two; the column 'group' names the source of a row"
        )
    return training_fit(training_rows(table)) if training else serving_fit(serving_rows(table))
