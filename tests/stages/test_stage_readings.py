"""One evaluator, three readings: numbers, arrays and traced values give the same metrics."""

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pytest

from mlsysim.catalog import Models, Systems
from mlsysim.core.pipeline import Pipeline
from mlsysim.core.pipeline_result import PipelineResult
from mlsysim.core.solver import DistributedModel, EconomicsModel, SingleNodeModel
from mlsysim.errors import Infeasible
from mlsysim.expr.columns import Column
from mlsysim.expr.evaluate import over_designs
from mlsysim.expr.traced import Traced
from mlsysim.expr.tracing import parameters
from mlsysim.problem.space import SearchSpace
from mlsysim.units import is_quantity

FRONTIER = Systems.Clusters.Frontier_8K
NUMERIC: dict[str, list[Any]] = {
    "batch_size": [1, 64, 1000, 8192],
    "tp_size": [1, 2, 3, 8, 16],
    "pp_size": [1, 3, 4, 40, 90],
    "cp_size": [1, 2, 3, 8],
    "ep_size": [1, 2, 3, 8, 64],
    "seq_len": [512, 2048, 8192, 16384],
    "micro_batch_size": [1, 2, 4],
    "virtual_stages": [1, 2, 5],
    "zero_stage": [0, 1, 2, 3],
    "sequence_parallel": [False, True],
    "scatter_gather": [False, True],
    "fused_loss": [False, True],
    "optimizer_offload": [False, True],
    "activation_offload": [0.0, 0.5],
    "gradient_bytes": [2, 4, 6],
    "nodes": [1, 100, 1024, 2000],
    "efficiency": [0.3, 0.55],
    "duration_days": [1, 30.5],
    "electricity_price": [0.05, 0.2],
    "lifetime_years": [3, 5.5],
}
NAMED: dict[str, list[Any]] = {
    "model": [
        Models.Language.Llama3_70B,
        Models.Language.Mixtral_8x7B,
        Models.Language.DeepSeek_V3,
        Models.Language.GPT3_175B,
    ],
    "fleet": [
        FRONTIER,
        FRONTIER.replace(
            name="Older",
            node=Systems.Nodes.DGX_A100,
            nodes=100,
            pod_accelerators=400,
            oversubscription=3.0,
        ),
        FRONTIER.replace(
            name="Mesh", node=Systems.Nodes.Server_8x_MI300X, nodes=64, pod_accelerators=512
        ),
    ],
    "precision": ["bf16", "fp16", "fp8"],
    "recompute": ["none", "selective", "alternate", "full"],
    "schedule": ["1f1b", "interleaved", "zero-bubble"],
    "overlap": ["none", "data", "all"],
    "attention": ["causal", "full", "unfused"],
    "region": ["US_Average", "EU_Average"],
}
FIXED: dict[str, Any] = {name: values[0] for name, values in NAMED.items()}


def pipeline() -> Pipeline:
    """Make the tutorial's pipeline."""
    return Pipeline([DistributedModel(), EconomicsModel()])


def numbers(result: PipelineResult) -> Iterator[tuple[str, Any]]:
    """List every metric and every verdict without its unit."""
    for stage, report in result.items():
        for field in dataclasses.fields(report):
            value = getattr(report, field.name)
            if field.name == "checks":
                yield from ((f"{stage}: {name}", check.holds) for name, check in value.items())
            elif isinstance(value, Mapping):
                yield from ((f"{stage}.{field.name}.{key}", item) for key, item in value.items())
            elif value is not None:
                yield f"{stage}.{field.name}", value.magnitude if is_quantity(value) else value


@pytest.mark.parametrize(
    "words",
    [
        {},
        {"recompute": "selective", "schedule": "interleaved", "overlap": "all"},
        {"recompute": "full", "attention": "full", "model": Models.Language.DeepSeek_V3},
        {"schedule": "zero-bubble", "overlap": "none", "attention": "unfused"},
        {"overlap": "all", "model": Models.Language.Mixtral_8x7B, "precision": "fp8"},
    ],
)
def test_arrays_give_what_numbers_give(words: dict[str, Any]) -> None:
    """Every numeric choice as an array of 300 designs, against one design at a time."""
    chooser = np.random.default_rng(7)
    designs = [{k: v[chooser.integers(len(v))] for k, v in NUMERIC.items()} for _ in range(100)]
    columns = {name: np.array([float(d[name]) for d in designs]) for name in NUMERIC}
    fixed = {**FIXED, **words}
    block = dict(numbers(pipeline().run(**fixed, **columns)))
    for place, design in enumerate(designs):
        for name, value in numbers(pipeline().run(**fixed, **design)):
            entry = block[name][place] if np.ndim(block[name]) else block[name]
            assert float(entry) == pytest.approx(float(value), rel=1e-12), (name, design)


def test_traced_values_give_what_numbers_give() -> None:
    """Every choice traced at once, models, fleets and texts among them."""
    space = SearchSpace({**NUMERIC, **NAMED})
    _, traced = parameters(space)
    symbolic = dict(numbers(pipeline().run(**traced)))
    roots = {name: value.node for name, value in symbolic.items() if isinstance(value, Traced)}
    assert {name for name in symbolic if name.startswith("DistributedModel.step")} <= set(roots)

    chooser = np.random.default_rng(11)
    positions = {name: chooser.integers(0, len(domain), 100) for name, domain in space.items()}
    columns = {
        name: Column([float(domain[place]) for place in range(len(domain))])
        for name, domain in space.items()
        if domain.is_numeric
    }
    values = dict(zip(roots, over_designs(roots.values(), positions, columns), strict=True))
    compared = 0
    for place in range(100):
        design = {name: domain[int(positions[name][place])] for name, domain in space.items()}
        try:
            plain = dict(numbers(pipeline().run(**design)))
        except Infeasible:
            continue  # a precision that the accelerator lacks, which the trace guards against
        compared += 1
        for name, column in values.items():
            assert column[place] == pytest.approx(float(plain[name]), rel=1e-12), (name, design)
    assert compared > 50


def test_one_accelerator_in_all_readings() -> None:
    """The roofline traces over models of both kinds, accelerators and batch sizes."""
    space = SearchSpace(
        {
            "model": [Models.Language.Llama3_8B, Models.Vision.ResNet50],
            "accelerator": [Systems.Accelerators.H100_SXM, Systems.Accelerators.MI300X],
            "batch_size": [1, 7, 512],
            "seq_len": [128, 2048],
            "precision": ["bf16", "fp8"],
            "efficiency": [0.4, 0.6],
        }
    )
    stage = SingleNodeModel()
    graph, traced = parameters(space)
    del graph
    symbolic = stage.solve(**traced)
    column = {
        name: Column([float(domain[k]) for k in range(len(domain))])
        for name, domain in space.items()
        if domain.is_numeric
    }
    flat = np.arange(space.size)
    shape = [len(domain) for domain in space.values()]
    positions = dict(zip(space, np.unravel_index(flat, shape), strict=True))
    latency, holds = over_designs(
        [symbolic.latency.magnitude.node, symbolic.checks["memory"].holds.node],
        positions,
        column,
    )
    for place in flat:
        plain = stage.solve(**space.point(int(place)))
        assert latency[place] == pytest.approx(plain.latency.m, rel=1e-12)
        assert holds[place] == plain.checks["memory"].holds


def test_a_block_of_the_grid_is_fast_enough_to_be_whole() -> None:
    """A block of 65,536 designs is evaluated in one call, element by element."""
    batch = np.arange(1.0, 65537.0)
    result = pipeline().run(**FIXED, batch_size=batch, tp_size=8, pp_size=4, duration_days=30)
    assert result.performance.step_latency_total.magnitude.shape == batch.shape
    assert np.all(np.diff(result.macro.usd_per_million_tokens[255::256]) < 0)
