"""Set designs side by side: what one loses and gains against another."""

from collections.abc import Iterator

from mlsysim.problem.domain import label
from mlsysim.report.measures import compared
from mlsysim.report.records import ReportedDesign, ReportedMeasure
from mlsysim.results.blocks import Cell, TableBlock, Tone
from mlsysim.results.breakdowns import Breakdown
from mlsysim.results.formatting import change, number

_Row = tuple[str, str, str, Cell]


def comparison_table(
    best: ReportedDesign, other: ReportedDesign, title: str, *, beside: str = "the best"
) -> TableBlock:
    """Set a design beside another: choices that differ, measures, parts of breakdowns.

    Parameters
    ----------
    best, other
        The designs; changes are those from the first to the second.
    title
        What the second one is.
    beside
        What the first one is.
    """
    rows = [
        *_choices(best, other),
        *_measures(best, other),
        *(row for whole in other.breakdowns for row in _parts(best, whole)),
    ]
    return TableBlock(
        title=f"Beside {beside} design:",
        header=("", beside, title[0].lower() + title[1:], "change"),
        rows=tuple((*map(_cell, texts), last) for *texts, last in rows),
        words=frozenset({0}),
    )


def change_cell(measure: ReportedMeasure) -> Cell:
    """Write by how much a measure differs from that of the best design."""
    if not measure.change:
        return Cell(text="-")
    tone = {True: Tone.BAD, False: Tone.GOOD, None: Tone.PLAIN}[measure.is_worse]
    return Cell(text=change(measure.change), tone=tone)


def heading(item: ReportedMeasure) -> str:
    """Write the head of a column: a measure and its unit."""
    return f"{item.name} [{item.unit}]" if item.unit else item.name


def _choices(best: ReportedDesign, other: ReportedDesign) -> Iterator[_Row]:
    for name in dict.fromkeys([*best.params, *other.params]):
        # Designs of different questions need not have the same choices.
        one, two = (
            label(item.params[name]) if name in item.params else "-" for item in (best, other)
        )
        if one != two:
            yield name, one, two, Cell(text="")


def _measures(best: ReportedDesign, other: ReportedDesign) -> Iterator[_Row]:
    known = {item.name: item for item in best.measures}
    for item in other.measures:
        if item.name in known:
            before = known[item.name]
            moved = change_cell(compared(item, before))
            yield heading(item), number(before.value), number(item.value), moved


def _parts(best: ReportedDesign, whole: Breakdown) -> Iterator[_Row]:
    twins = [twin for twin in best.breakdowns if (twin.name, twin.unit) == (whole.name, whole.unit)]
    before = {part.name: part.value for twin in twins for part in twin.parts}
    for part in whole.parts:
        old = before.get(part.name)
        if old is None or not (old or part.value):
            continue
        text = f"  {whole.name}: {part.name} [{whole.unit}]"
        yield text, number(old), number(part.value), Cell(text=_grown(old, part.value))


def _grown(old: float, new: float) -> str:
    if number(old) == number(new):
        return "-"
    return change((new - old) / abs(old)) if old else ""


def _cell(text: str) -> Cell:
    return Cell(text=text)
