"""Fine-tuning: what is frozen takes weights and two passes, what is trained takes all of it."""

from typing import Any

import pytest

from mlsysim.catalog import Cluster, Models, Systems
from mlsysim.core.solver import DistributedModel
from mlsysim.stages.training.distributed_result import DistributedResult

LLAMA = Models.Language.Llama2_7B
GB = 1e9
ONE = Cluster(
    name="One",
    node=Systems.Nodes.DGX_A100.replace(name="One_A100", accelerators=1),
    nodes=1,
    fabric=Systems.Fabrics.IB_NDR,
)
# Rank 8 beside every matrix of a layer: 8 x (inputs + outputs), of 4 x (h, h) and 3 x (h, f).
ADAPTERS = 32 * 8 * (4 * 2 * 4096 + 3 * (4096 + 11008))


def tuned(**changes: Any) -> DistributedResult:
    """Fine-tune a model of 7 billion parameters on one accelerator."""
    plain: dict[str, Any] = {"batch_size": 1, "precision": "bf16", "seq_len": 1024, "zero_stage": 0}
    return DistributedModel().solve(model=LLAMA, fleet=ONE, **{**plain, **changes})


def test_adapters_take_eighteen_bytes_and_frozen_weights_two() -> None:
    """DeepSpeed's count, issue 5304 of its repository; adapters are 0.3 % of the parameters."""
    found = tuned(adapter_rank=8)
    assert ADAPTERS / LLAMA.parameters == pytest.approx(0.00297, abs=1e-5)
    assert found.memory_weights.m_as("GB") == 2 * (LLAMA.parameters + ADAPTERS) / GB
    assert found.memory_gradients.m_as("GB") == pytest.approx(4 * ADAPTERS / GB)
    assert found.memory_optimizer.m_as("GB") == pytest.approx(12 * ADAPTERS / GB)


@pytest.mark.parametrize(
    ("targets", "sides"),
    [
        ("query_value", 2 * 2 * 4096),
        ("attention", 4 * 2 * 4096),
        ("mlp", 3 * (4096 + 11008)),
        ("linear", 4 * 2 * 4096 + 3 * (4096 + 11008)),
    ],
)
def test_targets_decide_what_is_trained(targets: str, sides: int) -> None:
    """``r (inputs + outputs)`` parameters for each matrix, in all 32 layers."""
    found = tuned(adapter_rank=16, adapter_targets=targets)
    assert found.memory_optimizer.m_as("GB") == pytest.approx(12 * 32 * 16 * sides / GB)


def test_nf4_keeps_layers_in_half_a_byte_and_tables_in_two() -> None:
    """4.5 bits for 6.48 billion weights of layers, 16 for the rest, and one matrix widened."""
    found = tuned(adapter_rank=8, base_format="nf4")
    tables = 2 * 32000 * 4096 + 4096
    layers = LLAMA.parameters - tables
    expected = layers * 4.5 / 8 + 2 * (tables + ADAPTERS + 4096 * 11008)
    assert found.memory_weights.m_as("GB") == pytest.approx(expected / GB)


def test_a_frozen_weight_takes_four_operations_and_a_trained_one_six() -> None:
    """The model's own operations: 4 N, and 6 for each parameter of the adapters."""
    whole, adapters = tuned(), tuned(adapter_rank=8)
    tokens, peak = 1024, 312e12

    def operations(found: DistributedResult) -> float:
        return found.mfu * found.step_latency_total.m_as("s") * peak / tokens

    saved = operations(whole) - operations(adapters)
    assert saved == pytest.approx(2 * LLAMA.matmul_parameters - 6 * ADAPTERS, rel=1e-9)


def test_without_weight_gradients_a_step_takes_two_thirds_of_the_time() -> None:
    """Adapters save a pass of products, and add little of their own."""
    long: dict[str, Any] = {"seq_len": 4096, "recompute": "none"}
    share = tuned(adapter_rank=8, **long).step_latency_compute / tuned(**long).step_latency_compute
    assert 0.62 < share.m < 0.8


def test_what_only_frozen_gradients_read_is_not_kept() -> None:
    """With adapters at queries and values: neither the MLP's input nor its product, h + f a token.

    Queries and values still need their input, and pass 8 numbers each between two matrices.
    """
    plain: dict[str, Any] = {"recompute": "none", "fused_loss": True}
    whole = tuned(**plain)
    adapters = tuned(adapter_rank=8, adapter_targets="query_value", **plain)
    dropped = 1024 * 32 * 2 * (4096 + 11008 - 2 * 8)
    saved = whole.memory_activations - adapters.memory_activations
    assert saved.m_as("GB") == pytest.approx(1.15 * dropped / GB)


def test_frozen_layers_have_a_forward_pass_and_keep_nothing() -> None:
    """Of 32 layers, 24 at the bottom are frozen: a quarter of the activations and gradients."""
    plain: dict[str, Any] = {"recompute": "none", "fused_loss": True}
    whole, top = tuned(**plain), tuned(frozen_layers=24, **plain)
    assert top.memory_activations.m == pytest.approx(whole.memory_activations.m / 4)
    layer = (LLAMA.parameters - 2 * 32000 * 4096 - 4096) / 32
    trained = 8 * layer + 32000 * 4096
    assert top.memory_optimizer.m_as("GB") == pytest.approx(12 * trained / GB)
    assert top.memory_weights.m_as("GB") == pytest.approx(2 * LLAMA.parameters / GB)
    # A forward pass of all layers, and two more of a quarter of them.
    ratio = top.step_latency_compute / whole.step_latency_compute
    assert 0.45 < ratio.m < 0.6


def test_frozen_layers_at_the_front_of_a_pipeline_leave_the_last_stage_slowest() -> None:
    """The time is that of a stage that trains all its layers; its memory is that of the head's."""
    fleet = Cluster(
        name="Four", node=Systems.Nodes.DGX_A100, nodes=1, fabric=Systems.Fabrics.IB_NDR
    )
    plain: dict[str, Any] = {
        "model": LLAMA,
        "fleet": fleet,
        "batch_size": 64,
        "pp_size": 4,
        "precision": "bf16",
    }
    whole = DistributedModel().solve(**plain)
    half = DistributedModel().solve(**plain, frozen_layers=16)
    assert half.step_latency_compute == whole.step_latency_compute
    assert half.memory_per_accelerator < whole.memory_per_accelerator


def test_a_base_that_is_sharded_is_gathered_in_its_own_format() -> None:
    """ZeRO-3 with four bits moves a quarter of the bytes that it moves with sixteen."""
    fleet = Cluster(name="Two", node=Systems.Nodes.DGX_A100, nodes=2, fabric=Systems.Fabrics.IB_NDR)
    plain: dict[str, Any] = {
        "model": Models.Language.Llama3_70B,
        "fleet": fleet,
        "batch_size": 16,
        "precision": "bf16",
        "zero_stage": 3,
        "overlap": "none",
        "adapter_rank": 16,
    }
    wide = DistributedModel().solve(**plain)
    narrow = DistributedModel().solve(**plain, base_format="nf4")
    assert 0.2 < (narrow.step_latency_data / wide.step_latency_data).m < 0.4
