"""A plan as a Gantt chart of characters: a line for each job, and the calendars above."""

from collections.abc import Iterator

from mlsysim.plans.answers.wording import moment_text
from mlsysim.plans.records.question import PlanQuestion
from mlsysim.plans.records.schedule import Schedule

_COLUMNS = 60


def chart(question: PlanQuestion, schedule: Schedule) -> Iterator[str]:
    """Draw a plan: ``#`` runs, ``.`` pauses, ``x`` a fleet is closed, ``-`` has fewer nodes."""
    end = max((run.end for run in schedule), default=1)
    moments = [end * place // _COLUMNS for place in range(_COLUMNS)]
    names = [fleet.name for fleet in question.fleets] + [job.name for job in question.jobs]
    width = max(map(len, names))
    for fleet in question.fleets:
        usual = fleet.nodes
        levels = [fleet.level(moment) for moment in moments]
        drawn = "".join("x" if not now else "-" if now < usual else " " for now in levels)
        if drawn.strip():
            yield f"{fleet.name:{width}} |{drawn}|"
    for run in sorted(schedule, key=lambda item: (item.begin, item.job)):
        cells = []
        for moment, until in zip(moments, [*moments[1:], end], strict=True):
            runs = any(begin < until and stop > moment for begin, stop in run.pieces)
            within = run.begin <= moment < run.end
            cells.append("#" if runs else "." if within else " ")
        yield f"{run.job:{width}} |{''.join(cells)}| {run.row.nodes} of {run.row.fleet}"
    first = moment_text(0, question.origin) if question.origin else "0"
    last = moment_text(end, question.origin)
    yield f"{'':{width}}  {first}{last:>{_COLUMNS - len(first)}}"
