"""How much of a fleet a plan uses over time."""

from dataclasses import replace

from mlsysim.plans.answers.result import PlanResult
from mlsysim.plans.time.calendar import steps


def there(found: PlanResult, fleet: str) -> list[tuple[int, int]]:
    """List from when on there are how many nodes of a fleet, with what the plan rents."""
    item = found.question.fleet(fleet)
    lots = {} if found.schedule is None else found.schedule.lots
    blocks = [(block, lots.get((fleet, block.name), 0)) for block in item.blocks]
    rented = tuple(replace(block, lots=count) for block, count in blocks if count)
    end = max((run.end for run in found.schedule or ()), default=0)
    return [(begin, level) for begin, level in steps(replace(item, blocks=rented)) if begin < end]


def used(found: PlanResult, fleet: str) -> list[tuple[int, int]]:
    """List from when on how many nodes of a fleet are used."""
    runs = [] if found.schedule is None else [r for r in found.schedule if r.row.fleet == fleet]
    moments = sorted({0, *(moment for run in runs for piece in run.pieces for moment in piece)})
    levels = [(moment, sum(r.row.nodes for r in runs if moment in r)) for moment in moments]
    return [
        item for place, item in enumerate(levels) if not place or item[1] != levels[place - 1][1]
    ]


def utilisation(found: PlanResult, fleet: str) -> tuple[float, float]:
    """Give the node-hours used of a fleet until the end of the plan, and those there are."""
    runs = [] if found.schedule is None else list(found.schedule)
    end = max((run.end for run in runs), default=0)
    levels = there(found, fleet)
    ends = [*(begin for begin, _ in levels[1:]), end]
    hours = (
        sum(level * (until - begin) for (begin, level), until in zip(levels, ends, strict=True))
        / 3600
    )
    return sum(run.node_hours for run in runs if run.row.fleet == fleet), hours
