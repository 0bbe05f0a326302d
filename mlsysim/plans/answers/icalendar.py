"""A plan as a calendar that other programs open: iCalendar (RFC 5545), an event for each piece."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from mlsysim.errors import ParameterError
from mlsysim.plans.answers.result import PlanResult
from mlsysim.plans.records.schedule import Run
from mlsysim.plans.worth import cost
from mlsysim.results.formatting import count, design, number

_LONGEST = 74
"""Bytes of a line; what is longer goes on in the next, after a space."""


def calendar_text(found: PlanResult) -> str:
    """Write a plan as a calendar; its times are local, wherever it is opened.

    Raises
    ------
    ParameterError
        If the plan has no date.
    """
    if found.question.origin is None:
        raise ParameterError("a calendar has dates, and the plan has none; give it a begin")
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//mlsysim//plan//EN"]
    for run in sorted(found.schedule or (), key=lambda item: (item.begin, item.job)):
        lines += _events(found, run, found.question.origin)
    return "".join(f"{part}\r\n" for line in [*lines, "END:VCALENDAR"] for part in _folded(line))


def _events(found: PlanResult, run: Run, origin: datetime) -> Iterator[str]:
    """Give the lines of the events of a run."""
    told = f"{count(run.row.nodes, 'node')} of {run.row.fleet}; {design(run.row.params)}"
    paid = f"{number(round(cost(found.question, run), 2))} USD"
    made = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    for place, (begin, end) in enumerate(run.pieces):
        yield "BEGIN:VEVENT"
        yield f"UID:{_escaped(run.job)}-{place}-{origin:%Y%m%dT%H%M%S}@mlsysim"
        yield f"DTSTAMP:{made}"
        yield f"DTSTART:{origin + timedelta(seconds=begin):%Y%m%dT%H%M%S}"
        yield f"DTEND:{origin + timedelta(seconds=end):%Y%m%dT%H%M%S}"
        yield f"SUMMARY:{_escaped(f'{run.job} ({run.row.nodes} of {run.row.fleet})')}"
        yield f"DESCRIPTION:{_escaped(f'{told}; {paid}')}"
        yield "END:VEVENT"


def _escaped(text: str) -> str:
    for mark in ("\\", ";", ","):
        text = text.replace(mark, f"\\{mark}")
    return text.replace("\n", "\\n")


def _folded(line: str) -> Iterator[str]:
    """Break a line after so many bytes, between letters."""
    part = ""
    for letter in line:
        if len((part + letter).encode()) > _LONGEST:
            yield part
            part = " "
        part += letter
    yield part
