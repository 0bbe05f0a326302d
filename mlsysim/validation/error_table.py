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
# So many runs of a source tell what is common to them half as well as all that it could have.
_KNOWN = 2.0
# The points of a normal distribution by which a source that nobody has seen is moved.
_SHIFTS = (-1.6449, -1.0364, -0.6745, -0.3853, -0.1257, 0.1257, 0.3853, 0.6745, 1.0364, 1.6449)
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
    classes = by_class(distances)
    return {name: _summary(name, classes) for name in sorted(classes)}


def by_class(distances: Iterable[Distance]) -> dict[ClassName, list[Distance]]:
    """Gather distances by class."""
    classes: dict[ClassName, list[Distance]] = {}
    for distance in distances:
        classes.setdefault(class_of(distance), []).append(distance)
    return classes


def quantiles_in(
    name: ClassName, classes: Mapping[ClassName, Sequence[Distance]], without: str | None = None
) -> tuple[float, ...]:
    """Give the quantiles at `LEVELS` of ln(measured / predicted) of a class, for a new source.

    Parameters
    ----------
    name, classes
        The class, and all of them.
    without
        A source that is to be as if nobody had seen it.
    """
    kept = {
        other: [one for one in members if one.group != without]
        for other, members in classes.items()
    }
    own = _by_source(kept[name])
    if not own:
        raise ValueError(f"{name}: without {without} nothing is left")
    others = [
        one.left_out
        for other, members in kept.items()
        if other != name and (other[0], *other[2:]) == (name[0], *name[2:])
        for one in members
    ]
    elsewhere = [
        squares
        for other, members in kept.items()
        if other != name and other[3] == name[3]
        for squares in _apart(list(_by_source(members).values()))
    ]
    return quantiles_of(list(own.values()), others, float(np.mean(elsewhere or [0.0])))


def quantiles_of(
    sources: Sequence[Sequence[float]], others: Sequence[float], apart: float
) -> tuple[float, ...]:
    """Give the quantiles of ln(measured / predicted) for a source that nobody has seen.

    Rows of a source are off by something in common, which differs between sources by the variance
    τ², and by something of their own.  Of k sources the pooled errors, a source weighing as the
    root of its rows, show ``(k-1)/k τ²`` of it, around a mean that is uncertain by ``τ²/k``; a new
    source is spread by τ² around that: what the pool lacks, ``2 τ²/k``, is added as a normal
    shift, half of it, for its tails are cut off by what rows are off by themselves.  τ² is the mean
    of what sources of the class and, counted as one, of other classes are apart.

    Parameters
    ----------
    sources
        The distances of each source's runs.
    others
        Those of other families, which count for nothing where there are enough of its own.
    apart
        The variance between sources of other classes.
    """
    counts = np.array([len(source) for source in sources])
    known = counts / (counts + _KNOWN)
    squares = _apart(sources)
    spread = (np.sum(known * squares) + apart) / (np.sum(known) + 1) if squares else apart
    rows = int(counts.sum())
    values = -np.concatenate([np.asarray(source, float) for source in sources])
    weights = np.concatenate([np.full(count, 1 / np.sqrt(count)) for count in counts])
    borrowed = _BORROWED * max(1 - rows / _ENOUGH, 0.0) / max(len(others), 1)
    values = np.concatenate([values, -np.asarray(others, float)])
    weights = np.concatenate([weights, np.full(len(others), borrowed * weights.sum() / rows)])
    shifts = np.sqrt(spread / len(sources)) * np.array(_SHIFTS)
    values = (values[:, None] + shifts).ravel()
    weights = np.repeat(weights, len(shifts))
    order = np.argsort(values, kind="stable")
    values, weights = values[order], weights[order]
    # Each run stands for the middle of its share.
    places = (np.cumsum(weights) - weights / 2) / weights.sum()
    return tuple(round(float(value), 4) for value in np.interp(LEVELS, places, values))


def _by_source(distances: Iterable[Distance]) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for one in distances:
        found.setdefault(one.group, []).append(one.left_out)
    return found


def _apart(sources: Sequence[Sequence[float]]) -> list[float]:
    """Give what each of several sources is off from their mean, squared, without bias."""
    middles = np.array([np.median(source) for source in sources])
    if len(middles) < 2:  # noqa: PLR2004 - one is not apart from itself
        return []
    return list((middles - middles.mean()) ** 2 * len(middles) / (len(middles) - 1))


def _summary(name: ClassName, classes: Mapping[ClassName, Sequence[Distance]]) -> ErrorClass:
    own = classes[name]
    left_out = np.array([found.left_out for found in own])
    absolute = np.abs(left_out)
    return ErrorClass(
        rows=len(own),
        sources=len({found.group for found in own}),
        mean=round(float(absolute.mean()), 3),
        median=round(float(np.median(absolute)), 3),
        p90=round(float(np.quantile(absolute, 0.9)), 3),
        fitted=round(float(np.mean([abs(found.fitted) for found in own])), 3),
        accelerators=dict(sorted(Counter(found.accelerator for found in own).items())),
        quantiles=quantiles_in(name, classes),
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
