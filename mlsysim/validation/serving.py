"""Serving rows beside the predictions of the serving models."""

import functools

from mlsysim.validation.accelerators import accelerator_of
from mlsysim.validation.outcome import Outcome
from mlsysim.validation.serving_prediction import predict_serving, shares_of_decode
from mlsysim.validation.serving_row import ServingRow, serving_rows
from mlsysim.validation.table import MeasuredTable


def serving_outcomes(table: MeasuredTable) -> tuple[Outcome, ...]:
    """Predict every row of a table of serving runs.

    Raises
    ------
    MeasurementError
        If a column is missing or a cell cannot be used.
    """
    return tuple(_outcome(row) for row in serving_rows(table))


def _outcome(row: ServingRow) -> Outcome:
    prediction = predict_serving(row)
    accelerator = accelerator_of(row.accelerator)
    return Outcome(
        id=row.id,
        group=row.group,
        accelerator=row.accelerator,
        hardware=accelerator.name if accelerator else row.accelerator,
        unit=row.unit or "",
        measured=row.value,
        predicted=prediction.value,
        skipped=prediction.skipped,
        notes=row.doubts,
        evidence=prediction.evidence,
        parts=functools.partial(shares_of_decode, row),
        more={
            "ttft_ms": row.ttft_ms,
            "tpot_ms": row.tpot_ms,
            "ttft_ms_predicted": prediction.ttft_ms,
            "tpot_ms_predicted": prediction.tpot_ms,
        },
    )
