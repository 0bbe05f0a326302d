"""The end-to-end constants of a family of accelerators, fitted to measured training runs.

Three numbers per family, whatever the number of rows: `sustained`,
`activation_passes` and `exposure` of `Calibration`.  The fit minimises the mean
absolute logarithm of predicted over measured.  A row counts by the certainty
that its source deserves and by how much of its configuration is stated, for what has to be
supposed says little about constants; a group of n rows counts as much as √n rows, so that no
single source sets them.  Rows that are wrong by more than a factor of two
count as wrong by two: they ran something else than their columns tell.

One group is an anchor: the step times of Korthikanti et al. 2022, table 5, by which analytical
models are judged, have to stay within some percent on the mean and at worst.
"""

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from mlsysim.catalog.builtin import Systems
from mlsysim.catalog.calibration import Calibration
from mlsysim.core.solver import DistributedModel
from mlsysim.stages.calibration import GENERIC, calibration_of
from mlsysim.validation.conversion import Configuration, convert
from mlsysim.validation.prediction import predict_configuration
from mlsysim.validation.training_row import TrainingRow
from mlsysim.validation.vocabulary import Certainty

CONSTANTS = ("sustained", "activation_passes", "exposure")
# Where the search starts, and where it may not go.
_STARTS = {
    "sustained": (0.75, 0.85, 0.95),
    "activation_passes": (1.5, 2.5, 4.0),
    "exposure": (0.2, 0.4),
}
_BOUNDS = {"sustained": (0.3, 1.0), "activation_passes": (0.5, 6.0), "exposure": (0.0, 0.8)}
_STEPS = {"sustained": 0.04, "activation_passes": 0.4, "exposure": 0.1}
_HALVINGS = 5
_WEIGHTS = {Certainty.HIGH: 1.0, Certainty.MEDIUM: 0.5, Certainty.LOW: 0.25, None: 0.5}
# Group -> mean and worst distance beyond which the fit pays for it.
_ANCHORS = {"korthikanti22": (0.025, 0.05)}
_PRICE = 2.0
_FARTHEST = math.log(2.0)
# Sources that came after the constants of the catalogue were fitted: they judge them, and are left
# out wherever the catalogue's constants are fitted anew.
CAME_LATER = frozenset(
    {
        "internevo",
        "maxtext_gpu",
        "mbridge_2604",
        "mbridge_2608",
        "mbridge_ablation",
        "primus",
        "tpu_recipes",
    }
)
# A family with fewer rows keeps the generic constants, and only what it sustains is fitted.
_ENOUGH = 10


@dataclass(frozen=True, kw_only=True)
class FamilyFit:
    """The constants of one family.

    Parameters
    ----------
    name
        The family.
    rows, groups
        What they were fitted to.
    calibration
        The family's calibration with the fitted constants.
    loss
        What the fit minimised.
    """

    name: str
    rows: int
    groups: int
    calibration: Calibration
    loss: float


def fitted_rows(rows: Iterable[TrainingRow]) -> list[TrainingRow]:
    """Give the rows to which the constants of the catalogue are fitted.

    All of the package's rows but those of `CAME_LATER`.
    """
    return [row for row in rows if row.group not in CAME_LATER]


def families_of(rows: Iterable[TrainingRow]) -> Mapping[str, list[Configuration]]:
    """Sort the rows that can be predicted by the family of their accelerator."""
    families: dict[str, list[Configuration]] = {}
    for row in rows:
        found = convert(row)
        if isinstance(found, Configuration) and predict_configuration(found).error is not None:
            name = calibration_of(found.cluster.accelerator).name
            families.setdefault(name, []).append(found)
    return families


def fit_family(name: str, rows: Sequence[Configuration]) -> FamilyFit:
    """Fit the constants of a family from several starts."""
    family = Systems.Calibrations[name]
    if len(rows) < _ENOUGH:
        generic = Systems.Calibrations[GENERIC]
        base = family.replace(**{constant: getattr(generic, constant) for constant in CONSTANTS})
        best = descend(rows, base, CONSTANTS[:1])
    else:
        starts = [
            family.replace(**dict(zip(_STARTS, values, strict=True)))
            for values in itertools.product(*_STARTS.values())
        ]
        starts.sort(key=lambda start: loss_of(rows, start))
        found = [descend(rows, start, CONSTANTS) for start in starts[:2]]
        best = min(found, key=lambda pair: pair[1])
    return FamilyFit(
        name=name,
        rows=len(rows),
        groups=len({row.row.group for row in rows}),
        calibration=best[0],
        loss=best[1],
    )


def refit_without(group: str, fit: FamilyFit, rows: Sequence[Configuration]) -> Calibration:
    """Fit a family's constants again without one group, from where the whole fit ended.

    Without rows that remain, the generic constants have to do.
    """
    others = [row for row in rows if row.row.group != group]
    generic = Systems.Calibrations[GENERIC]
    if not others:
        return fit.calibration.replace(
            **{constant: getattr(generic, constant) for constant in CONSTANTS}
        )
    constants = CONSTANTS if len(others) >= _ENOUGH else CONSTANTS[:1]
    return descend(others, fit.calibration, constants)[0]


def loss_of(rows: Sequence[Configuration], calibration: Calibration) -> float:
    """Weigh how far the predictions for some rows lie off."""
    groups: dict[str, list[tuple[float, float]]] = {}
    for row, distance in zip(rows, distances(rows, calibration), strict=True):
        weight = _weight(row.row)
        groups.setdefault(row.row.group, []).append((min(abs(distance), _FARTHEST), weight))
    total = weights = 0.0
    for members in groups.values():
        weight = sum(weight for _, weight in members)
        mean = sum(distance * weight for distance, weight in members) / weight
        total += math.sqrt(weight) * mean
        weights += math.sqrt(weight)
    return total / weights + sum(
        _excess([distance for distance, _ in groups.get(name, [])], *limits)
        for name, limits in _ANCHORS.items()
    )


def _excess(distances: Sequence[float], mean: float, worst: float) -> float:
    """Price what an anchor lies off beyond its limits."""
    if not distances:
        return 0.0
    beyond = max(sum(distances) / len(distances) - mean, 0.0) + max(max(distances) - worst, 0.0)
    return _PRICE * beyond


def _weight(row: TrainingRow) -> float:
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
    return float(_WEIGHTS[row.certainty] * 0.5 ** sum(not cell for cell in stated))


def distances(rows: Sequence[Configuration], calibration: Calibration) -> list[float]:
    """Give the logarithm of predicted over measured for each row."""
    stage = DistributedModel(calibration=calibration)
    errors = (predict_configuration(row, stage).error for row in rows)
    return [math.log1p(error) for error in errors if error is not None]


def descend(
    rows: Sequence[Configuration], start: Calibration, constants: Iterable[str]
) -> tuple[Calibration, float]:
    """Change one constant at a time, by ever smaller steps, as long as it helps.

    Parameters
    ----------
    rows
        What is to be predicted.
    start
        Where to begin.
    constants
        What may change.

    Returns
    -------
    tuple
        The calibration found, and its loss.
    """
    best, least = start, loss_of(rows, start)
    for halving in range(_HALVINGS):
        moved = True
        while moved:
            moved = False
            for constant, sign in itertools.product(constants, (1, -1)):
                low, high = _BOUNDS[constant]
                value = getattr(best, constant) + sign * _STEPS[constant] / 2**halving
                trial = best.replace(**{constant: min(max(value, low), high)})
                if (found := loss_of(rows, trial)) < least - 1e-9:
                    best, least, moved = trial, found, True
    return best, least
