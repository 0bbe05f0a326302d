"""Start each job of a plan as early as exact times allow: slots round them up."""

from dataclasses import replace

from mlsysim.plans.checking import violations
from mlsysim.plans.records.question import PlanQuestion
from mlsysim.plans.records.schedule import Run, Schedule
from mlsysim.plans.time.calendar import gaps
from mlsysim.plans.time.placing import placed
from mlsysim.plans.worth import worth


def shifted(question: PlanQuestion, schedule: Schedule) -> Schedule:
    """Shift jobs to the left, in the order of their starts, where that makes nothing worse."""
    for run in sorted(schedule, key=lambda item: item.begin):
        moments = {question.job(run.job).release}
        moments |= {end for other in schedule if other.job != run.job for _, end in other.pieces}
        closed = gaps(question.fleet(run.row.fleet), run.row.nodes)
        moments |= {end for _, end in closed if end is not None}
        for moment in sorted(moment for moment in moments if moment < run.begin):
            earlier = _moved(question, schedule, run, moment)
            if earlier is not None:
                schedule = earlier
                break
    return schedule


def _moved(question: PlanQuestion, schedule: Schedule, run: Run, moment: int) -> Schedule | None:
    """Give the plan with one job at another moment, if it is as good."""
    closed = gaps(question.fleet(run.row.fleet), run.row.nodes)
    pieces = placed(question.job(run.job), run.row, moment, closed)
    if pieces is None or pieces[-1][1] > run.end:
        return None
    runs = [replace(run, pieces=pieces) if other.job == run.job else other for other in schedule]
    moved = replace(schedule, runs=tuple(runs))
    if violations(question, moved):
        return None
    pairs = [
        (worth(question, moved, goal), worth(question, schedule, goal)) for goal in question.goals
    ]
    return moved if all(new <= old for new, old in pairs) else None
