"""The measured runs that come with the package; README.md describes the columns."""

import functools
from importlib import resources

from mlsysim.validation import serving_row
from mlsysim.validation.serving_row import ServingRow
from mlsysim.validation.table import read_table
from mlsysim.validation.training_row import TrainingRow, read_training

TRAINING = "training_measured.csv"
SERVING = "serving_measured.csv"


def path_of(name: str) -> str:
    """Give the path of one of the files."""
    with resources.as_file(resources.files(__name__) / name) as path:
        return str(path)


@functools.cache
def training_rows() -> tuple[TrainingRow, ...]:
    """Read the training runs that come with the package."""
    return read_training(path_of(TRAINING))


@functools.cache
def serving_rows() -> tuple[ServingRow, ...]:
    """Read the serving runs that come with the package."""
    return serving_row.serving_rows(read_table(path_of(SERVING)))
