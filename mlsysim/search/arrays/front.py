"""Find a Pareto front by evaluating every design."""

import random
import time
from typing import Any, cast

import numpy as np

from mlsysim.numeric import TOLERANCE
from mlsysim.results.pareto import ParetoFront
from mlsysim.results.status import Status
from mlsysim.search.arrays.block_reading import NotVectorisedError
from mlsysim.search.arrays.front_leaders import FrontLeaders
from mlsysim.search.arrays.scan import Scan
from mlsysim.search.arrays.task import Task
from mlsysim.search.arrays.walk import METHOD, walk
from mlsysim.search.goals import Goals, vector
from mlsysim.search.options import SearchOptions, respite
from mlsysim.search.verify import Evaluator, Point


def front(goals: Goals, evaluate: Evaluator, options: SearchOptions) -> ParetoFront:
    """Evaluate every design and keep those that no other dominates.

    Parameters
    ----------
    goals
        What is asked.
    evaluate
        The user's evaluator: a dict of choices in, anything with metrics out.
    options
        What the caller wants.

    Raises
    ------
    MetricError
        If a metric does not exist, or is not finite at a design that nothing excludes.
    UnitError
        If a constraint compares different dimensions.
    """
    problem = goals.problems[0]
    task = Task(problem=problem, evaluate=evaluate, options=options, goals=goals)

    def designs(scan: Scan) -> dict[str, Any]:
        found = cast("FrontLeaders", scan.tally.leaders)
        judged: dict[int, tuple[Point, ...]] = {}
        units = _units(scan)
        order = list(zip(found.indices, found.values, strict=True))
        # So that the points are spread over the front where the time is up before the last.
        random.Random(options.seed).shuffle(order)  # noqa: S311 - for sampling
        for index, values in order:
            if judged and time.monotonic() > scan.deadline + respite(options.time_limit or 0.0):
                return {"points": goals.front(judged, units), "status": Status.FEASIBLE}
            try:
                point = scan.judge(index)
            except KeyboardInterrupt:
                if judged:
                    return {"points": goals.front(judged, units), "status": Status.FEASIBLE}
                raise
            if not point.is_feasible:
                raise NotVectorisedError(f"arrays misjudge {dict(point.params)}")
            judged[index] = (point, *goals.others(point))
            plain = np.array(vector(judged[index], units)) * goals.signs
            if not np.allclose(plain, values, rtol=TOLERANCE, atol=0.0):
                raise NotVectorisedError(f"arrays misjudge {dict(point.params)}")
        return {"points": goals.front(judged, units)}

    walked = walk(task, designs)
    return ParetoFront(
        objectives=tuple(objective.text for objective in goals.objectives),
        units=tuple(_units(walked.scan)),
        method=METHOD,
        statistics=walked.statistics,
        **walked.answer,
    )


def _units(scan: Scan) -> list[str]:
    return [scan.unit or "", *scan.others.units]
