"""A compile looks at the clock in every pass: it can be stopped anywhere, and gone on with."""

import time
from itertools import pairwise
from typing import Any

import pytest

from mlsysim import ceil, maximum
from mlsysim.core.dse import DSE
from mlsysim.search.cpsat.lowering.lowered import lower
from mlsysim.search.cpsat.lowering.refine import LoweredSearch
from mlsysim.search.cpsat.program.boxes import whole
from mlsysim.search.cpsat.program.program import Program
from mlsysim.search.cpsat.program.rows import no_rows
from mlsysim.search.cpsat.question.question import TracedQuestion
from mlsysim.search.cpsat.solving.clock import Clock, StoppedError
from mlsysim.search.options import SearchOptions

# What a limit may be exceeded by, of which a busy machine takes its share.
_LATE = 1.0


def layout(params: dict[str, Any]) -> dict[str, Any]:
    """Price a step whose formulas need groups of literals, products and roundings."""
    replicas = maximum(params["nodes"] * 8 // (params["tensor"] * params["stages"]), 1)
    passes = ceil(params["batch"] / replicas)
    step = (passes + params["stages"] - 1) * (1 / params["tensor"] + 0.1 * params["tensor"])
    return {"step": step, "cost": params["nodes"] * step / params["batch"]}


SPACE = {"nodes": range(1, 33), "batch": range(8, 65), "tensor": [1, 2, 4], "stages": range(1, 5)}


def program() -> Program:
    """Give the layout as a program."""
    problem = DSE(SPACE, "minimize: cost", ["step <= 30"]).problem
    return TracedQuestion(problem, layout).program()


class Impatient(Clock):
    """A clock that stops what looks at it for so many-th time; each time later."""

    def __init__(self, at: int) -> None:
        super().__init__(SearchOptions(workers=1))
        self.at = at
        self.looks = 0

    def check(self, until: float = float("inf")) -> None:
        """Stop once, and not again."""
        super().check(until)
        self.looks += 1
        if self.looks == self.at:
            raise StoppedError


def test_a_search_that_is_stopped_anywhere_goes_on() -> None:
    """Stopped at any look at the clock it claims nothing, and ends with the same optimum."""
    asked = program()
    best = asked.rows(whole(list(asked.lengths.values())).designs()).sorted().values[:3, 0]
    looks = Impatient(-1)
    assert LoweredSearch(asked, 3, no_rows(4, 1), looks).run(60.0)
    assert looks.looks > 20
    for at in range(1, looks.looks, 1 + looks.looks // 12):
        search = LoweredSearch(asked, 3, no_rows(4, 1), Impatient(at))
        assert not search.run(60.0)
        assert search.bound <= best[0] * (1 + 1e-9)
        assert search.run(60.0)
        assert search.found.values[:, 0] == pytest.approx(best, rel=1e-9)


def test_lowering_asks_often() -> None:
    """Between two looks at the clock no more than one pass goes by."""
    asked, moments = program(), [time.perf_counter()]
    lower(asked, check=lambda: moments.append(time.perf_counter()))
    gaps = [after - before for before, after in pairwise(moments)]
    assert len(gaps) > 10
    assert max(gaps) < _LATE


@pytest.mark.parametrize("limit", [0.2, 0.6])
def test_a_compile_keeps_the_limit(limit: float) -> None:
    """A question whose compile takes longer than the limit ends in time, with what there is."""
    space = {**SPACE, "nodes": range(1, 129), "batch": range(8, 257), "stages": range(1, 9)}
    started = time.perf_counter()
    found = DSE(space, "minimize: cost", ["step <= 30"]).search(
        layout, method="cp-sat", time_limit=limit
    )
    assert time.perf_counter() - started < limit + _LATE
    assert found.status in {"FEASIBLE", "OPTIMAL", "UNKNOWN"}
