"""The rows of a job: the exact front of its designs over nodes and duration."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from mlsysim.core.dse import DSE
from mlsysim.errors import InfeasibleError, NoAnswerError, ParameterError, UnitError
from mlsysim.plans.records.job import Row
from mlsysim.problem.space import SearchSpace
from mlsysim.results.status import Status
from mlsysim.search.verify import Evaluator
from mlsysim.units import magnitude, quantity, same_dimension

_TINY = 1e-6


def rows_of(  # noqa: PLR0913 - each is given by name
    space: Mapping[str, Any] | SearchSpace,
    evaluate: Evaluator,
    constraints: Sequence[str] | Mapping[str, str] | None = None,
    *,
    fleet: str,
    rate: str | None = None,
    work: Any = None,
    duration: str | None = None,
    nodes: str = "nodes",
    watts_per_node: float = 0.0,
    **options: Any,
) -> tuple[Row, ...]:
    """Find all ways to run a job of which none takes fewer nodes without taking longer.

    Duration = work / rate, or what a model says.  More nodes are not always quicker, so the front
    is searched as one question, and a row that no plan would take is not in it.

    Parameters
    ----------
    space, evaluate, constraints
        The question about one job on one fleet, as for `DSE`.
    fleet
        Whose nodes the rows hold.
    rate, work
        The metric that says how much is done per time, and how much there is to do, such as the
        tokens to train on: a number or a quantity.
    duration
        Instead of these two: the metric that says how long it takes.
    nodes
        The choice that says how many nodes are held.
    watts_per_node
        What a node draws; a figure that is left out counts as no power at all.
    **options
        Those of `DSE.pareto`, such as ``time_limit`` and ``workers``.

    Raises
    ------
    ParameterError
        If no choice has the name of the nodes, or it is not said how long the job takes.
    UnitError
        If that is no time.
    InfeasibleError
        If no design meets the constraints; the message explains why.
    NoAnswerError
        If a limit came before the front was complete: a plan over fewer rows is no proof.
    """
    names = [*space]
    if nodes not in names:
        raise ParameterError(f"no choice is called {nodes!r}; the choices: {', '.join(names)}")
    if (duration is None) is (rate is None) or (rate is None) is not (work is None):
        raise ParameterError("how long a job takes is said by work and rate, or by duration")
    quickest = f"minimize: {duration}" if rate is None else f"maximize: {rate}"
    front = DSE(space, quickest, constraints).pareto(
        evaluate, [f"minimize: {nodes}", quickest], **options
    )
    if front.status is Status.INFEASIBLE:
        raise InfeasibleError(front.explanation)
    if front.status is not Status.OPTIMAL:
        by = front.statistics.stopped_by or "a limit"
        raise NoAnswerError(
            f"the rows of a job on {fleet} are not all found, stopped by {by}; a plan over fewer "
            "of them would prove nothing"
        )
    rows = []
    for point in front:
        count, value = point.objective_values
        reached = quantity(value, front.units[1])
        seconds = seconds_of(reached, work, rate or duration or "")
        rows.append(
            Row(
                fleet=fleet,
                nodes=int(count),
                seconds=max(math.ceil(seconds - _TINY), 1),
                watts=math.ceil(watts_per_node * count),
                params=dict(point.params),
            )
        )
    return tuple(sorted(rows, key=lambda row: row.nodes))


def seconds_of(reached: Any, work: Any, path: str) -> float:
    """Give how long a job takes: what a model says, or work over its rate.

    Parameters
    ----------
    reached
        The duration, or the rate.
    work
        How much there is to do at that rate; nothing where the duration is known.
    path
        The metric, for messages.

    Raises
    ------
    UnitError
        If that is no time.
    """
    duration = reached if work is None else quantity(1.0, "") * work / reached
    if not same_dimension(duration, quantity(1.0, "s")):
        if work is None:
            raise UnitError(f"{path} is no time, so it cannot say how long a job takes")
        raise UnitError(f"work / {path} is no time: the rate has to be of the work, per time")
    return magnitude(duration, "s")
