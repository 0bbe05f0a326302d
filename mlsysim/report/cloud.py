"""More designs of a space, good and bad, for the chart that shows where the best ones stand.

A grid of a few thousand designs is evaluated whole; of a larger one an evenly
thinned grid.  They are evaluated as arrays, and drawn only: no number in the
answer comes from here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mlsysim.problem.domain import Domain
from mlsysim.problem.objective import Sense
from mlsysim.problem.problem import Problem
from mlsysim.problem.space import SearchSpace
from mlsysim.report.measures import Judge, Values
from mlsysim.search.arrays.block_reading import (
    BlockInfeasibleError,
    NotVectorisedError,
    read_block,
)
from mlsysim.search.arrays.layout import GridBlock, GridLayout
from mlsysim.search.arrays.others import Others
from mlsysim.search.verify import Evaluator

MOST = 20_000
"""So many designs are evaluated at most."""

SHOWN = 1_500
"""So many are drawn at most."""


@dataclass(frozen=True, kw_only=True)
class Cloud:
    """Feasible designs with their measures.

    Parameters
    ----------
    names, units, senses
        The measures: what they are called, their units, which way is better.
    params
        The choices of each design.
    values
        One row of measures for each design.
    designs
        How many designs the space has.
    evaluated, feasible
        How many of them were evaluated, and how many of those are feasible.
    """

    names: tuple[str, ...]
    units: tuple[str, ...]
    senses: tuple[Sense | None, ...]
    params: tuple[Mapping[str, Any], ...]
    values: tuple[tuple[float, ...], ...]
    designs: int
    evaluated: int
    feasible: int


def cloud_of(problem: Problem, evaluate: Evaluator, objectives: Sequence[str] = ()) -> Cloud | None:
    """Evaluate designs for the chart; nothing where the evaluator takes no arrays."""
    thin = Problem(
        space=thinned(problem.space, MOST),
        objective=problem.objective,
        constraints=problem.constraints,
    )
    judge = Judge.of(problem, dict.fromkeys([problem.objective.text, *objectives]))
    rows: list[tuple[Mapping[str, Any], tuple[float, ...]]] = []
    heads: Values = []
    for block in GridLayout(thin.space).blocks():
        try:
            values, found = _of_block(thin, evaluate, judge, block)
        except BlockInfeasibleError:
            continue
        except NotVectorisedError:
            return None
        heads = heads or values
        rows += found
    step = max(1, -(-len(rows) // SHOWN))
    shown = rows[::step]
    return Cloud(
        names=tuple(name for name, *_ in heads),
        units=tuple(unit for _, _, unit, _ in heads),
        senses=tuple(sense for *_, sense in heads),
        params=tuple(params for params, _ in shown),
        values=tuple(row for _, row in shown),
        designs=problem.space.size,
        evaluated=thin.space.size,
        feasible=len(rows),
    )


def thinned(space: SearchSpace, most: int) -> SearchSpace:
    """Leave out every second value of the longest choice, until few enough designs are left."""
    values = {name: domain.values for name, domain in space.items()}
    while SearchSpace(values).size > most:
        longest = max(values, key=lambda name: len(values[name]))
        if len(values[longest]) == 1:
            break
        values[longest] = values[longest][:: max(2, len(values[longest]) // most)]
    return SearchSpace({name: Domain(name, kept) for name, kept in values.items()})


def _of_block(
    problem: Problem, evaluate: Evaluator, judge: Judge, block: GridBlock
) -> tuple[Values, list[tuple[Mapping[str, Any], tuple[float, ...]]]]:
    """Measure the feasible designs of a block."""
    results: list[Any] = []

    def overheard(params: dict[str, Any]) -> Any:
        results.append(evaluate(params))
        return results[-1]

    reading = read_block(problem, overheard, block, None, Others())
    with np.errstate(all="ignore"):
        values = judge.values(block.params(), results[-1])
    holds = np.ones(block.size, dtype=np.bool_)
    for condition in reading.conditions:
        holds &= condition.holds
    columns = [np.broadcast_to(np.asarray(item[1], float), (block.size,)) for item in values]
    table = np.stack(columns, axis=1)
    holds &= np.isfinite(table).all(axis=1)
    places = np.flatnonzero(holds)
    return values, [
        (block.point(place), tuple(float(f"{value:.7g}") for value in table[place]))
        for place in map(int, places)
    ]
