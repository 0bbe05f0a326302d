"""Other answers to a question: one design, forced choices, ladders of limits."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlsysim import quantity
from mlsysim.core.dse import DSE
from mlsysim.errors import ParameterError, QuestionError, UnitError
from mlsysim.files.question import load
from mlsysim.files.settings import pairs
from mlsysim.problem.verdict import Check

MODELS = Path(__file__).parents[2] / "models"
LAYOUTS = MODELS / "training" / "step_within_1s.toml"
FLEETS = MODELS / "fleet" / "choice_of_fleet.toml"


def shop(params: Mapping[str, Any]) -> dict[str, Any]:
    """Earn 3 for each of x and 2 for each of y; y takes time, both take room."""
    x, y = params["x"], params["y"]
    return {
        "gain": 3 * x + 2 * y,
        "wait": quantity(10.0, "ms") * y,
        "room": {"checks": {"shelf": Check.at_most(x + y, 8)}},
    }


SPACE = {"x": [0, 1, 2, 3, 4, 5, 6], "y": [0, 1, 2, 3, 4, 5, 6]}
SHOP = DSE(SPACE, "maximize: gain", {"wait": "wait <= 40 ms", "few": "x <= 5"})


def test_one_design_is_priced_with_what_it_breaks() -> None:
    """Six and five: the shelf holds 8, the wait is 50 of 40 ms, and x is 6 of 5."""
    point = SHOP.evaluate(shop, {"x": 6, "y": 5})
    assert point.objective == 28.0
    assert point.broken == {
        ("wait", "wait <= 40 ms"),
        ("few", "x <= 5"),
        ("room.feasible", "shelf"),
    }
    assert SHOP.evaluate(shop, {"x": 5, "y": 3}).is_feasible


def test_a_design_outside_the_space_can_be_priced() -> None:
    """A value that is no choice is priced all the same; a name that is none is refused."""
    assert SHOP.evaluate(shop, {"x": 0.5, "y": 1}).objective == 3.5
    with pytest.raises(ParameterError, match="did you mean 'x'"):
        SHOP.evaluate(shop, {"xx": 1, "y": 1})
    with pytest.raises(ParameterError, match="nothing about 'y'"):
        SHOP.evaluate(shop, {"x": 1})


def test_forcing_a_choice_has_a_price() -> None:
    """Free: x = 5 and y = 3 earn 21.  With x = 2 the wait allows y = 4: 14, which costs 7."""
    told = SHOP.why_not(shop, {"x": 2})
    assert dict(told.best.best_params) == {"x": 5, "y": 3}
    assert dict(told.found.best_params) == {"x": 2, "y": 4}
    assert told.loss == 7.0
    assert told.relative_loss == pytest.approx(1 / 3)
    assert told.is_proven


def test_forcing_what_is_best_costs_nothing() -> None:
    """The best value, forced, is a tie."""
    assert SHOP.why_not(shop, {"x": 5}).loss == 0.0


def test_forcing_the_impossible_is_explained() -> None:
    """The choice x = 6 breaks the limit on x, and only that."""
    told = SHOP.why_not(shop, {"x": 6})
    assert told.loss is None
    assert told.found.status == "INFEASIBLE"
    assert told.found.conflict == ("few",)


@pytest.mark.parametrize("method", ["cp-sat", "exhaustive"])
def test_a_ladder_of_limits_is_a_list_of_answers(method: str) -> None:
    """The limit of the wait allows y = 1, 2, 4; with x = 5 that earns 17, 19, and 21 at y = 3."""
    found = SHOP.sweep(shop, {"wait": ["10 ms", "20 ms", "0.04 s"]}, method=method)
    assert [point.result.best_objective for point in found.points] == [17.0, 19.0, 21.0]
    assert [row[0] for row in found.rows()] == ["wait", "10 ms", "20 ms", "0.04 s"]


def test_ladders_combine_limits_choices_and_new_constraints() -> None:
    """Two values of one and two of another make four questions, the last changing fastest."""
    found = SHOP.sweep(shop, {"x": [0, 4], "gain <=": [10, 12]})
    # x = 0: y up to 4 earns 8.  x = 4: 12 is too much for 10, so nothing fits; 12 with y = 0.
    values = [point.result.best_objective if point.result else None for point in found.points]
    assert values == [8.0, 8.0, None, 12.0]
    assert found.over == ("x", "gain <=")


def test_an_executor_answers_side_by_side() -> None:
    """The points are independent questions: threads give the same answers in the same order."""
    ladder = {"wait": ["10 ms", "20 ms", "40 ms"]}
    with ThreadPoolExecutor(2) as executor:
        there = SHOP.sweep(shop, ladder, executor=executor)
    assert there.rows() == SHOP.sweep(shop, ladder).rows()


def test_what_cannot_be_swept_is_refused() -> None:
    """An unknown name gets the nearest ones, a limit without its unit the corrected text."""
    with pytest.raises(ParameterError, match="neither a constraint nor a choice; did you mean"):
        SHOP.sweep(shop, {"wat": [1]})
    with pytest.raises(ParameterError, match="needs a list of values"):
        SHOP.sweep(shop, {"wait": "10 ms"})
    with pytest.raises(ParameterError, match="something to vary"):
        SHOP.sweep(shop, {})
    with pytest.raises(UnitError, match="write 'wait <= 10 ms'"):
        SHOP.sweep(shop, {"wait": ["10"]})


def test_the_limit_may_stand_at_the_left() -> None:
    """``40 ms >= wait`` keeps its metric when its limit is replaced."""
    turned = DSE(SPACE, "maximize: gain", {"wait": "40 ms >= wait"})
    found = turned.sweep(shop, {"wait": ["20 ms"]})
    # y = 2, and x = 6 beside it: 18 + 4.
    assert found.points[0].result.best_objective == 22.0


@given(limits=st.lists(st.integers(0, 7), min_size=2, max_size=5, unique=True))
def test_a_wider_limit_is_never_worse(limits: list[int]) -> None:
    """Along a ladder that only widens, the optimum only grows."""
    steps = [f"{10 * limit} ms" for limit in sorted(limits)]
    found = SHOP.sweep(shop, {"wait": steps}, method="exhaustive")
    values = [point.result.best_objective for point in found.points]
    assert values == sorted(values)


def test_settings_of_a_file_are_read_as_the_file_would() -> None:
    """Choices by their labels, catalogue entries by name, arguments of models as numbers."""
    question, left = load(FLEETS).with_settings({"fleet": "Training_1K", "seq_len": "4096"})
    assert left == {"fleet": "Training_1K"}
    assert question.evaluate.fixed["seq_len"] == 4096
    priced = question.evaluate_at({"fleet": "Training_1K", "region": "US_Average"})
    assert priced.point.params["fleet"].name == "Training_1K"
    assert priced.borrowed == ("tp", "pp")
    assert priced.origin == "the best design"
    with pytest.raises(QuestionError, match="no Cluster 'Trainin_1K'"):
        question.evaluate_at({"fleet": "Trainin_1K"})
    with pytest.raises(ParameterError, match="did you mean 'tp'"):
        question.with_settings({"tq": "8"})


def test_what_is_given_whole_needs_no_search() -> None:
    """With every choice given, nothing is borrowed and nothing solved."""
    priced = load(LAYOUTS).evaluate_at({"batch_size": "256", "tp": "8", "pp": "8"})
    assert priced.best is None
    assert priced.borrowed == ()


def test_a_file_is_swept_over_an_argument_of_a_model() -> None:
    """What the file fixes can be varied: longer sequences, fewer of them in a second."""
    found = load(LAYOUTS).sweep({"seq_len": ["1024", "2048"]})
    tokens = [
        point.result.best_result["DistributedModel"].tokens_per_step for point in found.points
    ]
    chosen = [point.result.best_params["batch_size"] for point in found.points]
    assert tokens == [1024 * chosen[0], 2048 * chosen[1]]


@pytest.mark.parametrize("text", ["tp", "tp=", "=8", "tp=8,tp=4"])
def test_malformed_settings_are_refused(text: str) -> None:
    """A setting has a name and a value, and comes once."""
    with pytest.raises(ParameterError, match="--set"):
        pairs([text], "--set")
