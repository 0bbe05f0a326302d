"""Bounds at corners: nowhere above what a box holds, and far closer to it than ranges are."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from real_questions import QUESTIONS, traced
from strategies import LONG, Case, cases, examples

from mlsysim.search.cpsat.presolve import Presolve
from mlsysim.search.cpsat.program import estimates
from mlsysim.search.cpsat.program.boxes import Boxes, whole
from mlsysim.search.cpsat.program.program import Program
from mlsysim.search.cpsat.question.question import TracedQuestion
from mlsysim.search.cpsat.solving.clock import Clock
from mlsysim.search.options import SearchOptions

# MLSYSIM_LONG=300 looks at a million boxes of each question; as it is, at a few thousand.
_BOXES = 3000
_INSIDE = 8


def boxes_of(program: Program, random: np.random.Generator, count: int) -> Boxes:
    """Draw boxes of all sizes; most choices of most of them stand at one position."""
    lengths = np.array(list(program.lengths.values()))
    first = random.integers(0, lengths, (count, len(lengths)))
    more = (random.random(first.shape) ** 6 * lengths).astype(np.int64)
    more[random.random(first.shape) < random.random()] = 0
    last = np.minimum(first + more, lengths - 1)
    return Boxes(first=first, last=last, bound=np.full((count, 1), -np.inf))


@pytest.mark.parametrize("name", QUESTIONS)
def test_no_design_of_a_box_is_below_its_bound(name: str) -> None:
    """Neither an objective nor the gap of a comparison that holds is below what is read."""
    program, random = traced(name), np.random.default_rng(None if LONG else 1)
    checked = 0
    for _ in range(max(LONG, 1)):
        boxes = boxes_of(program, random, _BOXES)
        bounded, _ = program.bound_with_gaps(boxes)
        for _ in range(_INSIDE):
            ends = random.random(boxes.first.shape)
            inner = boxes.first + np.floor(ends * (boxes.last - boxes.first + 1)).astype(np.int64)
            designs = np.where(ends < 0.2, boxes.first, np.where(ends > 0.8, boxes.last, inner))
            table = program.tabulate(designs)
            met = table.holds.all(axis=0)
            assert np.all(bounded.bound[met, 0] <= table.values[met, 0])
            checked += int(met.sum())
    assert checked > 0


@pytest.mark.parametrize("name", QUESTIONS)
def test_an_objective_is_finite_over_the_whole_space(name: str) -> None:
    """No look-up leaves the one box of all designs open: so it can be rearranged at all."""
    program = traced(name)
    bounded, gaps = program.bound_with_gaps(whole(list(program.lengths.values())))
    assert np.all(np.isfinite(bounded.bound))
    assert np.all(np.isfinite(gaps) | (gaps == -np.inf))


# What [tp, pp, micro, virtual, zero, recompute, overlap] a box stands at, and how close it is.
# With pp=3 the ranks are rounded down to whole groups; with "data" a share of the exchange is
# hidden behind compute, by a difference that may have either sign.
CLOSE = {
    "powers of two": ([2, 4, 0, 0, 1, 1, 0], 0.99),
    "groups rounded down": ([2, 2, 0, 0, 3, 1, 0], 0.68),
    "hidden exchange": ([3, 2, 0, 0, 1, 1, 1], 0.99),
}


@pytest.mark.parametrize("name", CLOSE)
def test_a_bound_at_the_corner_is_close(name: str) -> None:
    """Over 32 counts of nodes and 512 batch sizes at once it is close to the least value.

    The range of the formula as it is, or rearranged, begins at half of that.
    """
    program = traced("dollars")
    at, share = CLOSE[name]
    first, last = np.array([[64, 1535, *at]]), np.array([[95, 2046, *at]])
    box = Boxes(first=first, last=last, bound=np.array([[-np.inf]]))
    least = program.tabulate(box.designs()).values[:, 0].min()
    assert share * least <= program.bound(box).bound[0, 0] <= least


# A third more than it takes; before rounded counts and differences were taken apart 108,664,
# 227,189, 55,774 and 315,513.
BOXES = {
    "throughput": 90_000,
    "dollars": 75_000,
    "days": 35_000,
    "fleets": 110_000,
    "reading": 1_000,
}


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_proof_takes_few_boxes(name: str) -> None:
    """A form of the formula that bounds badly shows as boxes, before anyone measures seconds."""
    program = traced(name)
    clock = Clock(SearchOptions())
    presolve = Presolve(program=program, keep=1, clock=clock, on_progress=lambda _: None)
    assert presolve.run(BOXES[name])


@given(cases(), st.data())
@examples(60)
def test_any_formula_is_bounded_at_its_corners(case: Case, data: st.DataObject) -> None:
    """Whatever the operations and their signs, no design of a box is below the box's bound."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(estimates, "_FEWEST_POSITIONS", 2)
        program = TracedQuestion(case.problem, case).program()
        ends = [
            sorted(data.draw(st.integers(0, length - 1)) for _ in range(2))
            for length in program.lengths.values()
        ]
        first, last = (np.array([side], np.int64) for side in zip(*ends, strict=True))
        box = Boxes(first=first, last=last, bound=np.array([[-np.inf]]))
        bounded, _ = program.bound_with_gaps(box)
        inside = program.rows(box.designs())
        assert np.all(bounded.bound[0, 0] <= inside.values[:, 0])
