"""What a compiled model states as its error is true: in no solution is a number further off."""

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ortools.sat.python import cp_model
from question_files import MODELS, QUESTIONS
from strategies import Case, cases, examples

from mlsysim import Models, Systems
from mlsysim.core.dse import DSE
from mlsysim.core.pipeline import Pipeline
from mlsysim.core.solver import (
    ContinuousBatchingModel,
    DistributedModel,
    EconomicsModel,
    ServingEconomicsModel,
)
from mlsysim.errors import MetricError, TracingError
from mlsysim.expr.evaluate import over_designs
from mlsysim.expr.functions import ceil
from mlsysim.files.question import load
from mlsysim.search.cpsat.compiling import CompiledModel
from mlsysim.search.cpsat.lowering.lowered import Aim
from mlsysim.search.cpsat.lowering.not_lowerable import NotLowerableError
from mlsysim.search.cpsat.lowering.scaled import Scaled

NAMES = [str(file.relative_to(MODELS)) for file in QUESTIONS]
FEASIBLE = [name for name in NAMES if not name.startswith("infeasible/")]
DESIGNS = 2
# Far less than what one count more adds to a cost.
LARGEST_OFF = 1e-3


def extremes(
    compiled: CompiledModel, design: Sequence[int], number: cp_model.LinearExprT
) -> list[float] | None:
    """Give the least and the greatest value of an expression in solutions of one design."""
    lowered, found = compiled.lowered, []
    for maximised in (False, True):
        model = compiled.model.clone()
        places = dict(zip(lowered.lowering.names, design, strict=True))
        for name, position in lowered.positions.items():
            model.add(position == places[name])
        model.proto.clear_objective()
        if maximised:
            model.maximize(number)
        else:
            model.minimize(number)
        solver = cp_model.CpSolver()
        solver.parameters.num_workers = 1
        # OR-Tools 9.15 loses solutions by it where a factor of a product has two values left.
        solver.parameters.auto_detect_greater_than_at_least_one_of = False
        solver.parameters.max_deterministic_time = 0.2
        status = solver.solve(model)
        if status == cp_model.UNKNOWN:
            return None
        assert status in {cp_model.OPTIMAL, cp_model.FEASIBLE}
        found.append(solver.objective_value)
    return found


def assert_true(compiled: CompiledModel, design: Sequence[int]) -> None:
    """Compare the objective that solutions of a design tell with its own."""
    ends = extremes(compiled, design, compiled.objective)
    if ends is None:  # the solver did not come to it
        return
    question = compiled.question
    exact = question.point(design).objective_in(question.unit)
    for end in ends:
        told = compiled.objective_bound(end)
        # A bound is on the safe side by no more than that, too.
        assert abs(told - exact) <= 2 * compiled.objective_error


@pytest.mark.parametrize("name", FEASIBLE)
def test_the_error_of_a_question_is_true(name: str) -> None:
    """The best designs of each file, fixed in its model, tell their objective to the error."""
    question = load(MODELS / name)
    compiled = question.explorer.compile(question.evaluate)
    best = question.solve(top=DESIGNS)
    domains = question.problem.space.items()
    for candidate in best.top_candidates:
        assert_true(compiled, [d.index(candidate.params[choice]) for choice, d in domains])


TIGHT = {
    "training/tutorial.toml": 1e-9,
    "training/days_to_train.toml": 1e-6,
    "training/many_layouts.toml": 1e-3,
    "serving/cheapest_region.toml": 1e-6,
    # A cost over a rate, whose batch is above and below, and two kinds of tokens of one rate.
    "serving/chat_on_one_accelerator.toml": 1e-3,
    "serving/deepseek_v3.toml": 0.1,
}


@pytest.mark.parametrize("name", TIGHT)
def test_the_error_of_a_question_is_small(name: str) -> None:
    """It is of use: a small share of the objective."""
    question = load(MODELS / name)
    compiled = question.explorer.compile(question.evaluate)
    best = question.solve(top=1).best_objective
    assert compiled.objective_error <= TIGHT[name] * abs(best)
    assert f"within {compiled.objective_error:.2g}" in compiled.describe()


TRAINING: dict[str, Any] = {
    "nodes": range(16, 257, 16),
    "batch_size": range(128, 1025, 128),
    "tp_size": [1, 2, 4, 8],
    "pp_size": [1, 2, 4, 5, 8, 10],
    "micro_batch_size": [1, 2, 4],
    "zero_stage": [0, 1, 2, 3],
    "recompute": ["none", "selective", "full"],
}
SERVING: dict[str, Any] = {
    "fleet": [Systems.Accelerators.H100_SXM, Systems.Accelerators.A100_80GB_SXM],
    "precision": ["bf16", "fp8"],
    "tp_size": [1, 2, 4, 8],
    "pp_size": [1, 2, 4],
    "batch_size": range(1, 257),
    "replicas": range(1, 129),
}


def training(params: dict[str, Any]) -> Any:
    """Train on a cluster, and price it."""
    return Pipeline([DistributedModel(), EconomicsModel()]).run(
        model=Models.Language.Llama3_70B,
        fleet=Systems.Clusters.Production_2K,
        seq_len=8192,
        duration_days=30,
        **params,
    )


def serving(params: dict[str, Any]) -> Any:
    """Serve requests, and price them."""
    return Pipeline([ContinuousBatchingModel(), ServingEconomicsModel()]).run(
        model=Models.Language.Llama3_70B,
        input_tokens=1024,
        output_tokens=256,
        request_rate=20.0,
        **params,
    )


Asked = tuple[dict[str, Any], str, str, Callable[[dict[str, Any]], Any]]
PACE = "2e12 / DistributedModel.effective_throughput <= 50 day"
LARGE: dict[str, Asked] = {
    "dollars": (TRAINING, "minimize: EconomicsModel.usd_per_million_tokens", PACE, training),
    "throughput": (TRAINING, "maximize: DistributedModel.effective_throughput", PACE, training),
    "step": (TRAINING, "minimize: DistributedModel.step_latency_total", PACE, training),
    "tokens": (
        SERVING,
        "minimize: ServingEconomicsModel.usd_per_million_tokens",
        "ContinuousBatchingModel.inter_token_latency <= 50 ms",
        serving,
    ),
}


@pytest.mark.parametrize("name", LARGE)
def test_the_error_of_a_large_question_is_finite_and_true(name: str) -> None:
    """Where no group of literals holds the counts of microbatches, rows wait or rates divide."""
    space, objective, limit, evaluate = LARGE[name]
    compiled = DSE(space=space, objective=objective, constraints=[limit]).compile(evaluate)
    assert np.isfinite(compiled.objective_error)
    program = compiled.question.program()
    random = np.random.default_rng(0)
    drawn = random.integers(0, list(program.lengths.values()), (4096, len(program.names)))
    feasible = program.rows(drawn).designs
    assert len(feasible) >= DESIGNS
    for design in feasible[:DESIGNS].tolist():
        assert_true(compiled, design)


def test_a_count_that_no_group_holds_is_certain() -> None:
    """``ceil(a / b)`` of whole numbers is one number, however ``a / b`` was rounded."""
    space = {name: range(1, 200) for name in ("batch", "nodes", "micro")}

    def evaluate(p: dict[str, Any]) -> dict[str, Any]:
        count = ceil(ceil(p["batch"] / p["nodes"]) / p["micro"])
        return {"cost": count * 0.7 + p["nodes"] / 100}

    compiled = DSE(space=space, objective="minimize: cost").compile(evaluate)
    assert compiled.objective_error < LARGEST_OFF
    for design in ([98, 32, 0], [98, 32, 2], [197, 6, 10], [5, 1, 2]):
        assert_true(compiled, design)


def test_a_reciprocal_rounded_to_zero_tells_no_more_than_there_is() -> None:
    """Of n from 0.25 to 8.5, in units of 1, a zero tells 10 / 0.25; the ends bound the error."""
    number = Scaled(expression=0, low=0, high=8, slack=0.5, spread=0.5)
    aim = Aim(number=number, factor=-10.0, least=0.25)
    assert aim.objective(0) == pytest.approx(-40.0)
    assert aim.objective(8) == pytest.approx(-10 / 7.5)
    assert aim.error == pytest.approx(10 * (1 / 0.25 - 1 / 8.5))


@given(case=cases(), data=st.data())
@examples(60)
def test_the_error_of_a_random_formula_is_true(case: Case, data: st.DataObject) -> None:
    """Objective and metrics, at any design that the requirements allow."""
    try:
        compiled = DSE.of(case.problem).compile(case)
        load_of = compiled.metrics["load"]
    except (NotLowerableError, TracingError, MetricError):
        return
    grid = list(
        itertools.product(*(range(len(domain)) for _, domain in case.problem.space.items()))
    )
    allowed = [design for design in grid if compiled.question.point(design).is_feasible]
    if not allowed:
        return
    design = data.draw(st.sampled_from(allowed))
    assert_true(compiled, design)
    metric = compiled.question.metric("load")
    at = {name: np.array([place]) for name, place in zip(case.space, design, strict=True)}
    (exact,) = over_designs([metric.node], at, compiled.question.formulation.columns)
    ends = extremes(compiled, design, load_of.expression)
    if ends is not None and np.isfinite(exact).all():
        off = max(abs(end * load_of.scale - float(np.ravel(exact)[0])) for end in ends)
        assert off <= load_of.error * (1 + 1e-12)
