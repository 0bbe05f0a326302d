"""Pictures are axes of matplotlib: on a figure of their own, or on the caller's."""

from typing import Any

import numpy as np
import pytest

import mlsysim
from mlsysim import plot
from mlsysim.errors import ParameterError

figures = pytest.importorskip("matplotlib.figure")
GOALS = ["minimize: x", "maximize: y"]
SPACE = {"x": [1, 2, 3], "y": [1, 2, 3]}


def evaluate(params: dict[str, Any]) -> dict[str, Any]:
    """Give the choices; more of y takes more of x."""
    return {**params, "slack": params["x"] - params["y"]}


EXPLORER = mlsysim.DSE(SPACE, GOALS[0], {"limit": "slack >= 0"})


def test_a_front_has_a_dot_for_each_point() -> None:
    """X = y, so that there are three; the title says that the front is complete."""
    front = EXPLORER.pareto(evaluate, objectives=GOALS)
    axes = plot.front(front, "Which?")
    (dots,) = axes.collections
    assert sorted(map(tuple, np.asarray(dots.get_offsets()).tolist())) == [(1, 1), (2, 2), (3, 3)]
    assert axes.get_title() == "Which?\nPareto front of 3 points, complete (proven)"


def test_a_sweep_is_drawn_where_the_caller_wants_it() -> None:
    """Of two panels the second has the curve; no design meets the last limit."""
    found = EXPLORER.sweep(evaluate, over={"limit": ["0", "2", "9"]})
    first, second = figures.Figure().subplots(1, 2)
    assert plot.sweep(found, axes=second) is second
    assert not first.lines
    assert np.asarray(second.lines[0].get_ydata()).tolist() == [1, 3]
    assert "dotted: no design" in second.get_xlabel()


def test_a_front_without_points_is_refused() -> None:
    """There is nothing to draw, and the message says where the reason is."""
    explorer = mlsysim.DSE(SPACE, GOALS[0], {"limit": "slack >= 9"})
    front = explorer.pareto(evaluate, objectives=GOALS)
    with pytest.raises(ParameterError, match="no points to draw"):
        plot.front(front)
