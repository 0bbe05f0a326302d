"""A choice between None and a value: None means the default, in every reading."""

import itertools
from typing import Any

import numpy as np
import pytest
from stage_designs import STAGES, arguments_of, metrics

from mlsysim.catalog import Infrastructure, Models, Systems
from mlsysim.core.dse import DSE, SearchSpace
from mlsysim.core.pipeline import Pipeline
from mlsysim.core.solver import (
    ContinuousBatchingModel,
    DistributedModel,
    EconomicsModel,
    ServingModel,
    SingleNodeModel,
)
from mlsysim.errors import Infeasible, InputError, MissingFigureError
from mlsysim.expr.evaluate import over_designs
from mlsysim.expr.traced import Traced
from mlsysim.expr.tracing import parameters
from mlsysim.stages.stage import ForwardModel
from mlsysim.units import is_quantity, quantity

# Values beside None for every argument whose default it is.
BESIDE: dict[str, list[Any]] = {
    "weight_precision": ["fp8", "int4"],
    "attention_precision": ["bf16", "fp8"],
    "request_rate": [0.5, 3.0],
    "transfer_bandwidth": [20.0, 300.0],
    "efficiency": [0.3, 0.5],
    "nodes": [32, 64],
    "recompute_layers": [1, 8],
    "first_stage_layers": [7, 20],
    "last_stage_layers": [7, 20],
    "stage_layers": [(32,), (20, 12)],
    "stack": ["torchtitan", "deepspeed"],
    "zero_group": [2, 8],
    "graphs": ["none", "full"],
    "dispatcher": ["alltoall", "deepep"],
    "adapter_rank": [4, 16],
    "host_memory": [100.0, 2000.0],
    "document_len": [256, 1024],
    "base_format": ["nf4", "int8"],
    "electricity_price": [0.05, 0.2],
    "pue": [1.1, 1.5],
    "effective_throughput": [quantity(1e5, "1/s"), quantity(2e5, "1/s")],
    "checkpoint_interval": [600.0, 3600.0],
    "checkpoint_size": [100.0, 1500.0],
    "state_bytes_per_parameter": [12.0, 18.0],
    "accelerator_hour_price": [1.5, 4.0],
    "region": [Infrastructure.Grids.Quebec, Infrastructure.Grids.Poland],
    "tokens_per_second": [quantity(500.0, "1/s"), quantity(900.0, "1/s")],
    "input_tokens_per_second": [quantity(2e3, "1/s"), quantity(4e3, "1/s")],
    "prefill_share": [0.2, 0.4],
    "demand": [2.0, 8.0],
    "rental_price": [1.0, 5.0],
    "runtime_reserve": [quantity(0.5, "GiB"), quantity(3.0, "GiB")],
    "host_cache": [200.0, 1500.0],
    "draft_model": [Models.Language.Llama3_2_1B, Models.Language.Qwen3_0_6B],
    "draft_tp_size": [1, 2],
}
# What else is given, so that they apply.
BESIDES: dict[str, dict[str, Any]] = {
    "host_cache": {"prefix_hit_rate": 0.5, "prefixes": 100_000},
    "draft_model": {"draft_tokens": 2},
    "draft_tp_size": {"draft_tokens": 2, "draft_model": Models.Language.Llama3_2_1B},
}
OPTIONAL = [
    pytest.param(stage, name, id=f"{stage.__name__}.{name}")
    for stage in STAGES
    for name, item in stage.inputs().items()
    if item.default is None
]


@pytest.mark.parametrize(("stage", "name"), OPTIONAL)
def test_every_optional_argument_is_traced(stage: type[ForwardModel], name: str) -> None:
    """Traced, each metric and verdict is what plain numbers give, with None and with values."""
    assert name in BESIDE, f"add values for {name}"
    given = {**arguments_of(stage), **BESIDES.get(name, {}), name: None}
    values = [None, *BESIDE[name]]
    space = SearchSpace({name: values})
    _, traced = parameters(space)
    symbolic = dict(metrics(stage().solve(**{**given, **traced})))
    roots = {key: value.node for key, value in symbolic.items() if isinstance(value, Traced)}
    assert roots
    positions = {name: np.arange(3)}
    columns = dict(zip(roots, over_designs(roots.values(), positions, {}), strict=True))
    for place, value in enumerate(values):
        plain = dict(metrics(stage().solve(**{**given, name: value})))
        for key, found in symbolic.items():
            wanted = plain.get(key)
            is_at = np.broadcast_to(columns[key], 3)[place] if key in columns else found
            if wanted is None and key.startswith("check"):
                assert is_at, key  # a condition that this design does not have
            elif wanted is None:
                assert is_at is None or np.isnan(is_at), key
            else:
                assert float(is_at) == pytest.approx(float(wanted), rel=1e-12), (key, value)


SERVING: dict[str, Any] = {
    "model": Models.Language.Llama3_8B,
    "input_tokens": 1000,
    "output_tokens": 200,
    "precision": "bf16",
}
QUESTIONS: dict[str, tuple[list[ForwardModel], dict[str, Any], dict[str, list[Any]], str]] = {
    "formats": (
        [ServingModel()],
        SERVING,
        {
            # A100 has no arithmetic in fp8: None and "bf16" remain for attention
            "fleet": [Systems.Nodes.DGX_H100, Systems.Clusters.Lab_64_A100],
            "weight_precision": [None, "fp8", "int4"],
            "attention_precision": [None, "bf16", "fp8"],
            "batch_size": [1, 16, 64],
        },
        "maximize: ServingModel.tokens_per_second",
    ),
    "rates": (
        [ContinuousBatchingModel()],
        {**SERVING, "fleet": Systems.Nodes.DGX_H100},
        {
            "request_rate": [None, 2.0, 500.0],
            "batch_size": [8, 16, 64],
            "attention_precision": [None, "fp8"],
        },
        "minimize: ContinuousBatchingModel.request_latency",
    ),
    "nodes": (
        [DistributedModel(), EconomicsModel()],
        {
            "model": Models.Language.Llama3_8B,
            "fleet": Systems.Clusters.Frontier_8K,
            "batch_size": 4096,
            "duration_days": 10,
        },
        {
            "nodes": [None, 16, 64],
            "efficiency": [0.4, None],
            "pue": [None, 1.1],
            "tp_size": [1, 2, 4],
        },
        "minimize: EconomicsModel.usd_per_million_tokens",
    ),
}


@pytest.mark.parametrize("name", QUESTIONS)
def test_every_method_gives_the_same_answer(name: str) -> None:
    """CP-SAT traces the choices, and finds what walking over plain designs finds."""
    stages, fixed, space, objective = QUESTIONS[name]
    pipeline = Pipeline(stages)

    def evaluate(design: dict[str, Any]) -> Any:
        return pipeline.run(**fixed, **design)

    question = DSE(space, objective)
    found = question.search(evaluate, method="auto", top=10)
    assert found.method == "cp-sat"  # not walked for want of a trace
    best: list[float] = []
    measure = objective.rpartition(".")[2]
    for values in itertools.product(*space.values()):
        try:
            result = evaluate(dict(zip(space, values, strict=True)))
        except Infeasible:
            continue
        if all(stage.feasible for stage in result.values()):
            value = getattr(result[stages[-1].name], measure)
            best.append(value.magnitude if is_quantity(value) else value)
    best.sort(reverse=objective.startswith("max"))
    tops = [one["objective_value"] for one in found["top_candidates"]]
    assert tops == pytest.approx(best[:10], rel=1e-9)
    assert question.cross_check(evaluate).agrees


def test_a_choice_of_none_has_no_number() -> None:
    """A constraint cannot compare it; the message names the choice."""
    _, fixed, space, objective = QUESTIONS["nodes"]
    pipeline = Pipeline([DistributedModel(), EconomicsModel()])
    with pytest.raises(InputError, match="nodes"):
        DSE(space, objective, ["nodes * 2 <= 64"]).search(
            lambda design: pipeline.run(**fixed, **design)
        )


A100 = Systems.Accelerators.A100_40GB_SXM


def lone(question: DSE, method: str) -> Any:
    """Ask for one pass of a model, where nobody has measured what products reach."""
    pipeline = Pipeline([SingleNodeModel()])
    fixed = {"model": Models.Language.BERT_Large, "accelerator": A100, "precision": "bf16"}
    return question.search(lambda design: pipeline.run(**fixed, **design), method=method)


@pytest.mark.parametrize("values", [[None, 0.2], [0.2, None]])
@pytest.mark.parametrize("method", ["cp-sat", "exhaustive"])
def test_a_default_that_nobody_has_measured_is_missed_by_every_method(
    method: str, values: list[Any]
) -> None:
    """An efficiency is stated in one design and lacks in the other: each says which figure."""
    assert not A100.has("matmul_efficiencies")
    question = DSE({"efficiency": values}, "minimize: SingleNodeModel.latency")
    with pytest.raises(MissingFigureError, match="no measured 16-bit matrix product"):
        lone(question, method)


@pytest.mark.parametrize("method", ["cp-sat", "exhaustive"])
def test_a_default_that_is_impossible_rules_out_itself_alone(method: str) -> None:
    """No engine has a cache in a format: with None there is no design, with a value there is."""

    class Kept(ForwardModel):
        def solve(self, *, bits: int | None = None, batch: int = 1) -> dict[str, Any]:
            if bits is None:
                raise Infeasible("nothing is kept in no bits")
            return {"size": bits * batch}

    question = DSE({"bits": [None, 8, 4], "batch": [3, 2]}, "minimize: size")
    found = question.search(lambda design: Kept().solve(**design), method=method)
    assert found.method == method
    assert found.best_params == {"bits": 4, "batch": 2}
    assert found.best_objective == 8
