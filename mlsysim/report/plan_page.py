"""A plan as one page of HTML: Gantt chart, fleets over time, jobs; nothing from a network."""

from collections.abc import Iterator
from html import escape
from itertools import pairwise

from mlsysim.plans.answers.result import PlanResult
from mlsysim.plans.answers.utilisation import there, used, utilisation
from mlsysim.plans.answers.wording import moment_text
from mlsysim.plans.records.question import PlanQuestion
from mlsysim.plans.records.schedule import Run
from mlsysim.plans.time.calendar import steps
from mlsysim.plans.worth import carbon, cost
from mlsysim.report.building import versions
from mlsysim.report.markup import asset
from mlsysim.results.blocks import Drawing
from mlsysim.results.formatting import count, design, gap, number, seconds, with_unit
from mlsysim.results.markup import HUES, as_html, html_of

_LEFT, _RIGHT, _ROW, _TALL, _MARGIN = 130, 980, 26, 70, 8
_TICKS = 5


def plan_page(found: PlanResult, question: str, source: str = "", text: str = "") -> str:
    """Write the page of a plan.

    Parameters
    ----------
    found
        The answer.
    question, source
        What was asked in prose, and where it comes from.
    text
        The file.
    """
    title = escape(" ".join(question.split()))
    head = found.headline()
    programs = ", ".join(f"{name} {number}" for name, number in versions().items())
    file = (
        f"<details><summary>The file</summary><pre>{escape(text)}</pre></details>" if text else ""
    )
    said = f"<p>Source: {escape(source)}</p>" if source else ""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{escape(head.word)}: {title}</title>"
        f"<style>{asset('report.css')}{asset('page.css')}{asset('plan.css')}</style></head>"
        f'<body class="mlsysim"><main><header><p class="brand">mlsysim</p><h1>{title}</h1>'
        f"{plan_facts(found)}</header>{plan_charts(found)}<section>{''.join(plan_told(found))}</section>"
        f"<footer>{said}{file if text else ''}<p>{escape(programs)}</p></footer></main>"
        "</body></html>\n"
    )


def plan_charts(found: PlanResult) -> str:
    """Draw who runs when, and what of the nodes is used; nothing where there is no plan."""
    return _gantt(found) + _fleets(found) if found.schedule is not None else ""


def plan_told(found: PlanResult) -> tuple[str, str]:
    """Write the verdict; and the table of jobs, with what else the answer says."""
    first, *others = (block for block in found.blocks() if not isinstance(block, Drawing))
    return html_of(first), as_html(others)


def plan_facts(found: PlanResult) -> str:
    """Give the key numbers as tiles."""
    goals = found.question.goals
    facts = [
        (goal.value, with_unit(value, goal.unit))
        for goal, value in zip(goals, found.objectives, strict=False)
    ]
    if found.gap is not None:
        facts.append(("gap", gap(found.gap)))
    facts.append(("plans", number(found.statistics.grid_size)))
    facts.append((f"by {found.method}", seconds(found.statistics.total_seconds)))
    tiles = (f"<div><dt>{escape(n)}</dt><dd>{escape(v)}</dd></div>" for n, v in facts)
    return f'<dl class="facts">{"".join(tiles)}</dl>'


def _end(found: PlanResult) -> int:
    return max((run.end for run in found.schedule or ()), default=1)


def _gantt(found: PlanResult) -> str:
    """Draw a line for each job, over the times at which its fleet is closed or has less."""
    question, end = found.question, _end(found)
    runs = sorted(found.schedule or (), key=lambda item: (item.begin, item.job))
    height = _ROW * len(runs) + 2 * _MARGIN
    parts = [*_ticks(question, end, height)]
    for place, run in enumerate(runs):
        parts += _row(question, run, _MARGIN + place * _ROW, end)
    return _figure("Who runs when", height, parts, "jobs over time")


def _row(question: PlanQuestion, run: Run, top: int, end: int) -> Iterator[str]:
    fleet = question.fleet(run.row.fleet)
    levels = [*steps(fleet), (end, 0)]
    for (begin, level), (until, _) in pairwise(levels):
        if level < run.row.nodes and begin < end:
            closed = "closed" if level == 0 else count(level, "node")
            note = f"{fleet.name}: {closed} from {moment_text(begin, question.origin)}"
            yield _box("shut", begin, min(until, end), (top, _ROW - 2), end, note)
    colour = HUES[[item.name for item in question.fleets].index(fleet.name) % len(HUES)]
    paid = f"{number(round(cost(question, run), 2))} USD"
    emitted = carbon(question, run)
    told = (
        f"{run.job}: {count(run.row.nodes, 'node')} of {fleet.name}, "
        f"{moment_text(run.begin, question.origin)} to {moment_text(run.end, question.origin)}; "
        f"{paid}{f', {number(round(emitted, 1))} kg' if emitted else ''}; {design(run.row.params)}"
    )
    for begin, until in run.pieces:
        yield _box("run", begin, until, (top + 3, _ROW - 8), end, told, f'style="fill:{colour}"')
    due = question.job(run.job).deadline
    if due is not None and due <= end:
        note = f"deadline of {run.job}: {moment_text(due, question.origin)}"
        x = _x(due, end)
        yield (
            f'<line class="due" x1="{x:.1f}" x2="{x:.1f}" y1="{top}" y2="{top + _ROW - 2}">'
            f"<title>{escape(note)}</title></line>"
        )
    middle = top + _ROW / 2 + 3
    yield f'<text x="{_LEFT - 8}" y="{middle}" text-anchor="end">{escape(run.job)}</text>'


def _fleets(found: PlanResult) -> str:
    """Draw for each fleet what there is over time, and what of it is used."""
    question, end = found.question, _end(found)
    height = (_TALL + _MARGIN) * len(question.fleets) + _MARGIN
    parts = [*_ticks(question, end, height)]
    for place, fleet in enumerate(question.fleets):
        top = _MARGIN + place * (_TALL + _MARGIN)
        standing = there(found, fleet.name)
        most = max(level for _, level in standing) or 1
        colour = HUES[place % len(HUES)]
        for kind, levels in (("there", standing), ("used", used(found, fleet.name))):
            ends = [*(begin for begin, _ in levels[1:]), end]
            for (begin, level), until in zip(levels, ends, strict=True):
                tall = _TALL * level / most
                note = f"{count(level, 'node')} of {fleet.name} {kind} from "
                note += moment_text(begin, question.origin)
                paint = f'style="fill:{colour}"' if kind == "used" else ""
                tall_box = (top + _TALL - tall, tall)
                if level and begin < end:
                    parts.append(_box(kind, begin, min(until, end), tall_box, end, note, paint))
        hours, total = utilisation(found, fleet.name)
        share = f"{100 * hours / total:.0f} %" if total else "0 %"
        parts.append(
            f'<text x="{_LEFT - 8}" y="{top + _TALL / 2}" text-anchor="end">{escape(fleet.name)}'
            f'</text><text x="{_LEFT - 8}" y="{top + _TALL / 2 + 16}" text-anchor="end" '
            f'class="soft">{share} used</text>'
        )
    return _figure("What of the nodes is used", height, parts, "nodes over time")


def _figure(title: str, height: float, parts: list[str], label: str) -> str:
    return (
        f"<section><h2>{escape(title)}</h2><svg class='plan' role='img' aria-label='{label}' "
        f'viewBox="0 0 {_RIGHT + 10} {height + 24:.0f}">{"".join(parts)}</svg></section>'
    )


def _ticks(question: PlanQuestion, end: int, height: float) -> Iterator[str]:
    for place in range(_TICKS + 1):
        moment = end * place // _TICKS // 3600 * 3600
        x = _x(moment, end)
        anchor = "start" if not place else "end" if place == _TICKS else "middle"
        yield f'<line class="tick" x1="{x:.1f}" x2="{x:.1f}" y1="0" y2="{height:.0f}"/>'
        yield (
            f'<text class="soft" x="{x:.1f}" y="{height + 16:.0f}" text-anchor="{anchor}">'
            f"{escape(moment_text(moment, question.origin))}</text>"
        )


def _x(moment: int, end: int) -> float:
    return _LEFT + (_RIGHT - _LEFT) * moment / end


def _box(
    kind: str,
    begin: int,
    until: int,
    tall: tuple[float, float],
    end: int,
    note: str,
    more: str = "",
) -> str:
    """Draw a time as a box that says what it is when it is pointed at, or reached by key."""
    x, width = _x(begin, end), max(_x(until, end) - _x(begin, end), 1.0)
    focus = ' tabindex="0"' if kind == "run" else ""
    return (
        f'<rect class="{kind}"{focus} x="{x:.1f}" width="{width:.1f}" y="{tall[0]:.1f}" '
        f'height="{tall[1]:.1f}" {more}><title>{escape(note)}</title></rect>'
    )
