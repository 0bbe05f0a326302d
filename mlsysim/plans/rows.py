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
from mlsysim.units import quantity, same_dimension

_TINY = 1e-6


def rows_of(
    space: Mapping[str, Any] | SearchSpace,
    evaluate: Evaluator,
    constraints: Sequence[str] | Mapping[str, str] | None = None,
    *,
    fleet: str,
    work: Any,
    rate: str,
    nodes: str = "nodes",
    watts_per_node: float = 0.0,
    **options: Any,
) -> tuple[Row, ...]:
    """Find all ways to run a job of which none takes fewer nodes without taking longer.

    Duration = work / rate.  More nodes are not always quicker, so the front is searched as one
    question, and a row that no plan would take is not in it.

    Parameters
    ----------
    space, evaluate, constraints
        The question about one job on one fleet, as for `DSE`.
    fleet
        Whose nodes the rows hold.
    work
        How much there is to do, such as the tokens to train on: a number or a quantity.
    rate
        The metric that says how much of it is done per time.
    nodes
        The choice that says how many nodes are held.
    watts_per_node
        What a node draws; a figure that is left out counts as no power at all.
    **options
        Those of `DSE.pareto`, such as ``time_limit`` and ``workers``.

    Returns
    -------
    tuple of Row
        By rising nodes.

    Raises
    ------
    ParameterError
        If no choice has the name of the nodes.
    UnitError
        If work / rate is no time.
    InfeasibleError
        If no design meets the constraints; the message explains why.
    NoAnswerError
        If a limit came before the front was complete: a plan over fewer rows is no proof.
    """
    names = [*space]
    if nodes not in names:
        raise ParameterError(f"no choice is called {nodes!r}; the choices: {', '.join(names)}")

    def timed(params: dict[str, Any]) -> dict[str, Any]:
        result = evaluate(params)
        reached = result
        for part in rate.split("."):
            reached = reached[part] if isinstance(reached, Mapping) else getattr(reached, part)
        duration = quantity(1.0, "") * work / reached
        if not same_dimension(duration, quantity(1.0, "s")):
            raise UnitError(f"work / {rate} is no time: the rate has to be of the work, per time")
        return {**result, "plan_nodes": params[nodes], "plan_duration": duration.to("s")}

    goals = ["minimize: plan_nodes", "minimize: plan_duration"]
    front = DSE(space, goals[1], constraints).pareto(timed, goals, **options)
    if front.status is Status.INFEASIBLE:
        raise InfeasibleError(front.explanation)
    if front.status is not Status.OPTIMAL:
        raise NoAnswerError(
            f"the rows of a job on {fleet} were not found in time; allow more, e.g. time_limit=60"
        )
    rows = []
    for point in front:
        count, seconds = point.objective_values
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
