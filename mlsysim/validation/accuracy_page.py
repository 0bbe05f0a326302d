"""The tables of the documentation that tell how far predictions are off."""

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from mlsysim.stages.error_classes import COVERAGE, LEVELS, ClassName, Quantity, levels_of
from mlsysim.validation.error_table import by_class, error_table, quantiles_in
from mlsysim.validation.left_out import Distance
from mlsysim.validation.left_out_tables import LeftOutLine, lines_by

_ENOUGH = 20


def accuracy_page(text: str, distances: Sequence[Distance]) -> str:
    """Put the tables of what was left out into the page, where it has their marks.

    Parameters
    ----------
    text
        The page, with ``<!-- left out: NAME -->`` before each table and ``<!-- end -->`` behind.
    distances
        What was left out, of training and of serving.
    """
    timed = [one for one in distances if one.quantity is not Quantity.MEMORY]
    tables = {
        "kinds": _table("what", timed, lambda one: f"{_work(one)}, {_kind(one)}"),
        "classes": _classes(distances),
        "software": _table("software", timed, lambda one: f"{_work(one)}: {_stack(one)}"),
        "sources": _table("source", timed, lambda one: f"{one.group}, {one.quantity}"),
    }
    for name, lines in tables.items():
        before, mark, rest = text.partition(f"<!-- left out: {name} -->\n\n")
        _, end, behind = rest.partition("\n\n<!-- end -->")
        text = "".join([before, mark, "\n".join(lines), end, behind])
    return text


def _table(
    heading: str, distances: Sequence[Distance], key: Callable[[Distance], str]
) -> Iterator[str]:
    yield f"| {heading} | rows | left out, mean | median | nine in ten | bias | fitted, mean |"
    yield "| --- | --: | --: | --: | --: | --: | --: |"
    yield from (f"| {line.name} | {_cells(line)} |" for line in lines_by(distances, key))


def _classes(distances: Sequence[Distance]) -> Iterator[str]:
    """Tell of each class also how many of its runs its interval holds."""
    yield (
        "| class | rows | sources | left out, mean | median | nine in ten | bias | fitted, mean "
        "| interval | holds | by other sources |"
    )
    yield "| --- | --: | --: | --: | --: | --: | --: | --: | --: | --: | --: |"
    members = by_class(distances)
    for name, found in error_table(distances).items():
        own = members[name]
        low, high = (found.factor(level) for level in levels_of(COVERAGE))
        line = _cells(LeftOutLine.of("", own)).partition("|")
        held = other = ""
        if len(own) >= _ENOUGH:
            held = _per_cent(_share_held([one.left_out for one in own], found.quantiles))
            share = held_by_others(name, members)
            other = "" if share is None else _per_cent(share)
        yield (
            f"| {', '.join(name)} | {line[0].strip()} | {found.sources} |{line[2]} "
            f"| {low:.2f} to {high:.2f} | {held} | {other} |"
        )


def held_by_others(
    name: ClassName, members: Mapping[ClassName, Sequence[Distance]]
) -> float | None:
    """Give the share of a class that intervals hold which have not seen the source of a run.

    Returns
    -------
    float or None
        Nothing where there is one source alone.
    """
    own = members[name]
    sources = {one.group for one in own}
    if len(sources) == 1:
        return None
    held = 0.0
    for source in sources:
        mine = [one.left_out for one in own if one.group == source]
        held += len(mine) * _share_held(mine, quantiles_in(name, members, source))
    return held / len(own)


def _share_held(distances: Sequence[float], quantiles: Sequence[float]) -> float:
    low, high = (float(np.interp(level, LEVELS, quantiles)) for level in levels_of(COVERAGE))
    off = -np.array(distances)
    return float(np.mean((off >= low) & (off <= high)))


def _cells(line: LeftOutLine) -> str:
    shares = (line.mean, line.median, line.p90)
    return " | ".join(
        [
            str(line.rows),
            *map(_per_cent, shares),
            f"{100 * line.bias:+.0f} %",
            _per_cent(line.fitted),
        ]
    )


def _per_cent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _work(one: Distance) -> str:
    if one.quantity is Quantity.STEP:
        return "training"
    return "first token" if one.quantity is Quantity.FIRST else "further tokens"


def _kind(one: Distance) -> str:
    return "mixtures of experts" if one.evidence.mixture else "dense models"


def _stack(one: Distance) -> str:
    return one.stack or "not said"
