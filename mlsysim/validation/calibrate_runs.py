"""The end-to-end constants of families of accelerators, fitted to measured training runs.

Three numbers per family, whatever the number of rows: `sustained`, `activation_passes` and
`exposure` of `Calibration` (`mlsysim.validation.estimation` tells how).  A row counts by the
certainty that its source deserves and by how much of its configuration is stated, for what has to
be supposed says little about constants.
"""

import copy
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from mlsysim.catalog.calibration import Calibration
from mlsysim.core.solver import DistributedModel
from mlsysim.stages.calibration import calibration_of
from mlsysim.validation.conversion import Configuration, convert
from mlsysim.validation.estimation import Array, FitTask, Rows
from mlsysim.validation.prediction import measured_time, predict_configuration, predicted_time
from mlsysim.validation.training_row import TrainingRow
from mlsysim.validation.vocabulary import Certainty

CONSTANTS = ("sustained", "activation_passes", "exposure")
# What is supposed of all families before any row; how uncertain that is (standard deviation of the
# logarithm); and how far families lie apart, or an accelerator from its family.
_SUPPOSALS = {"sustained": 0.88, "activation_passes": 2.5, "exposure": 0.3}
_APART = {"sustained": 0.15, "activation_passes": 0.35, "exposure": 0.5}
_SUPPOSED = 2.0
MOST = {"sustained": 1.0, "activation_passes": 9.0, "exposure": 0.9}
"""The most that constants can be."""
_CERTAINTY = {Certainty.HIGH: 1.0, Certainty.MEDIUM: 0.5, Certainty.LOW: 0.25, None: 0.5}
_NUDGE = -0.02

Name = tuple[str, str]
"""A family, or `COMMON`; and one of its constants."""
COMMON = ""
"""What families have in common."""


@dataclass(frozen=True, kw_only=True)
class TrainingTask:
    """Measured runs, and the constants of what they ran on.

    Parameters
    ----------
    rows
        Runs that can be predicted.
    owners
        Whose constants each of them has: a family of accelerators, or an accelerator.
    bases
        Owner -> the calibration that has its other constants.
    groups
        What is to weigh as one: the source of each run, or the run itself.
    is_common
        Whether owners are taken to be alike; else each is taken to be like its base.
    """

    rows: tuple[Configuration, ...]
    owners: tuple[str, ...]
    bases: Mapping[str, Calibration]
    groups: tuple[str, ...]
    is_common: bool

    @classmethod
    def of_families(cls, rows: Iterable[TrainingRow]) -> "TrainingTask":
        """Take the constants of families, which are alike, from the rows of several sources."""
        kept = predictable(rows)
        calibrations = [calibration_of(one.cluster.accelerator) for one in kept]
        return cls(
            rows=kept,
            owners=tuple(one.name for one in calibrations),
            bases={one.name: one for one in calibrations},
            groups=tuple(one.row.group for one in kept),
            is_common=True,
        )

    @classmethod
    def of_accelerators(cls, rows: Iterable[Configuration]) -> "TrainingTask":
        """Take the constants of accelerators, which are like those of their families, from rows.

        Rows of one user's clusters are many measurements, not one source among others.
        """
        kept = tuple(rows)
        accelerators = [one.cluster.accelerator for one in kept]
        return cls(
            rows=kept,
            owners=tuple(one.name for one in accelerators),
            bases={one.name: calibration_of(one) for one in accelerators},
            groups=tuple(str(number) for number in range(len(kept))),
            is_common=False,
        )

    @cached_property
    def names(self) -> tuple[Name, ...]:
        """The constants, those of each owner first."""
        owners = (*sorted(set(self.owners)), *((COMMON,) if self.is_common else ()))
        return tuple((owner, constant) for owner in owners for constant in CONSTANTS)

    def task(self) -> FitTask:
        """State what is to be fitted."""
        start = np.log([self._supposed(owner, constant) for owner, constant in self.names])
        prior = np.zeros((len(self.names), len(self.names)))
        expected = np.zeros(len(self.names))
        for place, (owner, constant) in enumerate(self.names):
            spread = _SUPPOSED if owner == COMMON else _APART[constant]
            prior[place, place] = 1 / spread
            if self.is_common and owner != COMMON:
                prior[place, self.names.index((COMMON, constant))] = -1 / spread
            else:
                expected[place] = start[place] / spread
        return FitTask(
            start=start,
            prior=prior,
            expected=expected,
            groups=self.groups,
            weights=np.array([weight_of(one.row) for one in self.rows]),
            distances=self._distances,
        )

    def values(self, constants: Array) -> dict[Name, float]:
        """Give constants by name, as far as they can be."""
        found = zip(self.names, np.exp(constants).tolist(), strict=True)
        return {name: min(value, MOST[name[1]]) for name, value in found}

    def calibrations(self, constants: Array) -> dict[str, Calibration]:
        """Give the calibrations of owners with some constants."""
        values = self.values(constants)
        return {
            owner: base.replace(**{name: values[owner, name] for name in CONSTANTS})
            for owner, base in self.bases.items()
        }

    def _supposed(self, owner: str, constant: str) -> float:
        if self.is_common:
            return _SUPPOSALS[constant]
        return float(getattr(self.bases[owner], constant))

    def _distances(self, constants: Array, kept: Rows) -> tuple[Array, Array]:
        places = {name: place for place, name in enumerate(self.names)}
        stages = {
            owner: DistributedModel(calibration=_nudged(calibration))
            for owner, calibration in self.calibrations(constants).items()
        }
        distances = np.zeros(len(self.rows))
        derivatives = np.zeros((len(self.rows), len(self.names)))
        for at in np.flatnonzero(kept):
            row, owner = self.rows[at], self.owners[at]
            times = np.asarray(predicted_time(row, stages[owner]))
            logarithms = np.log(times / measured_time(row))
            distances[at] = logarithms[0]
            for number, constant in enumerate(CONSTANTS, start=1):
                slope = (logarithms[number] - logarithms[0]) / _NUDGE
                derivatives[at, places[owner, constant]] = slope
        return distances, derivatives


def predictable(rows: Iterable[TrainingRow]) -> tuple[Configuration, ...]:
    """Put rows in the models' terms, and keep those that can be predicted."""
    found = [one for row in rows if isinstance(one := convert(row), Configuration)]
    return tuple(one for one in found if predict_configuration(one).error is not None)


def _nudged(calibration: Calibration) -> Calibration:
    """Give a calibration with arrays: as it is, and with each constant a little smaller."""
    arrays = copy.copy(calibration)
    for number, constant in enumerate(CONSTANTS, start=1):
        value: Any = np.full(len(CONSTANTS) + 1, getattr(calibration, constant))
        value[number] *= math.exp(_NUDGE)
        vars(arrays)[constant] = value  # unchecked: an array is no figure of a catalogue
    return arrays


def weight_of(row: TrainingRow) -> float:
    """Weigh a row: by its certainty, and halved for each cell of its layout that is empty."""
    stated = (
        row.gbs,
        row.mbs,
        row.tp,
        row.pp,
        row.vpp or row.pp == 1,
        row.seq_parallel is not None or row.tp == 1,
        row.zero_stage is not None,
        row.recompute,
    )
    return float(_CERTAINTY[row.certainty] * 0.5 ** sum(not cell for cell in stated))
