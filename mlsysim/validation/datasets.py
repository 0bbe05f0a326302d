"""The kinds of measured rows, told apart by the columns of their file."""

import enum
from pathlib import Path
from typing import assert_never

from mlsysim.core.solver import DistributedModel
from mlsysim.validation import serving_row, training_row
from mlsysim.validation.outcome import Outcome
from mlsysim.validation.rows import columns_of
from mlsysim.validation.serving import serving_outcomes
from mlsysim.validation.table import MeasuredTable, read_table
from mlsysim.validation.training import training_outcomes


class DatasetKind(enum.StrEnum):
    """What a file of measurements is about."""

    TRAINING = "training"
    SERVING = "serving"


# Lengths of prompts and answers: no training run has them.
_SERVING_COLUMNS = ("isl", "osl")


def kind_of(table: MeasuredTable) -> DatasetKind:
    """Tell what a file is about."""
    if all(column in table.columns for column in _SERVING_COLUMNS):
        return DatasetKind.SERVING
    return DatasetKind.TRAINING


def unread_columns(table: MeasuredTable) -> tuple[str, ...]:
    """Phrase which columns of a file are not read, with the nearest ones that are."""
    match kind_of(table):
        case DatasetKind.TRAINING:
            columns = columns_of(training_row.TrainingRow)
            return table.unknown({*columns, *training_row.READERS_COLUMNS})
        case DatasetKind.SERVING:
            columns = columns_of(serving_row.ServingRow)
            return table.unknown({*columns, *serving_row.READERS_COLUMNS})


def outcomes_of_table(
    table: MeasuredTable, stage: DistributedModel | None = None
) -> tuple[Outcome, ...]:
    """Predict every row of a table.

    Parameters
    ----------
    table
        The rows.
    stage
        The training model; the one with the package's constants unless given.

    Raises
    ------
    MeasurementError
        If a column is missing or a cell cannot be used.
    """
    kind = kind_of(table)
    match kind:
        case DatasetKind.TRAINING:
            return training_outcomes(table, stage)
        case DatasetKind.SERVING:
            return serving_outcomes(table)
    assert_never(kind)


def outcomes_of_file(path: str | Path) -> tuple[Outcome, ...]:
    """Predict every row of a file.

    Raises
    ------
    MeasurementError
        If the file or one of its cells cannot be used.
    """
    return outcomes_of_table(read_table(path))
