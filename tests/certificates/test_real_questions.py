"""Real questions of 1e5 to 1e9 designs are certified, and their certificates verified."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import mlsysim
from mlsysim.certificates import CertifiedAnswer, check, prove, read_certificate
from mlsysim.core.dse import DSE
from mlsysim.core.pipeline import Pipeline
from mlsysim.core.solver import (
    ContinuousBatchingModel,
    DistributedModel,
    EconomicsModel,
    ServingEconomicsModel,
)
from mlsysim.search.cpsat.certifying import traced

TRAINING = {
    "nodes": range(16, 257, 16),
    "batch_size": range(128, 1025, 128),
    "tp_size": [1, 2, 4, 8],
    "pp_size": [1, 2, 4, 5, 8, 10],
    "micro_batch_size": [1, 2, 4],
    "zero_stage": [0, 1, 2, 3],
    "recompute": ["none", "selective", "full"],
}
WIDE = TRAINING | {
    "nodes": range(1, 257),
    "batch_size": range(16, 2049, 16),
    "pp_size": [1, 2, 4, 5, 8, 10, 16, 20],
    "micro_batch_size": [1, 2, 4, 8],
    "virtual_stages": [1, 2, 4],
    "sequence_parallel": [False, True],
    "gradient_bytes": [2, 4],
    "overlap": ["none", "data"],
}
DOLLARS = "minimize: EconomicsModel.usd_per_million_tokens"
PACE = "maximize: DistributedModel.effective_throughput"
ROOM = {"headroom": "DistributedModel.memory_per_accelerator <= 76 GiB"}
DEADLINE = ROOM | {"deadline": "2e12 / DistributedModel.effective_throughput <= 50 day"}
BUDGET = ROOM | {
    "sla": "DistributedModel.step_latency_total <= 20 s",
    "budget": "EconomicsModel.tco_usd <= 2000000",
}


def train(params: Mapping[str, Any]) -> Any:
    """Train Llama 3 70B on H100s for a month."""
    return Pipeline([DistributedModel(), EconomicsModel()]).run(
        model=mlsysim.Models.Language.Llama3_70B,
        fleet=mlsysim.Systems.Clusters.Production_2K,
        precision="bf16",
        seq_len=8192,
        duration_days=30,
        **params,
    )


def serve(params: Mapping[str, Any]) -> Any:
    """Serve it to twenty requests a second."""
    return Pipeline([ContinuousBatchingModel(), ServingEconomicsModel()]).run(
        model=mlsysim.Models.Language.Llama3_70B,
        input_tokens=1024,
        output_tokens=256,
        request_rate=20.0,
        **params,
    )


@dataclass(frozen=True)
class Real:
    """A question to real stages, and how many parts its certificate may have."""

    space: Mapping[str, Any]
    objective: str
    limits: Mapping[str, str]
    evaluate: Callable[[Mapping[str, Any]], Any]
    most: int

    @property
    def explorer(self) -> DSE:
        """Who answers it."""
        return DSE(self.space, self.objective, self.limits)


SERVING = {
    "fleet": [mlsysim.Systems.Accelerators[name] for name in ("L40S", "H100_SXM", "MI300X")],
    "precision": ["bf16", "fp8"],
    "tp_size": [1, 2, 4, 8],
    "pp_size": [1, 2, 4],
    "batch_size": range(1, 257),
    "replicas": range(1, 129),
}
ANSWER_SOON = {
    "first": "ContinuousBatchingModel.time_to_first_token_p95 <= 500 ms",
    "read": "ContinuousBatchingModel.inter_token_latency <= 50 ms",
}
QUESTIONS = {
    "1e5 for dollars": Real(TRAINING, DOLLARS, DEADLINE, train, 10_000),
    "1e5 for pace": Real(TRAINING, PACE, BUDGET, train, 10_000),
    "2e6 of serving": Real(
        SERVING, "minimize: ServingEconomicsModel.cost_per_hour", ANSWER_SOON, serve, 10_000
    ),
    "1e9 for dollars": Real(WIDE, DOLLARS, DEADLINE, train, 100_000),
}


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_best_design_is_certified(name: str, tmp_path: Path) -> None:
    """The answer of the engine is proven again by other arithmetic, in few parts."""
    real, path = QUESTIONS[name], tmp_path / "real.cert"
    found = real.explorer.search(real.evaluate, method="branch-and-bound", top=1, certificate=path)
    assert found.status == "OPTIMAL"
    assert found.unfinished == ()
    checked = check(read_certificate(path))
    assert checked.designs == real.explorer.problem.space.size
    assert checked.certificate.answer.objective == found.best_objective
    assert checked.parts < real.most
    assert path.stat().st_size < 1 << 20


def test_that_no_design_fits_is_certified() -> None:
    """Of 1.2e9 designs none trains in twenty days for a million dollars."""
    limits = ROOM | {
        "budget": "EconomicsModel.tco_usd <= 1000000",
        "deadline": "2e12 / DistributedModel.effective_throughput <= 20 day",
    }
    explorer = DSE(WIDE, PACE, limits)
    proof = prove(traced(explorer.problem, train), CertifiedAnswer(), version="0")
    checked = check(proof)
    assert checked.designs == explorer.problem.space.size > 1e9
    assert {"deadline", "budget", "headroom"} <= checked.exclusions.keys()
    assert checked.parts < 50_000
