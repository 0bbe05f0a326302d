"""What it is worth to name the framework of a measured run."""

import math
import statistics
from dataclasses import replace

from mlsysim.physics.state import ZeroStage
from mlsysim.validation.conversion import Configuration, convert
from mlsysim.validation.measured import training_rows
from mlsysim.validation.prediction import predict_configuration


def test_messages_explain_why_zero_3_was_slow_on_many_accelerators() -> None:
    """DeepSpeed's tensors, sent one by one, bring the rows of Narayanan et al. closer."""
    rows = [
        found
        for row in training_rows()
        if row.group == "narayanan21_t2" and row.zero_stage is ZeroStage.WEIGHTS
        if isinstance(found := convert(row), Configuration)
    ]
    assert len(rows) >= 3
    errors = {stack: [_off(row, stack) for row in rows] for stack in (None, "deepspeed")}
    assert statistics.fmean(errors["deepspeed"]) < 0.7 * statistics.fmean(errors[None])


def _off(row: Configuration, stack: str | None) -> float:
    error = predict_configuration(replace(row, arguments={**row.arguments, "stack": stack})).error
    assert error is not None
    return abs(math.log1p(error))
