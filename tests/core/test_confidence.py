"""Constraints with a confidence: they hold at that quantile of the errors of measured runs."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from mlsysim.catalog import Models, Systems
from mlsysim.core.dse import DSE
from mlsysim.core.pipeline import Pipeline
from mlsysim.core.solver import (
    DisaggregatedModel,
    DistributedModel,
    EconomicsModel,
    MixedFleetModel,
    ServingEconomicsModel,
    ServingModel,
    SingleNodeModel,
)
from mlsysim.errors import ConfidenceError, ConstraintError
from mlsysim.files.question import load
from mlsysim.problem.constraint import Constraint
from mlsysim.problem.problem import Problem
from mlsysim.search.method import Method
from mlsysim.stages.error_classes import Quantity, error_classes
from mlsysim.units import magnitude

A = Systems.Accelerators
PIPELINE = Pipeline([ServingModel(), ServingEconomicsModel()])
FLEETS = [A.H100_SXM, A.MI300X, A.A100_80GB_SXM, A.TPU_v6e]
SPACE: dict[str, Any] = {"fleet": FLEETS, "batch_size": [1, 2, 4, 8, 16, 32, 64]}
OBJECTIVE = "maximize: ServingModel.tokens_per_second"
LIMIT = 10.0
FAST = f"ServingModel.inter_token_latency <= {LIMIT} ms"
METHODS = [Method.CP_SAT, Method.BRANCH_AND_BOUND, Method.EXHAUSTIVE, Method.REFERENCE]
EXAMPLE = Path(__file__).parents[2] / "models" / "serving" / "fast_for_sure.toml"


def evaluate(params: Mapping[str, Any]) -> Any:
    """Serve a small model."""
    return PIPELINE.run(
        model=Models.Language.Llama3_1_8B, input_tokens=512, output_tokens=128, **params
    )


def slowed(params: Mapping[str, Any], level: float) -> float:
    """Give the time per token by hand: predicted, times the quantile of the class."""
    fleet = params["fleet"]
    if not fleet.has("calibration"):
        return math.inf
    found = error_classes().get(("ServingModel", fleet.calibration.name, "dense", Quantity.TOKEN))
    predicted = magnitude(evaluate(params).ServingModel.inter_token_latency, "ms")
    return math.inf if found is None else predicted * found.factor(level)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("confidence", [0.5, 0.8, 0.95])
def test_a_margin_is_the_quantile_of_the_class(method: Method, confidence: float) -> None:
    """By every method the best of the designs that are fast enough at the quantile, by hand."""
    fast = {"fast": {"require": FAST, "confidence": confidence}}
    found = DSE(SPACE, OBJECTIVE, fast).search(evaluate, method=method)
    designs = [
        {"fleet": fleet, "batch_size": size} for fleet in FLEETS for size in SPACE["batch_size"]
    ]
    good = [one for one in designs if slowed(one, confidence) <= LIMIT]
    best = max(good, key=lambda one: magnitude(evaluate(one).ServingModel.tokens_per_second, "1/s"))
    assert found.best_params == best
    assert found.margin is not None
    free = DSE(SPACE, OBJECTIVE, {"fast": FAST}).search(evaluate, method=method)
    assert free.margin is None
    assert found.margin.without.best_params == free.best_params
    assert found.margin.loss == pytest.approx(free.best_objective - found.best_objective)


def test_methods_tell_the_same() -> None:
    """Best designs, conflict and relaxations agree, also where nothing is measured or fits."""
    tight = {"fast": {"require": "ServingModel.inter_token_latency <= 1 ms", "confidence": 0.9}}
    for constraints in ({"fast": {"require": FAST, "confidence": 0.9}}, tight):
        dse = DSE(SPACE, OBJECTIVE, constraints)
        compared = dse.cross_check(evaluate)
        assert compared.agrees, compared


def test_what_was_never_measured_gives_no_confidence() -> None:
    """No serving run on a TPU was measured: it meets no constraint with a confidence."""
    only = {"fleet": [A.TPU_v6e], "batch_size": [1, 2]}
    free = DSE(only, OBJECTIVE, ["ServingModel.inter_token_latency <= 8000 ms"])
    assert free.search(evaluate)
    sure = {"fast": {"require": "ServingModel.inter_token_latency <= 8000 ms", "confidence": 0.6}}
    found = DSE(only, OBJECTIVE, sure).search(evaluate)
    assert found.status == "INFEASIBLE"
    assert found.conflict == ("fast",)
    with pytest.raises(ConfidenceError, match="no run like this was measured"):
        evaluate({"fleet": A.TPU_v6e, "batch_size": 1}).intervals()


def test_what_follows_from_predictions_follows_at_the_quantile() -> None:
    """A cost is held with a confidence, too: what is slower costs more."""
    costs = "ServingEconomicsModel.usd_per_million_output_tokens"
    one = {"fleet": A.H100_SXM, "batch_size": 8}
    result = evaluate(one)
    low, high = result.intervals()[costs].low, result.intervals()[costs].high
    predicted = result.ServingEconomicsModel.usd_per_million_output_tokens
    assert low < high
    assert high == pytest.approx(
        result.at_level(0.9).ServingEconomicsModel.usd_per_million_output_tokens
    )
    dse = DSE({"fleet": [A.H100_SXM], "batch_size": [8]}, OBJECTIVE)
    limit = (predicted + high) / 2
    if predicted < high:
        for confidence, fits in ((None, True), (0.9, False)):
            asked = Constraint.parse(f"{costs} <= {limit}", "cheap", confidence)
            found = DSE(dse.problem.space, OBJECTIVE, [asked]).search(evaluate)
            assert bool(found) is fits


def test_either_end_may_be_the_worse_one() -> None:
    """What must not be too fast is held at the other end of the errors."""
    one = {"fleet": [A.H100_SXM], "batch_size": [8]}
    rate = magnitude(
        evaluate({"fleet": A.H100_SXM, "batch_size": 8}).at_level(0.1).ServingModel.request_rate,
        "1/s",
    )
    for limit, fits in ((0.999 * rate, False), (1.001 * rate, True)):
        most = {
            "most": {"require": f"ServingModel.request_rate * (1 s) <= {limit}", "confidence": 0.9}
        }
        assert bool(DSE(one, OBJECTIVE, most).search(evaluate)) is fits


def test_every_model_has_a_pace() -> None:
    """Times of training and of both pools grow by the factor of their class, memory by its own."""
    cluster = Systems.Clusters.Frontier_8K
    run = Pipeline([DistributedModel(), EconomicsModel()]).run(
        model=Models.Language.Llama3_70B,
        fleet=cluster,
        batch_size=1024,
        tp_size=8,
        pp_size=4,
        duration_days=30,
    )
    classes = error_classes()
    for metric, quantity in (
        ("step_latency_total", Quantity.STEP),
        ("step_latency_compute", Quantity.STEP),
        ("memory_per_accelerator", Quantity.MEMORY),
    ):
        found = classes["DistributedModel", "Hopper", "dense", quantity]
        slow = getattr(run.at_level(0.75).DistributedModel, metric)
        factor = slow / getattr(run.DistributedModel, metric)
        assert magnitude(factor, "") == pytest.approx(found.factor(0.75))
    apart = Pipeline([DisaggregatedModel()]).run(
        model=Models.Language.Llama3_1_8B,
        prefill_fleet=A.H100_SXM,
        decode_fleet=A.A100_80GB_SXM,
        transfer_bandwidth=50,
        batch_size=8,
        input_tokens=512,
        output_tokens=128,
    )
    slow, plain = apart.at_level(0.9).DisaggregatedModel, apart.DisaggregatedModel
    first = classes["ServingModel", "Hopper", "dense", Quantity.FIRST].factor(0.9)
    later = classes["ServingModel", "Ampere", "dense", Quantity.TOKEN].factor(0.9)
    assert magnitude(slow.time_to_first_token / plain.time_to_first_token, "") == pytest.approx(
        first
    )
    assert magnitude(slow.decode_capacity / plain.decode_capacity, "") == pytest.approx(
        1 / later, rel=1e-3
    )


def test_a_result_at_a_level_is_that_of_the_same_arguments() -> None:
    """What depends on no prediction is the same; levels beyond the table are refused."""
    result = evaluate({"fleet": A.H100_SXM, "batch_size": 8})
    slow = result.at_level(0.9)
    assert slow.ServingModel.memory_per_accelerator == result.ServingModel.memory_per_accelerator
    assert "ServingModel.memory_weights" not in result.intervals()
    narrow, wide = result.intervals(0.5), result.intervals(0.9)
    for path, inner in narrow.items():
        assert wide[path].low <= inner.low <= inner.high <= wide[path].high


@pytest.mark.parametrize("confidence", [0, 0.3, 0.99, 1, "high", True])
def test_a_confidence_of_which_nothing_is_known_is_refused(confidence: Any) -> None:
    """There are too few measured runs for more than 0.95, and below 0.5 it is no confidence."""
    with pytest.raises(ConstraintError, match=r"from 0\.5 to 0\.95"):
        Constraint.parse(FAST, confidence=confidence)


def test_confidences_are_for_limits_of_what_the_models_predict() -> None:
    """Not for equations, for tables without a condition, nor for evaluators of one's own."""
    with pytest.raises(ConstraintError, match="nothing uncertain is equal"):
        Constraint.parse("ServingModel.inter_token_latency == 8 ms", confidence=0.9)
    with pytest.raises(ConstraintError, match="lacks the condition"):
        Problem.of({"x": [1]}, "minimize: x", {"a": {"confidence": 0.9}})
    with pytest.raises(ConstraintError, match="did you mean 'confidence'"):
        Problem.of({"x": [1]}, "minimize: x", {"a": {"require": "x <= 1", "confidance": 0.9}})
    own = DSE({"x": [1, 2]}, "minimize: cost", [{"require": "cost <= 3", "confidence": 0.9}])
    with pytest.raises(ConfidenceError, match="returns no result of a pipeline"):
        own.search(lambda params: {"cost": params["x"]}, method="reference")
    vision = Pipeline([SingleNodeModel()]).run(
        model=Models.Vision.ResNet50, accelerator=A.H100_SXM, batch_size=8, efficiency=0.4
    )
    with pytest.raises(ConfidenceError, match="no run like this was measured"):
        vision.intervals()
    assert MixedFleetModel().level is None


def test_what_relaxing_a_confident_limit_gains_keeps_its_confidence() -> None:
    """Explaining and sweeping move the limit, and the margin with it."""
    dse = DSE(SPACE, OBJECTIVE, {"fast": {"require": FAST, "confidence": 0.9}})
    told = dse.explain(evaluate, method="reference")
    (item,) = (one for one in told.requirements if one.name == "fast")
    relaxed = item.at(0.2)
    assert relaxed is not None
    assert relaxed.params is not None
    assert relaxed.objective is not None
    assert slowed(relaxed.params, 0.9) <= 1.2 * LIMIT
    assert relaxed.objective > told.result.best_objective
    assert told.result.margin is not None
    swept = dse.sweep(evaluate, {"fast": ["12 ms", "13 ms"]})
    assert all(slowed(point.result.best_params, 0.9) <= 13 for point in swept.points)
    assert all(point.result.margin is not None for point in swept.points)


def test_the_example_has_another_winner_for_its_confidence() -> None:
    """And that is the best of all designs under the margin, each evaluated by itself."""
    question = load(EXAMPLE)
    found = question.solve()
    assert found.margin is not None
    assert found.margin.without.best_params != found.best_params
    (limit,) = question.problem.constraints
    assert limit.confidence == 0.9
    space = question.problem.space
    good = {}
    for at in range(space.size):
        params = space.point(at)
        result = question.evaluate(params)
        ends = [limit.sides(result.at_level(end).__getitem__)[0] for end in (0.9, 0.1)]
        _, bound, _ = limit.sides(result.__getitem__)
        if result.feasibility.feasible and result.at_level(0.9).measured and max(ends) <= bound:
            good[at], _ = question.problem.objective.value(result.__getitem__)
    sign = question.problem.objective.sense.sign
    best = min(good, key=lambda at: sign * good[at])
    assert space.point(best) == found.best_params
    assert "it costs" in str(found)
    assert found.to_dict()["margin"]["loss"] == found.margin.loss
