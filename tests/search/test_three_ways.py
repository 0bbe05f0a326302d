"""Three ways, one answer: CP-SAT on the formulas, branch and bound, and the reference."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import Case, cases, examples

import mlsysim
from mlsysim.core.dse import DSE
from mlsysim.core.pipeline import Pipeline
from mlsysim.core.solver import (
    ContinuousBatchingModel,
    DistributedModel,
    EconomicsModel,
    GoodputModel,
    ServingEconomicsModel,
)
from mlsysim.search.comparison import compare

WAYS = ("cp-sat", "branch-and-bound")
MODELS, CLUSTERS = mlsysim.Models.Language, mlsysim.Systems.Clusters


def confirm(question: DSE, evaluate: Callable[[dict[str, Any]], Any], top: int) -> None:
    """Have both ways agree with the reference in everything that a check compares."""
    walked = question.search(evaluate, method="exhaustive", top=top)
    for way in WAYS:
        solved = question.search(evaluate, method=way, top=top, workers=2)
        assert solved.method == way or solved.statistics.fallback_reason, way
        comparison = compare({way: solved, "exhaustive": walked})
        assert comparison, f"{way}: {comparison}"


@given(cases(), st.integers(1, 4))
@examples(30)
def test_random_questions(case: Case, top: int) -> None:
    """Whatever is asked, the three ways give the same best designs, or the same conflict."""
    confirm(DSE(case.space, f"{case.sense}: gain", case.constraints), case, top)


TRAINING: dict[str, Sequence[Any]] = {
    "nodes": [4, 8, 16, 24, 32, 64, 100, 128],
    "batch_size": [64, 96, 128, 256, 480, 512, 1000, 1024],
    "tp_size": [1, 2, 4, 8],
    "pp_size": [1, 2, 4, 5, 8, 10],
    "micro_batch_size": [1, 2, 4],
    "virtual_stages": [1, 2, 4],
    "zero_stage": [0, 1, 2, 3],
    "recompute": ["none", "selective", "full"],
    "sequence_parallel": [False, True],
    "overlap": ["none", "data", "all"],
}
SERVING: dict[str, Sequence[Any]] = {
    "tp_size": [1, 2, 4, 8],
    "pp_size": [1, 2],
    "batch_size": [1, 8, 16, 33, 64, 128, 256],
    "replicas": [1, 2, 3, 5, 8, 13],
    "precision": ["bf16", "fp8"],
    "kv_precision": ["bf16", "fp8"],
    "chunk_tokens": [512, 2048, 8192],
}
# Objective, and limits with the values that they may have.
ASKED: dict[str, tuple[list[str], dict[str, list[float]]]] = {
    "training": (
        [
            "maximize: DistributedModel.effective_throughput",
            "minimize: DistributedModel.step_latency_total",
            "minimize: EconomicsModel.usd_per_million_tokens",
            "minimize: macro.tco_usd",
            "minimize: GoodputModel.usd_to_train",
        ],
        {
            "DistributedModel.step_latency_total <= {} s": [0.5, 2, 10, 60],
            "DistributedModel.memory_per_accelerator <= {} GiB": [30, 50, 70],
            "DistributedModel.effective_throughput >= {} / s": [1e4, 1e5, 1e6],
            "GoodputModel.days_to_train <= {} day": [10, 60, 400],
        },
    ),
    "serving": (
        [
            "minimize: ServingEconomicsModel.cost_per_hour",
            "minimize: ServingEconomicsModel.usd_per_million_tokens",
            "minimize: ContinuousBatchingModel.time_to_first_token_p95",
        ],
        {
            "ContinuousBatchingModel.inter_token_latency <= {} ms": [8, 15, 40],
            "ContinuousBatchingModel.time_to_first_token_p95 <= {} ms": [100, 400, 2000],
            "ServingEconomicsModel.cost_per_hour <= {} USD/hour": [5, 20, 100],
        },
    ),
}
MOST_DESIGNS = 400


def train(params: dict[str, Any]) -> Any:
    """Train on H100s, and price it in both ways."""
    stages = [DistributedModel(), GoodputModel(), EconomicsModel()]
    return Pipeline(stages).run(
        model=MODELS.Llama3_70B,
        fleet=CLUSTERS.Production_2K,
        precision="bf16",
        seq_len=8192,
        tokens=2e12,
        duration_days=30,
        **{"batch_size": 512, **params},
    )


def serve(params: dict[str, Any]) -> Any:
    """Serve chats on one accelerator or a few."""
    return Pipeline([ContinuousBatchingModel(), ServingEconomicsModel()]).run(
        model=MODELS.Llama3_1_8B,
        fleet=CLUSTERS.Lab_64_H100,
        input_tokens=800,
        output_tokens=300,
        request_rate=15.0,
        **params,
    )


@st.composite
def real_questions(
    draw: st.DrawFn, kind: str, choices: dict[str, Sequence[Any]]
) -> tuple[dict[str, Sequence[Any]], str, list[str]]:
    """Draw a part of the space of a real stage, an objective, and up to two limits."""
    space: dict[str, Sequence[Any]] = {}
    size = 1
    for name in draw(st.permutations(sorted(choices))):
        most = min(len(choices[name]), MOST_DESIGNS // size)
        if most < 1:
            break
        picked = draw(
            st.sets(st.sampled_from(range(len(choices[name]))), min_size=1, max_size=most)
        )
        space[name] = [choices[name][place] for place in sorted(picked)]
        size *= len(picked)
    objectives, limits = ASKED[kind]
    rows = draw(st.lists(st.sampled_from(sorted(limits)), max_size=2, unique=True))
    constraints = [row.format(draw(st.sampled_from(limits[row]))) for row in rows]
    return space, draw(st.sampled_from(objectives)), constraints


@pytest.mark.slow
@given(real_questions("training", TRAINING), st.integers(1, 5))
@examples(12)
def test_parts_of_training(
    asked: tuple[dict[str, Sequence[Any]], str, list[str]], top: int
) -> None:
    """Random parts of a real training question have one answer."""
    confirm(DSE(*asked), train, top)


@pytest.mark.slow
@given(real_questions("serving", SERVING), st.integers(1, 5))
@examples(12)
def test_parts_of_serving(asked: tuple[dict[str, Sequence[Any]], str, list[str]], top: int) -> None:
    """Random parts of a real serving question have one answer."""
    confirm(DSE(*asked), serve, top)


def test_an_equation_may_be_missed_on_either_side() -> None:
    """At y = -2 and at y = 2 the ratio is as far from zero: which of them is told, is a tie."""
    question = DSE(
        {"x": range(-3, 4), "y": range(-2, 3)}, "minimize: gain", {"limit": "1 / side == 0.0"}
    )
    confirm(question, lambda params: {"gain": params["x"], "side": -params["y"]}, 1)
