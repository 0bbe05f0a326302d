"""The serving stages give the same metrics for numbers, arrays and traced values."""

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from mlsysim.catalog import Models, Systems
from mlsysim.core.solver import ContinuousBatchingModel, DisaggregatedModel, ServingModel
from mlsysim.errors import Infeasible
from mlsysim.expr.columns import Column
from mlsysim.expr.evaluate import over_designs
from mlsysim.expr.traced import Traced
from mlsysim.expr.tracing import parameters
from mlsysim.problem.space import SearchSpace
from mlsysim.stages.stage import ForwardModel, StageResult
from mlsysim.units import is_quantity

REQUEST: dict[str, list[Any]] = {
    "batch_size": [1, 7, 64, 1000],
    "input_tokens": [1, 1000, 9000],
    "output_tokens": [1, 300],
    "page_tokens": [1, 64],
    "chunk_tokens": [512, 8192],
    "prefix_hit_rate": [0.0, 0.3, 1.0],
    "prefixes": [0, 2, 5000],
    "host_cache": [0, 100, 5000],
    "draft_tokens": [0, 3],
    "draft_acceptance": [0.0, 0.6, 1.0],
    "draft_layers": [1, 2],
    "memory_fraction": [0.5, 0.9],
}
LAYOUT: dict[str, list[Any]] = {
    "tp_size": [1, 3, 8, 16],
    "pp_size": [1, 2, 7],
    "ep_size": [1, 4],
    "redundant_experts": [0, 4, 7],
    "attention_dp_size": [1, 4],
    "replicas": [1, 5],
}
LOAD: dict[str, list[Any]] = {"request_rate": [0.01, 3.0, 500.0], "utilization_limit": [0.5, 0.95]}
NAMED: dict[str, list[Any]] = {
    "model": [
        Models.Language.Llama3_70B,
        Models.Language.DeepSeek_V3,
        Models.Language.Mixtral_8x7B,
        Models.Language.GPT_OSS_120B,
    ],
    "precision": ["bf16", "fp8"],
    "weight_precision": [None, "bf16", "fp8_block", "mxfp4", "int4"],
    "attention_precision": [None, "fp8", "bf16"],
    "kv_precision": ["bf16", "fp8", "int4_per_token_head"],
    "runtime": ["vllm", "tensorrt_llm"],
    "draft_model": [Models.Language.Llama3_2_1B, Models.Language.Qwen3_0_6B, None],
}
FLEETS = [Systems.Nodes.DGX_H100, Systems.Clusters.Lab_64_A100, Systems.Accelerators.MI300X]
POOLS = {
    **{f"prefill_{name}": values for name, values in LAYOUT.items()},
    **{f"decode_{name}": values for name, values in LAYOUT.items()},
}
QUESTIONS: list[tuple[ForwardModel, dict[str, list[Any]], dict[str, list[Any]]]] = [
    (ServingModel(), {**REQUEST, **LAYOUT}, {**NAMED, "fleet": FLEETS}),
    (ContinuousBatchingModel(), {**REQUEST, **LAYOUT, **LOAD}, {**NAMED, "fleet": FLEETS}),
    (
        DisaggregatedModel(),
        {**REQUEST, **POOLS, **LOAD, "transfer_bandwidth": [1, 50]},
        {**NAMED, "prefill_fleet": FLEETS, "decode_fleet": FLEETS[:2]},
    ),
]
IDS = [type(stage).__name__ for stage, *_ in QUESTIONS]


def numbers(report: StageResult) -> Iterator[tuple[str, Any]]:
    """List every metric and every verdict without its unit."""
    for field in dataclasses.fields(report):
        value = getattr(report, field.name)
        if field.name == "checks":
            yield from ((f"check: {name}", check.holds) for name, check in value.items())
        else:
            yield field.name, value.magnitude if is_quantity(value) else value


@pytest.mark.parametrize(("stage", "numeric", "named"), QUESTIONS, ids=IDS)
def test_arrays_give_what_numbers_give(
    stage: ForwardModel, numeric: dict[str, list[Any]], named: dict[str, list[Any]]
) -> None:
    """Every numeric choice as an array of 100 designs, against one design at a time."""
    chooser = np.random.default_rng(3)
    designs = [{k: v[chooser.integers(len(v))] for k, v in numeric.items()} for _ in range(100)]
    columns = {name: np.array([float(d[name]) for d in designs]) for name in numeric}
    fixed = {name: values[0] for name, values in named.items()}
    block = dict(numbers(stage.solve(**fixed, **columns)))
    for place, design in enumerate(designs):
        for name, value in numbers(stage.solve(**fixed, **design)):
            entry = block[name][place] if np.ndim(block[name]) else block[name]
            assert float(entry) == pytest.approx(float(value), rel=1e-12), (name, design)


@pytest.mark.parametrize(("stage", "numeric", "named"), QUESTIONS, ids=IDS)
def test_traced_values_give_what_numbers_give(
    stage: ForwardModel, numeric: dict[str, list[Any]], named: dict[str, list[Any]]
) -> None:
    """Every choice traced at once, models, fleets and texts among them."""
    space = SearchSpace({**numeric, **named})
    _, traced = parameters(space)
    symbolic = dict(numbers(stage.solve(**traced)))
    roots = {name: value.node for name, value in symbolic.items() if isinstance(value, Traced)}
    assert {"time_to_first_token", "request_rate", "max_concurrency"} <= set(roots)

    chooser = np.random.default_rng(5)
    positions = {name: chooser.integers(0, len(domain), 60) for name, domain in space.items()}
    columns = {
        name: Column([float(domain[place]) for place in range(len(domain))])
        for name, domain in space.items()
        if domain.is_numeric
    }
    values = dict(zip(roots, over_designs(roots.values(), positions, columns), strict=True))
    compared = 0
    for place in range(60):
        design = {name: domain[int(positions[name][place])] for name, domain in space.items()}
        try:
            plain = dict(numbers(stage.solve(**design)))
        except Infeasible:
            continue  # a precision that the accelerator lacks, which the trace guards against
        compared += 1
        for name, column in values.items():
            # Conditions on what a design does not have hold.
            expected = float(plain.get(name, True) if name.startswith("check") else plain[name])
            assert column[place] == pytest.approx(expected, rel=1e-12), (name, design)
    assert compared > 20
