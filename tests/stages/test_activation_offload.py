"""A share of the activations waits in the host's memory: room for traffic that passes may hide."""

from typing import Any

import pytest

from mlsysim.catalog import Models, Systems
from mlsysim.core.dse import DSE
from mlsysim.core.pipeline import Pipeline
from mlsysim.core.solver import DistributedModel
from mlsysim.emit.frameworks import emit
from mlsysim.errors import LaunchError

# On each of four stages 8 layers; the first keeps 4 microbatches.
DESIGN: dict[str, Any] = {
    "model": Models.Language.Llama3_1_8B,
    "fleet": Systems.Clusters.Production_2K,
    "nodes": 2,
    "batch_size": 32,
    "pp_size": 4,
    "precision": "bf16",
    "seq_len": 16384,
    "fused_loss": True,
    "recompute": "none",
}


def solve(**changes: Any) -> Any:
    """Evaluate the design with some changes."""
    return DistributedModel().solve(**{**DESIGN, **changes})


def test_what_leaves_the_accelerator_is_with_the_host() -> None:
    """All but two of 32 layers' worth can leave; eight accelerators of a node bring theirs."""
    home = solve()
    kept = home.memory_activations.m
    for share in (0.25, 0.5, 1.0):
        away = solve(activation_offload=share)
        gone = kept - away.memory_activations.m
        assert gone == pytest.approx(share * 30 / 32 * kept, rel=0.03)
        # What fragments on the accelerator is not sent.
        assert away.host_memory_used.m == pytest.approx(8 * gone, rel=0.2)


def test_passes_hide_what_they_take_as_long_for() -> None:
    """Nothing is felt until the link is slower than the passes; without overlap all is."""
    shares = (0.1, 0.2, 0.6, 0.8, 1.0)
    felt = [solve(activation_offload=share).step_latency_offload.m for share in shares]
    assert felt[0] == felt[1] == 0 < felt[2]
    bare = [solve(activation_offload=share, overlap="none") for share in shares]
    each = [one.step_latency_offload.m / share for one, share in zip(bare, shares, strict=True)]
    assert each == pytest.approx(each[:1] * len(each))
    # Eight microbatches take what one stage keeps of each there and back.
    moved = 2 * 8 * solve(activation_offload=1.0).host_memory_used.m / 8 / 4 * 32 / 30
    assert bare[-1].step_latency_offload.m == pytest.approx(1e3 * moved / 35, rel=1e-6)


def test_the_host_sets_a_limit() -> None:
    """Half of the activations of a node is more than a small host has."""
    assert solve(activation_offload=0.5, host_memory=300).feasible
    tight = solve(activation_offload=0.5, host_memory=200).checks
    assert [name for name, check in tight.items() if not check.holds] == ["host memory"]


def test_the_solver_sends_what_it_must() -> None:
    """Recomputation, or sending: as much as fits the memory and hides; each method agrees."""
    space = {"activation_offload": [0.0, 0.1, 0.25, 0.3, 0.5, 1.0], "recompute": ["none", "full"]}
    question = DSE(space, "minimize: DistributedModel.step_latency_total")
    pipeline = Pipeline([DistributedModel()])

    def evaluate(params: dict[str, Any]) -> Any:
        return pipeline.run(**{**DESIGN, **params})

    for method in ("cp-sat", "exhaustive", "reference"):
        best = question.search(evaluate, method=method).best_params
        assert best == {"activation_offload": 0.3, "recompute": "none"}


def test_frameworks_are_told_as_far_as_they_have_words() -> None:
    """Megatron-LM counts layers of a lone stage, Axolotl sends all, torchtitan nothing."""
    alone = DESIGN | {"pp_size": 1, "tp_size": 4, "sequence_parallel": True}
    launch = emit("megatron", alone | {"activation_offload": 0.25}).launches[0]
    assert {item.name: item.value for item in launch.settings}["--cpu-offloading-num-layers"] == 8
    text = emit("axolotl", alone | {"activation_offload": 1.0, "tp_size": 1}).text
    assert "activation_offloading: true" in text
    text = emit("deepspeed", DESIGN | {"activation_offload": 1.0, "recompute": "full"}).text
    assert "checkpoint_in_cpu=True" in text
    for framework in ("torchtitan", "megatron"):
        with pytest.raises(LaunchError, match="activations"):
            emit(framework, DESIGN | {"activation_offload": 0.5})
