"""Questions of the real stages, up to 1e30 designs: what the simple formula stands in for."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

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

Space = Mapping[str, Sequence[Any]]
_LANGUAGE = mlsysim.Models.Language
_CLUSTERS = mlsysim.Systems.Clusters
_ACCELERATORS = mlsysim.Systems.Accelerators


@dataclass(frozen=True, kw_only=True)
class RealQuestion:
    """A question of the real stages.

    Parameters
    ----------
    name
        What the tables call it.
    space
        The choices; they are named as the arguments of the stages.
    objective
        What is asked for.
    constraints
        What must hold.
    model
        Evaluates a design.
    """

    name: str
    space: Space
    objective: str
    constraints: Mapping[str, str]
    model: Callable[[Mapping[str, Any]], Any]

    def evaluate(self, params: Mapping[str, Any]) -> Any:
        """Evaluate one design, a block of designs, or a traced one."""
        return self.model(params)

    def explorer(self) -> DSE:
        """Give the question to the engine."""
        return DSE(self.space, self.objective, self.constraints)


_RECOMPUTE = ("none", "selective", "full")
_TRAINING: Mapping[int, Space] = {
    5: {
        "nodes": range(16, 257, 16), "batch_size": range(128, 1_025, 128), "tp_size": (1, 2, 4, 8),
        "pp_size": (1, 2, 4, 5, 8, 10), "micro_batch_size": (1, 2, 4), "zero_stage": (0, 1, 2, 3),
        "recompute": _RECOMPUTE,
    },
    7: {
        "nodes": range(8, 257, 8), "batch_size": range(64, 2_049, 64), "tp_size": (1, 2, 4, 8),
        "pp_size": (1, 2, 4, 5, 8, 10, 16, 20), "micro_batch_size": (1, 2, 4),
        "virtual_stages": (1, 2, 4), "zero_stage": (0, 1, 2, 3), "recompute": _RECOMPUTE,
        "sequence_parallel": (False, True),
    },
    9: {
        "nodes": range(1, 257), "batch_size": range(16, 2_049, 16), "tp_size": (1, 2, 4, 8),
        "pp_size": (1, 2, 4, 5, 8, 10, 16, 20), "micro_batch_size": (1, 2, 4, 8),
        "virtual_stages": (1, 2, 4), "zero_stage": (0, 1, 2, 3), "recompute": _RECOMPUTE,
        "sequence_parallel": (False, True), "gradient_bytes": (2, 4), "overlap": ("none", "data"),
    },
    11: {
        "nodes": range(1, 257), "batch_size": range(1, 4_097), "tp_size": (1, 2, 4, 8),
        "pp_size": range(1, 17), "micro_batch_size": (1, 2, 4, 8), "virtual_stages": (1, 2, 4, 5),
        "zero_stage": (0, 1, 2, 3), "recompute": _RECOMPUTE, "sequence_parallel": (False, True),
        "gradient_bytes": (2, 4), "overlap": ("none", "data", "all"),
    },
}  # fmt: skip
_STEP = "DistributedModel.step_latency_total <= 20 s"
_HEADROOM = "DistributedModel.memory_per_accelerator <= 76 GiB"
_DEADLINE = "2e12 / DistributedModel.effective_throughput <= {} day"
_THROUGHPUT = "maximize: DistributedModel.effective_throughput"
_PER_TOKEN = "minimize: EconomicsModel.usd_per_million_tokens"  # noqa: S105 - no password
# A deadline just beyond what the budget buys.
_TOO_SOON = {5: 30, 7: 25, 9: 20, 11: 20}


def _stages(stages: Sequence[Any], **fixed: Any) -> Callable[[Mapping[str, Any]], Any]:
    return lambda params: Pipeline(stages).run(**fixed, **params)


def _training(exponent: int, asked: str) -> RealQuestion:
    """Train 70e9 parameters on one cluster."""
    constraints = {"headroom": _HEADROOM}
    objective = _THROUGHPUT
    if asked == "throughput":
        constraints |= {"step": _STEP, "budget": "EconomicsModel.tco_usd <= 2000000"}
    elif asked == "dollars":
        objective = _PER_TOKEN
        constraints["deadline"] = _DEADLINE.format(50)
    else:
        constraints["budget"] = "EconomicsModel.tco_usd <= 1000000"
        constraints["deadline"] = _DEADLINE.format(_TOO_SOON[exponent])
    return RealQuestion(
        name=f"real-training-{exponent}-{asked}",
        space=_TRAINING[exponent],
        objective=objective,
        constraints=constraints,
        model=_stages(
            [DistributedModel(), EconomicsModel()],
            model=_LANGUAGE.Llama3_70B,
            fleet=_CLUSTERS.Production_2K,
            precision="bf16",
            seq_len=8192,
            duration_days=30,
        ),
    )


def _goodput() -> RealQuestion:
    """Train through failures: the fewest days for five million dollars."""
    return RealQuestion(
        name="real-goodput-9-days",
        space=_TRAINING[9],
        objective="minimize: GoodputModel.days_to_train",
        constraints={"headroom": _HEADROOM, "budget": "GoodputModel.usd_to_train <= 5000000"},
        model=_stages(
            [DistributedModel(), GoodputModel()],
            model=_LANGUAGE.Llama3_70B,
            fleet=_CLUSTERS.Production_2K,
            precision="bf16",
            seq_len=8192,
            tokens=2e12,
        ),
    )


def _fleets() -> RealQuestion:
    """Choose among six clusters and two precisions, too."""
    names = (
        "Training_1K", "Training_1K_A100", "Training_1K_B200", "Production_2K", "Frontier_8K",
        "Meta_Llama3_16K_H100",
    )  # fmt: skip
    capacity = "0.9 * DistributedModel.memory_capacity"
    return RealQuestion(
        name="real-fleets-9-dollars",
        space={
            "fleet": [_CLUSTERS[name] for name in names],
            **_TRAINING[9],
            "precision": ["bf16", "fp8"],
        },
        objective=_PER_TOKEN,
        constraints={
            "headroom": f"DistributedModel.memory_per_accelerator <= {capacity}",
            "deadline": _DEADLINE.format(50),
        },
        model=_stages(
            [DistributedModel(), EconomicsModel()],
            model=_LANGUAGE.Llama3_70B,
            seq_len=8192,
            duration_days=30,
        ),
    )


def _serving(exponent: int, asked: str) -> RealQuestion:
    """Serve twenty requests per second on one of seven accelerators."""
    names = ("L40S", "A100_80GB_SXM", "H100_SXM", "H200_SXM", "B200_SXM", "MI300X", "MI355X")
    space: dict[str, Sequence[Any]] = {
        "fleet": [_ACCELERATORS[name] for name in names], "precision": ("bf16", "fp8"),
        "kv_precision": ("bf16", "fp8"), "tp_size": (1, 2, 4, 8), "pp_size": (1, 2, 4),
        "batch_size": range(1, 257), "replicas": range(1, 129),
    }  # fmt: skip
    if exponent == 9:
        space |= {
            "chunk_tokens": (512, 1024, 2048, 4096, 8192), "draft_tokens": (0, 1, 2, 3, 4),
            "runtime": ("vllm", "tensorrt_llm"),
        }  # fmt: skip
    between = 5 if asked == "infeasible" else 50
    return RealQuestion(
        name=f"real-serving-{exponent}-{asked}",
        space=space,
        objective="minimize: ServingEconomicsModel.cost_per_hour",
        constraints={
            "first": "ContinuousBatchingModel.time_to_first_token_p95 <= 500 ms",
            "read": f"ContinuousBatchingModel.inter_token_latency <= {between} ms",
        },
        model=_stages(
            [ContinuousBatchingModel(), ServingEconomicsModel()],
            model=_LANGUAGE.Llama3_70B,
            input_tokens=1024,
            output_tokens=256,
            request_rate=20.0,
        ),
    )


_JOB: Space = {
    "nodes": range(1, 257), "batch_size": range(64, 2_049, 64), "tp_size": (1, 2, 4, 8),
    "pp_size": (1, 2, 4, 5, 8, 10), "micro_batch_size": (1, 2, 4), "virtual_stages": (1, 2, 4),
    "recompute": _RECOMPUTE, "zero_stage": (0, 1, 2, 3), "sequence_parallel": (False, True),
}  # fmt: skip
# Model, tokens, days.
_JOBS = (
    (_LANGUAGE.Llama3_70B, 1.5e12, 60), (_LANGUAGE.Llama3_8B, 5e12, 45),
    (_LANGUAGE.Llama3_2_3B, 4e12, 30), (_LANGUAGE.Llama3_70B, 0.5e12, 40),
)  # fmt: skip


def _jobs(count: int, asked: str) -> RealQuestion:
    """Train several models at once: they share the nodes of one cluster."""
    price = mlsysim.quantity(16.0, "USD/hour")
    jobs = {
        f"job{number}": (model, tokens * (1 + number // len(_JOBS) / 8), days)
        for number in range(count)
        for model, tokens, days in [_JOBS[number % len(_JOBS)]]
    }

    def evaluate(params: Mapping[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = {"cost": 0.0 * price * mlsysim.quantity(1.0, "hour")}
        for job, (model, tokens, _) in jobs.items():
            run = DistributedModel().solve(
                model=model,
                fleet=_CLUSTERS.Production_2K,
                seq_len=8192,
                precision="bf16",
                **{name: params[f"{job}_{name}"] for name in _JOB},
            )
            days = (tokens / run.effective_throughput).to("day")
            found |= {job: run, f"{job}_time": days}
            found["cost"] += params[f"{job}_nodes"] * days * price
        return found

    nodes = 64 * count if asked == "cost" else 16 * count
    return RealQuestion(
        name=f"real-jobs-{count}-{asked}",
        space={f"{job}_{name}": values for job in jobs for name, values in _JOB.items()},
        objective="minimize: cost",
        constraints={
            "cluster": " + ".join(f"{job}_nodes" for job in jobs) + f" <= {nodes}",
            **{f"{job} in time": f"{job}_time <= {days} day" for job, (*_, days) in jobs.items()},
        },
        model=evaluate,
    )


_MADE: Mapping[str, Callable[[], RealQuestion]] = {
    **{
        f"real-training-{exponent}-{asked}": lambda e=exponent, a=asked: _training(e, a)  # type: ignore[misc]
        for exponent in _TRAINING
        for asked in ("throughput", "dollars", "infeasible")
    },
    "real-goodput-9-days": _goodput,
    "real-fleets-9-dollars": _fleets,
    "real-serving-7-cost": lambda: _serving(7, "cost"),
    "real-serving-7-infeasible": lambda: _serving(7, "infeasible"),
    "real-serving-9-cost": lambda: _serving(9, "cost"),
    "real-jobs-4-cost": lambda: _jobs(4, "cost"),
    "real-jobs-4-infeasible": lambda: _jobs(4, "infeasible"),
    "real-jobs-8-cost": lambda: _jobs(8, "cost"),
}
REAL = tuple(_MADE)
"""The names of all of them."""


def real_question(name: str) -> RealQuestion:
    """Give one of them by its name."""
    return _MADE[name]()
