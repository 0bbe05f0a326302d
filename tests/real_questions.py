"""Questions of the real stages, most of 1e9 designs: what boxes and descents are tested on."""

from typing import Any

from mlsysim import Models, Systems
from mlsysim.core.pipeline import Pipeline
from mlsysim.core.solver import (
    ContinuousBatchingModel,
    DistributedModel,
    EconomicsModel,
    GoodputModel,
)
from mlsysim.problem.problem import Problem
from mlsysim.search.cpsat.program.program import Program
from mlsysim.search.cpsat.question.question import TracedQuestion

SPACE = {
    "nodes": range(1, 257),
    "batch_size": range(1, 2049),
    "tp_size": [1, 2, 4, 8],
    "pp_size": range(1, 17),
    "micro_batch_size": [1, 2, 4, 8],
    "virtual_stages": [1, 2, 4],
    "zero_stage": [0, 1, 2, 3],
    "recompute": ["none", "selective", "full"],
    "overlap": ["none", "data"],
}
LIMITS = {
    "headroom": "DistributedModel.memory_per_accelerator <= 76 GiB",
    "deadline": "2e12 / DistributedModel.effective_throughput <= 50 day",
}
LIMITS_OF_SERVING = {"first": "ContinuousBatchingModel.time_to_first_token_p95 <= 500 ms"}
FIXED = {"model": Models.Language.Llama3_70B, "precision": "bf16"}
TRAINING = {"seq_len": 8192}
CLUSTERS = Systems.Clusters
MIXED = {**SPACE, "fleet": [CLUSTERS["Training_1K"], CLUSTERS["Training_1K_A100"]]}
ACCELERATORS = Systems.Accelerators
SERVING = {
    "fleet": [ACCELERATORS[name] for name in ("A100_80GB_SXM", "H100_SXM", "H200_SXM", "MI300X")],
    "kv_precision": ["bf16", "fp8"],
    "tp_size": [1, 2, 4, 8],
    "pp_size": [1, 2, 4],
    "batch_size": range(1, 257),
    "replicas": range(1, 129),
}
QUESTIONS: dict[str, tuple[dict[str, Any], list[Any], dict[str, Any], str]] = {
    "throughput": (
        SPACE,
        [DistributedModel(), EconomicsModel()],
        {**TRAINING, "fleet": CLUSTERS["Production_2K"], "duration_days": 30},
        "maximize: DistributedModel.effective_throughput",
    ),
    "dollars": (
        SPACE,
        [DistributedModel(), EconomicsModel()],
        {**TRAINING, "fleet": CLUSTERS["Production_2K"], "duration_days": 30},
        "minimize: EconomicsModel.usd_per_million_tokens",
    ),
    "days": (
        SPACE,
        [DistributedModel(), GoodputModel()],
        {**TRAINING, "fleet": CLUSTERS["Production_2K"], "tokens": 2e12},
        "minimize: GoodputModel.days_to_train",
    ),
    "fleets": (
        MIXED | {"precision": ["bf16", "fp8"]},
        [DistributedModel(), EconomicsModel()],
        {**TRAINING, "duration_days": 30},
        "minimize: EconomicsModel.usd_per_million_tokens",
    ),
    "reading": (
        SERVING,
        [ContinuousBatchingModel()],
        {"input_tokens": 1024, "output_tokens": 256, "request_rate": 20.0},
        "minimize: ContinuousBatchingModel.inter_token_latency",
    ),
}


def traced(name: str) -> Program:
    """Trace a question of the real stages."""
    space, stages, fixed, objective = QUESTIONS[name]

    def evaluate(params: dict[str, Any]) -> Any:
        return Pipeline(stages).run(**{**FIXED, **fixed, **params})

    problem = Problem.of(space, objective, LIMITS if space is not SERVING else LIMITS_OF_SERVING)
    return TracedQuestion(problem, evaluate).program()
