"""Constants that fit a user's own measurements: ``mlsysim validate --fit``.

The end-to-end constants of the package (`mlsysim.validation.calibrate_runs`)
are fitted to each accelerator of a file by itself, from those of its family
on.  Kernels give all other constants.
"""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mlsysim.catalog.calibration import Calibration
from mlsysim.core.solver import DistributedModel
from mlsysim.errors import MeasurementError
from mlsysim.stages.calibration import calibration_of
from mlsysim.validation.calibrate_runs import CONSTANTS, descend
from mlsysim.validation.conversion import Configuration, convert
from mlsysim.validation.datasets import DatasetKind, kind_of
from mlsysim.validation.prediction import predict_configuration
from mlsysim.validation.table import read_table
from mlsysim.validation.training_row import training_rows

# Fewer rows would be matched, not fitted; fewer than this per constant fit the first alone.
_FEWEST = 3
_PER_CONSTANT = 3


@dataclass(frozen=True, kw_only=True)
class Fit:
    """What was fitted for one accelerator.

    Parameters
    ----------
    accelerator
        Its name in the catalogue.
    rows
        How many rows were used.
    before, after
        Mean absolute error with the package's constants, and with the fitted ones.
    calibration
        The constants.
    """

    accelerator: str
    rows: int
    before: float
    after: float
    calibration: Calibration

    @property
    def change(self) -> str:
        """The two errors in words."""
        return (
            f"{self.rows} rows, mean absolute error {100 * self.before:.1f} % before,"
            f" {100 * self.after:.1f} % after"
        )


def fit_file(path: str | Path) -> tuple[Fit, ...]:
    """Fit the constants of every accelerator of a file that has enough rows.

    Raises
    ------
    MeasurementError
        If the file cannot be used, is not about training, or no accelerator has enough rows.
    """
    table = read_table(path)
    if kind_of(table) is not DatasetKind.TRAINING:
        raise MeasurementError(f"{path}: --fit needs training runs; these are serving runs")
    by_name: dict[str, list[Configuration]] = {}
    for row in training_rows(table):
        found = convert(row)
        if isinstance(found, Configuration) and predict_configuration(found).error is not None:
            by_name.setdefault(found.cluster.accelerator.name, []).append(found)
    fits = tuple(
        _fit(name, rows, Path(path).name) for name, rows in by_name.items() if len(rows) >= _FEWEST
    )
    if not fits:
        raise MeasurementError(
            f"{path}: --fit needs {_FEWEST} rows of one accelerator that can be predicted; add rows"
        )
    return fits


def _fit(name: str, rows: Sequence[Configuration], file: str) -> Fit:
    start = calibration_of(rows[0].cluster.accelerator)
    enough = len(rows) >= _PER_CONSTANT * len(CONSTANTS)
    best, _ = descend(rows, start, CONSTANTS if enough else CONSTANTS[:1])
    return Fit(
        accelerator=name,
        rows=len(rows),
        before=_mean_error(rows, start),
        after=_mean_error(rows, best),
        calibration=best.replace(
            name=f"{name}_fitted",
            title=f"{name}, fitted",
            source=f"fitted to {len(rows)} rows of {file}",
        ),
    )


def _mean_error(rows: Sequence[Configuration], calibration: Calibration) -> float:
    stage = DistributedModel(calibration=calibration)
    found = (predict_configuration(row, stage).error for row in rows)
    return statistics.fmean(abs(error) for error in found if error is not None)


def as_catalogue(fits: Sequence[Fit]) -> str:
    """Write fitted constants as a file for `mlsysim.load_catalog`."""
    return "\n".join(_section(fit) for fit in fits)


def _section(fit: Fit) -> str:
    calibration = fit.calibration
    constants = {
        name: getattr(calibration, name)
        for name, field in calibration.described_fields().items()
        if field.is_figure
    }
    return "\n".join(
        [
            f"# {fit.change}",
            f"[calibrations.{calibration.name}]",
            f'title = "{calibration.title}"',
            f'source = "{calibration.source}"',
            *(f"{name} = {value:.6g}" for name, value in constants.items()),
            "",
        ]
    )


def instructions(fits: Sequence[Fit], file: str) -> str:
    """Tell how fitted constants are used."""
    name = fits[0].calibration.name
    return (
        "use it in Python:\n"
        f"    mine = mlsysim.load_catalog({file!r}).calibrations\n"
        f"    DistributedModel(calibration=mine.{name})"
    )
