"""Find a Pareto front by evaluating every design."""

from typing import Any

import numpy as np

from mlsysim.results.pareto import ParetoFront
from mlsysim.search.exhaustive.block_reading import NotVectorisedError
from mlsysim.search.exhaustive.doubts import CLOSE
from mlsysim.search.exhaustive.front_leaders import FrontLeaders
from mlsysim.search.exhaustive.others import Others
from mlsysim.search.exhaustive.scan import Scan
from mlsysim.search.exhaustive.tally import Tally
from mlsysim.search.exhaustive.walk import METHOD, walk
from mlsysim.search.goals import Goals, vector
from mlsysim.search.options import SearchOptions
from mlsysim.search.verify import Evaluator


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
    found: FrontLeaders

    def begin(deadline: float, in_blocks: bool) -> Scan:  # noqa: FBT001 - a callback
        nonlocal found
        others = Others(goals)
        found = FrontLeaders(goals.signs, others)
        return Scan(
            problem,
            evaluate,
            options,
            deadline=deadline,
            in_blocks=in_blocks,
            tally=Tally(problem, found),
            others=others,
        )

    def designs(scan: Scan) -> dict[str, Any]:
        judged = {}
        units = _units(scan)
        for index, values in zip(found.indices, found.values, strict=True):
            point = scan.judge(index)
            if not point.is_feasible:
                raise NotVectorisedError(f"arrays misjudge {dict(point.params)}")
            judged[index] = (point, *goals.others(point))
            plain = np.array(vector(judged[index], units)) * goals.signs
            if not np.allclose(plain, values, rtol=CLOSE, atol=0.0):
                raise NotVectorisedError(f"arrays misjudge {dict(point.params)}")
        return {"points": goals.front(judged, units)}

    walked = walk(problem, options, begin, designs)
    return ParetoFront(
        objectives=tuple(objective.text for objective in goals.objectives),
        units=tuple(_units(walked.scan)),
        method=METHOD,
        statistics=walked.statistics,
        **walked.answer,
    )


def _units(scan: Scan) -> list[str]:
    return [scan.unit or "", *scan.others.units]
