"""Descents give good designs early: real ones, the same every time, close to the best."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from real_questions import QUESTIONS, traced
from strategies import Case, cases, examples

from mlsysim.problem.problem import Problem
from mlsysim.search.cpsat.blocks.joint import Blocks
from mlsysim.search.cpsat.blocks.product import RowProduct
from mlsysim.search.cpsat.minimize import Minimizer
from mlsysim.search.cpsat.program.boxes import whole
from mlsysim.search.cpsat.program.program import Program
from mlsysim.search.cpsat.question.question import TracedQuestion
from mlsysim.search.cpsat.scouting import FrontScout, Scout
from mlsysim.search.cpsat.solving.clock import Clock
from mlsysim.search.options import SearchOptions


def scouted(program: Program, keep: int, seed: int = 0) -> Scout:
    """Let a scout run to its end."""
    scout = Scout(program=program, keep=keep, seed=seed, is_over=lambda: False)
    scout.run()
    return scout


@given(cases(), st.integers(1, 4), st.integers(0, 3))
@examples(60)
def test_what_it_finds_are_designs(case: Case, keep: int, seed: int) -> None:
    """Each meets every condition, is worth what is said, and is found again by the same seed."""
    program = TracedQuestion(case.problem, case).program()
    scout = scouted(program, keep, seed)
    every = program.rows(whole(list(program.lengths.values())).designs())
    known = {
        tuple(design): value
        for design, value in zip(every.designs.tolist(), every.values[:, 0], strict=True)
    }
    assert len(scout.found) <= keep
    for design, value in zip(scout.found.designs.tolist(), scout.found.values[:, 0], strict=True):
        assert known[tuple(design)] == value
    assert np.array_equal(scouted(program, keep, seed).found.designs, scout.found.designs)


@pytest.mark.parametrize("name", QUESTIONS)
def test_it_is_mostly_within_half_a_percent_of_the_best(name: str) -> None:
    """Of 1e9 designs it looks at 2e5.  About one descent in fifty ends in another valley."""
    program = traced(name)
    best = Minimizer(Clock(SearchOptions()), lambda _: None).minimize(program, 1)
    assert best.proven
    least = float(best.best.values[0, 0])
    close = 0
    for seed in range(6):
        scout = scouted(program, 1, seed)
        assert scout.evaluated < 250_000
        close += bool(scout.found.values[0, 0] <= least + 0.005 * abs(least))
    assert close >= 5


def test_it_stops_when_time_is_up_and_keeps_what_it_has() -> None:
    """After two blocks there is a design, and no third block."""
    program = traced("days")
    asked = iter([False, False, True])
    scout = Scout(program=program, keep=1, seed=0, is_over=lambda: next(asked))
    scout.run()
    assert len(scout.found) == 1
    assert 0 < scout.evaluated < 10_000


def test_a_design_that_is_excluded_is_not_found() -> None:
    """It is what a search found before, and plain numbers refused."""
    program = traced("days")
    first = scouted(program, 1).found.designs[0].tolist()
    without = replace(program, excluded=frozenset({tuple(first)}))
    assert first not in scouted(without, 3).found.designs.tolist()


def jobs(count: int) -> Program:
    """Trace a question of several jobs of 5e5 designs each, which share 40 nodes."""
    space = {
        f"{choice}_{job}": values
        for job in range(count)
        for choice, values in (
            ("nodes", range(1, 65)),
            ("batch", range(1, 129)),
            ("width", [1, 2, 4, 8]),
            ("depth", range(1, 17)),
        )
    }

    def evaluate(at: dict[str, Any]) -> dict[str, Any]:
        found = {"cost": 0.0, "nodes": 0}
        for job in range(count):
            nodes, batch, width, depth = (
                at[f"{choice}_{job}"] for choice in ("nodes", "batch", "width", "depth")
            )
            compute = (job + 2) * 900 / (nodes * (1 + 0.1 * depth * batch / (batch + 3 * width)))
            waste = (depth - 1) / batch + 0.02 * width + 0.001 * batch * nodes / width
            found["cost"] += compute * (1 + waste) + 3 * nodes
            found["nodes"] += nodes
        return found

    problem = Problem.of(space, "minimize: cost", {"shared": f"nodes <= {10 * count}"})
    return TracedQuestion(problem, evaluate).program()


@pytest.mark.parametrize("count", [2, 4])
def test_what_is_found_of_each_job_makes_the_best_of_all(count: int) -> None:
    """A few ten thousand designs of each block hold the parts of the best design, or nearly so."""
    program = jobs(count)
    blocks = Blocks(program)
    tables = {}
    for block in blocks.programs():
        scout = FrontScout(program=block, keep=1, seed=0, is_over=lambda: False)
        assert not scout.run()
        assert scout.evaluated < 25_000
        values = block.tabulate(scout.found.designs)
        assert np.array_equal(values.values, scout.found.values)
        assert values.holds.all()
        assert len(scout.found.undominated(1)) == len(scout.found)
        tables[block.names] = scout.found.designs
    product = RowProduct(program=blocks.program, tables=tables).thinned()
    assert product.is_small
    clock = Clock(SearchOptions())
    best, done = product.best(1, clock)
    assert done
    least = Minimizer(clock, lambda _: None).minimize(program, 1)
    assert least.proven
    assert best.values[0, 0] <= 1.005 * least.best.values[0, 0]


def test_a_scout_goes_on_where_it_was() -> None:
    """Round by round it looks at the designs that it would have looked at in one go."""
    program = traced("days")
    once, halting = (
        Scout(program=program, keep=3, seed=0, is_over=lambda: False) for _ in range(2)
    )
    assert not once.run()
    while halting.run(rounds=1):
        pass
    assert halting.evaluated == once.evaluated
    assert np.array_equal(halting.found.designs, once.found.designs)
