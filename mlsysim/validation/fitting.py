"""Constants that fit a user's own measurements: ``mlsysim validate --fit``.

The end-to-end constants of the package (`mlsysim.validation.calibrate_runs`) are fitted to each
accelerator of a file by itself.  Before any row they are those of its family, give or take what
families lie apart: a few rows move what they determine, and leave the rest.
Kernels give all other constants.
"""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mlsysim.catalog.calibration import Calibration
from mlsysim.core.solver import DistributedModel
from mlsysim.errors import MeasurementError
from mlsysim.validation.calibrate_runs import CONSTANTS, TrainingTask, predictable
from mlsysim.validation.conversion import Configuration
from mlsysim.validation.datasets import DatasetKind, kind_of
from mlsysim.validation.estimation import estimate, uncertainty
from mlsysim.validation.prediction import predict_configuration
from mlsysim.validation.table import read_table
from mlsysim.validation.training_row import training_rows

# Fewer rows would be matched, not fitted.
_FEWEST = 3


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
    errors
        Constant -> its relative standard error.
    """

    accelerator: str
    rows: int
    before: float
    after: float
    calibration: Calibration
    errors: Mapping[str, float]

    @property
    def change(self) -> str:
        """What the fit did, in words."""
        return (
            f"{self.rows} rows, mean absolute error {100 * self.before:.1f} % before,"
            f" {100 * self.after:.1f} % after; "
            + ", ".join(
                f"{name} {getattr(self.calibration, name):.3g} ± {100 * error:.0f} %"
                for name, error in self.errors.items()
            )
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
    for row in predictable(training_rows(table)):
        by_name.setdefault(row.cluster.accelerator.name, []).append(row)
    fits = tuple(
        fit_rows(rows, Path(path).name) for rows in by_name.values() if len(rows) >= _FEWEST
    )
    if not fits:
        raise MeasurementError(
            f"{path}: --fit needs {_FEWEST} rows of one accelerator that can be predicted; add rows"
        )
    return fits


def fit_rows(rows: Sequence[Configuration], file: str) -> Fit:
    """Fit the constants of an accelerator to its rows."""
    task = TrainingTask.of_accelerators(rows)
    stated = task.task()
    found = estimate(stated)
    (name, best), *_ = task.calibrations(found.constants).items()
    errors = zip(CONSTANTS, uncertainty(stated, found).tolist(), strict=True)
    return Fit(
        accelerator=name,
        rows=len(rows),
        before=_mean_error(rows, task.bases[name]),
        after=_mean_error(rows, best),
        calibration=best.replace(
            name=f"{name}_fitted",
            title=f"{name}, fitted",
            source=f"fitted to {len(rows)} rows of {file}",
        ),
        errors=dict(errors),
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
            *(_line(name, value, fit.errors.get(name)) for name, value in constants.items()),
            "",
        ]
    )


def _line(name: str, value: float, error: float | None) -> str:
    if error is None:
        return f"{name} = {value:.6g}"
    return f"{name} = {{ value = {value:.6g}, error = {error:.2g} }}"


def instructions(fits: Sequence[Fit], file: str) -> str:
    """Tell how fitted constants are used."""
    name = fits[0].calibration.name
    return (
        "use it in Python:\n"
        f"    mine = mlsysim.load_catalog({file!r}).calibrations\n"
        f"    DistributedModel(calibration=mine.{name})"
    )
