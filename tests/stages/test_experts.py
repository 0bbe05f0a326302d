"""Captured graphs, dispatchers and sharding groups: facts of software that a planner may choose."""

from typing import Any

import pytest

from mlsysim.catalog import Models, Systems
from mlsysim.core.dse import DSE
from mlsysim.core.pipeline import Pipeline
from mlsysim.core.solver import DistributedModel
from mlsysim.units import magnitude

MIXTURE: dict[str, Any] = {
    "model": Models.Language.Qwen3_30B_A3B,
    "fleet": Systems.Clusters.Production_2K,
    "batch_size": 2048,
    "precision": "bf16",
    "seq_len": 4096,
}
DENSE: dict[str, Any] = {**MIXTURE, "model": Models.Language.Llama3_8B}


def step(**arguments: Any) -> float:
    """Give the time of a step (s)."""
    return float(magnitude(DistributedModel().solve(**arguments).step_latency_total, "s"))


def test_the_more_is_captured_the_shorter_the_step() -> None:
    """Of a mixture; a dense model has no experts to launch."""
    known = ("unfused", "none", "partial", "full")
    times = [step(**MIXTURE, ep_size=8, graphs=graphs) for graphs in known]
    assert times == sorted(times, reverse=True)
    assert times[1] > 1.1 * times[3]
    assert step(**DENSE, graphs="none") == step(**DENSE, graphs="full")


def exchange(**arguments: Any) -> float:
    """Give the time that a step waits for the exchanges of its experts (s)."""
    result = DistributedModel().solve(**MIXTURE, ep_size=64, **arguments)
    return float(magnitude(result.step_latency_expert, "s"))


def test_late_launches_hold_up_no_exchange_beside_another_microbatch() -> None:
    """Alone, eager kernels make an exchange longer; beside work it takes its own time at most."""
    for overlap in ("none", "data"):
        eager, unknown, partial = (
            exchange(overlap=overlap, graphs=graphs) for graphs in ("none", None, "partial")
        )
        assert eager == pytest.approx(1.5 * unknown)
        assert partial < unknown
    # Launches that take longer leave more time to hide it in.
    assert exchange(overlap="all", graphs="none") <= exchange(overlap="all")


def test_kernels_of_their_own_send_tokens_faster() -> None:
    """Across nodes and within one, where tokens are not sorted apart from being sent."""
    for experts in (8, 64):
        plain, own = (
            step(**MIXTURE, ep_size=experts, dispatcher=name) for name in ("alltoall", "hybridep")
        )
        assert own < plain
    alone = {step(**MIXTURE, dispatcher=name) for name in ("alltoall", "deepep")}
    assert len(alone) == 1


def test_sharding_groups_trade_memory_for_hops() -> None:
    """State divided within a node takes more memory, and no ring of a thousand ranks."""
    whole, node = (
        DistributedModel().solve(**DENSE, zero_stage=1, stack="deepspeed", zero_group=group)
        for group in (None, 8)
    )
    assert node.memory_optimizer > 10 * whole.memory_optimizer
    assert node.step_latency_data < whole.step_latency_data
    assert node.feasible
    assert not DistributedModel().solve(**DENSE, zero_stage=1, zero_group=7).feasible
    everyone = DistributedModel().solve(**DENSE, zero_stage=1, zero_group=2048)
    plain = DistributedModel().solve(**DENSE, zero_stage=1)
    assert everyone.step_latency_total == plain.step_latency_total


def test_they_are_choices_that_every_method_answers_alike() -> None:
    """Traced, lowered and proven, equal to every design evaluated by itself."""
    space = {
        "graphs": [None, "none", "full"],
        "dispatcher": [None, "alltoall", "deepep"],
        "zero_group": [None, 8, 64],
        "stack": ["megatron", "deepspeed"],
        "ep_size": [1, 8],
    }
    pipeline = Pipeline([DistributedModel()])
    dse = DSE(
        space,
        "maximize: DistributedModel.effective_throughput",
        ["DistributedModel.memory_per_accelerator <= 70 GB"],
    )
    compared = dse.cross_check(lambda params: pipeline.run(**MIXTURE, **params))
    assert compared.agrees, compared
    assert compared.solved.best_params["graphs"] == "full"


@pytest.mark.parametrize("method", ["cp-sat", "reference"])
def test_a_planner_is_not_sent_to_one_ring_over_a_thousand_ranks(method: str) -> None:
    """Where tensors are sent one by one, state is best divided within nodes."""
    pipeline = Pipeline([DistributedModel()])
    found = DSE(
        {"zero_group": [None, 8, 64]}, "minimize: DistributedModel.step_latency_total"
    ).search(
        lambda params: pipeline.run(**DENSE, zero_stage=1, stack="deepspeed", **params),
        method=method,
    )
    assert found.best_params["zero_group"] in {8, 64}
