"""Pictures are axes of matplotlib: on a figure of their own, or on the caller's."""

import itertools
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
    assert "x: no design" in second.get_xlabel()
    assert np.asarray(second.lines[1].get_xdata()).tolist() == [9]


def test_a_front_without_points_is_refused() -> None:
    """There is nothing to draw, and the message says where the reason is."""
    explorer = mlsysim.DSE(SPACE, GOALS[0], {"limit": "slack >= 9"})
    front = explorer.pareto(evaluate, objectives=GOALS)
    with pytest.raises(ParameterError, match="no points to draw"):
        plot.front(front)


LIMITS = [f"{ms} ms" for ms in (10, 15, 20, 30, 50, 100)]


@pytest.mark.parametrize("limits", [LIMITS, [f"{day} day" for day in range(10, 34)]])
def test_labels_of_a_sweep_do_not_cover_one_another(limits: list[str]) -> None:
    """Neither where limits grow by ratios, nor where there are many of them."""
    found = mlsysim.DSE({"x": [1, 2]}, "minimize: x", {"limit": f"time <= {limits[0]}"}).sweep(
        lambda params: {**params, "time": mlsysim.quantity(params["x"], "ms")},
        over={"limit": limits},
    )
    axes = plot.sweep(found)
    figure: Any = axes.figure
    figure.canvas.draw()
    boxes = [label.get_window_extent().get_points() for label in axes.get_xticklabels()]
    turned = axes.get_xticklabels()[0].get_rotation()
    for (low, high), (next_low, _) in itertools.pairwise(boxes):
        # What is turned by 45 degrees needs a line's height beside it, and not its length.
        width = 18 if turned else high[0] - low[0]
        assert low[0] + width <= next_low[0]


def test_a_picture_shows_itself_in_a_notebook() -> None:
    """Without pyplot, whose figures alone IPython knows."""
    figure: Any = plot.front(EXPLORER.pareto(evaluate, objectives=GOALS)).figure
    assert figure._repr_png_().startswith(b"\x89PNG")
