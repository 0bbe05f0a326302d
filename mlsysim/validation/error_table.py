"""Make the table of errors by class (`mlsysim.stages.error_classes`) out of what was left out."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import resources
from pathlib import Path

import numpy as np

from mlsysim.stages.error_classes import FILE, LEVELS, ClassName, ErrorClass
from mlsysim.validation.left_out import Distance

# A class of fewer runs than enough borrows from those of the other families: these count as so many
# runs where it had none of its own.
_ENOUGH = 20
_BORROWED = 5.0
_HEAD = (
    "# How far predictions were from measured runs of sources that no constant had seen, by\n"
    "# class; written by python -m mlsysim.validation.calibrate --write.\n"
)


def class_of(distance: Distance) -> ClassName:
    """Name the class of a figure."""
    kind = distance.evidence
    return kind.stage, kind.family, kind.kind, distance.quantity


def error_table(distances: Iterable[Distance]) -> Mapping[ClassName, ErrorClass]:
    """Summarise distances by class."""
    classes: dict[ClassName, list[Distance]] = {}
    for distance in distances:
        classes.setdefault(class_of(distance), []).append(distance)
    return {name: _summary(name, classes) for name in sorted(classes)}


def quantiles_of(own: Sequence[float], others: Sequence[float]) -> tuple[float, ...]:
    """Give the quantiles at `LEVELS` of ln(measured / predicted) of a class.

    Parameters
    ----------
    own
        The distances of its runs.
    others
        Those of other families, which count for nothing where there are enough of its own.
    """
    values = -np.array([*own, *others])
    borrowed = _BORROWED * max(1 - len(own) / _ENOUGH, 0.0) / max(len(others), 1)
    weights = np.concatenate([np.ones(len(own)), np.full(len(others), borrowed)])
    order = np.argsort(values, kind="stable")
    values, weights = values[order], weights[order]
    # Each run stands for the middle of its share.
    places = (np.cumsum(weights) - weights / 2) / weights.sum()
    return tuple(round(float(value), 4) for value in np.interp(LEVELS, places, values))


def _summary(name: ClassName, classes: Mapping[ClassName, Sequence[Distance]]) -> ErrorClass:
    own = classes[name]
    left_out = np.array([found.left_out for found in own])
    others = [
        found.left_out
        for (stage, family, kind, quantity), members in classes.items()
        for found in members
        if (stage, kind, quantity) == (name[0], name[2], name[3]) and family != name[1]
    ]
    absolute = np.abs(left_out)
    return ErrorClass(
        rows=len(own),
        sources=len({found.group for found in own}),
        mean=round(float(absolute.mean()), 3),
        median=round(float(np.median(absolute)), 3),
        p90=round(float(np.quantile(absolute, 0.9)), 3),
        fitted=round(float(np.mean([abs(found.fitted) for found in own])), 3),
        accelerators=dict(sorted(Counter(found.accelerator for found in own).items())),
        quantiles=quantiles_of(left_out.tolist(), others),
    )


def write_error_table(table: Mapping[ClassName, ErrorClass]) -> Path:
    """Write the table where the models read it."""
    target = Path(str(resources.files("mlsysim.stages"))) / FILE
    target.write_text(_HEAD + "".join(_entries(table)), encoding="utf-8")
    return target


def _entries(table: Mapping[ClassName, ErrorClass]) -> Iterator[str]:
    for (stage, family, kind, quantity), found in table.items():
        on = ", ".join(f"{name} = {rows}" for name, rows in found.accelerators.items())
        yield (
            f'\n[[classes]]\nstage = "{stage}"\nfamily = "{family}"\nkind = "{kind}"\n'
            f'quantity = "{quantity}"\nrows = {found.rows}\nsources = {found.sources}\n'
            f"mean = {found.mean}\nmedian = {found.median}\np90 = {found.p90}\n"
            f"fitted = {found.fitted}\naccelerators = {{ {on} }}\n"
            f"quantiles = {list(found.quantiles)}\n"
        )
