"""Memories of fine-tuning that people measured and published, against what is predicted.

PyTorch's allocator sees neither the driver nor communication buffers; where a source prints what
it has reserved, our reserve is left out.
"""

from typing import Any

import pytest

from mlsysim.catalog import Accelerator, Cluster, LanguageModel, Models, Systems
from mlsysim.core.solver import DistributedModel
from mlsysim.stages.training.distributed_result import DistributedResult

LANGUAGE, ACCELERATORS = Models.Language, Systems.Accelerators
WITHIN = 0.12
PURE = {
    "precision": "bf16",
    "master_weights": False,
    "moment_bytes": 2,
    "gradient_bytes": 2,
    "sharding": "fsdp",
    "zero_stage": 3,
}
# A frozen decoder of 33.4 billion parameters, its vision tower counted beside the layers, and a
# trained expert of 0.91 billion in 64 small layers, without a head over words.
EXPERT = LANGUAGE.Qwen3_32B.replace(
    name="Decoder_and_expert",
    stated_parameters=0,
    stated_active_parameters=0,
    layers=128,
    headless=True,
    other_parameters=1_400_000_000,
    groups=[
        {"layers": 64, "in_front": True},
        {"layers": 64, "heads": 8, "kv_heads": 8, "head_dim": 64, "ffn": 256},
    ],
)


def tuned(
    model: LanguageModel, accelerator: Accelerator, accelerators: int, **design: Any
) -> DistributedResult:
    """Fine-tune a model on one node."""
    node = Systems.Nodes.DGX_A100.replace(
        name="Node", accelerator=accelerator, accelerators=accelerators, scale_up_domain=0
    )
    fleet = Cluster(name="Fleet", node=node, nodes=1, fabric=Systems.Fabrics.IB_NDR)
    return DistributedModel().solve(model=model, fleet=fleet, **design)


def reserved(found: DistributedResult) -> float:
    """Give what PyTorch's allocator holds (GB)."""
    return float((found.memory_per_accelerator - found.memory_reserve).m_as("GB"))


def test_full_tuning_of_70b_in_pure_bf16() -> None:
    """Full tuning, 8-bit paged Adam, eight A100 of 80 GB: 51 GB each (torchtune, issue 987).

    Pages of states live with the host, where PyTorch does not count them.  Two sequences of 1,024
    tokens are supposed; the source does not say.
    """
    found = tuned(
        LANGUAGE.Llama2_70B,
        ACCELERATORS.A100_80GB_SXM,
        8,
        batch_size=16,
        micro_batch_size=2,
        seq_len=1024,
        recompute="full",
        optimizer="adamw_8bit",
        optimizer_offload=True,
        **PURE,
    )
    assert found.feasible
    assert reserved(found) == pytest.approx(51, rel=WITHIN)


@pytest.mark.parametrize(("zero_stage", "measured"), [(2, 72.2), (3, 12.5)])
def test_a_trained_expert_on_a_frozen_decoder(zero_stage: int, measured: float) -> None:
    """0.91 of 34.3 billion trained, DeepSpeed, eight A100 of 80 GB (OpenTau, pull request 429)."""
    found = tuned(
        EXPERT,
        ACCELERATORS.A100_80GB_SXM,
        8,
        batch_size=8,
        seq_len=201,
        precision="bf16",
        recompute="full",
        kernels="eager",
        zero_stage=zero_stage,
        frozen_layers=64,
    )
    assert found.trained_parameters == pytest.approx(0.91e9, rel=0.02)
    assert EXPERT.parameters == pytest.approx(34.3e9, rel=0.001)
    assert found.feasible
    assert reserved(found) == pytest.approx(measured, rel=WITHIN)


def test_adapters_under_fsdp() -> None:
    """Llama 2 7B, rank 8, pure bf16, four A100 of 40 GB: 19.4 GB reserved (llama-cookbook, 41).

    Its defaults: four chunks of 2,048 tokens, adapters at queries and values with dropout, and
    attention that writes its weights.
    """
    found = tuned(
        LANGUAGE.Llama2_7B,
        ACCELERATORS.A100_40GB_SXM,
        4,
        batch_size=16,
        micro_batch_size=4,
        seq_len=2048,
        recompute="full",
        attention="unfused",
        kernels="eager",
        adapter_rank=8,
        adapter_targets="query_value",
        adapter_dropout=True,
        **PURE,
    )
    assert found.feasible
    assert reserved(found) == pytest.approx(19.36, rel=WITHIN)


@pytest.mark.parametrize(
    ("sequences", "seq_len", "measured"), [(1, 1024, 17.9), (1, 2048, 26.1), (2, 2048, 32)]
)
def test_adapters_on_one_accelerator(sequences: int, seq_len: int, measured: float) -> None:
    """Qwen2 7B, rank 8 at all matrices, 0.2643 % trained (LlamaFactory, issue 7409).

    The device's whole memory; the shape of Qwen2.5 7B is the same.  The second figure lies 8 GB
    above the first and 6 below the third, which began at 28.2: sequences of many lengths leave the
    allocator blocks that it does not use again, and the source does not tell how many.
    """
    model = LANGUAGE.Qwen2_5_7B
    found = tuned(
        model,
        ACCELERATORS.A100_80GB_SXM,
        1,
        batch_size=sequences,
        micro_batch_size=sequences,
        seq_len=seq_len,
        precision="bf16",
        recompute="full",
        kernels="eager",
        adapter_rank=8,
        zero_stage=0,
    )
    share = found.trained_parameters / (model.parameters + found.trained_parameters)
    assert share == pytest.approx(0.002643, rel=1e-3)
    assert found.memory_per_accelerator.m_as("GB") == pytest.approx(measured, rel=WITHIN)


@pytest.mark.parametrize(("sequences", "fits"), [(1, True), (2, False)])
def test_adapters_on_a_base_in_8_bits(sequences: int, *, fits: bool) -> None:
    """Mistral 7B, 4,096 tokens, A100 of 80 GB: one sequence runs, two do not (axolotl, 814).

    Rank 32 with dropout at all matrices, as in the project's examples; nothing is recomputed.
    """
    found = tuned(
        LANGUAGE.Mistral_7B_v0_1,
        ACCELERATORS.A100_80GB_SXM,
        1,
        batch_size=sequences,
        micro_batch_size=sequences,
        seq_len=4096,
        precision="bf16",
        recompute="none",
        kernels="eager",
        adapter_rank=32,
        adapter_dropout=True,
        base_format="int8",
        zero_stage=0,
    )
    assert found.feasible == fits


def test_everything_offloaded() -> None:
    """6.8 billion, ZeRO-3 with parameters offloaded, four GPUs: 14.7 to 21.3 GB (DeepSpeed, 4527).

    14,678 MiB is what loading leaves with the allocator, 13.5 GB of weights beside 1,838 MiB at
    rest; 21,272 the peak of a step.  A sequence of 1,024 tokens is supposed, the source does not
    say.  The host keeps 18 bytes a parameter: weights, gradients as the optimizer reads them,
    master copies and moments.
    """
    found = offloaded(zero_stage=3, parameter_offload=True)
    assert 14.7 < found.memory_per_accelerator.m_as("GB") < 21.3
    assert found.host_memory_used.m_as("GB") == pytest.approx(
        18 * LANGUAGE.Llama2_7B.parameters / 1e9
    )


@pytest.mark.parametrize("choice", [{"zero_stage": 1}, {"zero_stage": 2, "sharding": "fsdp"}])
def test_gradients_follow_the_optimizer_where_zero_divides_them(choice: dict[str, Any]) -> None:
    """ZeRO-Offload hands gradients over as they come; others sum them on the accelerator first."""
    handed, kept = offloaded(zero_stage=2), offloaded(**choice)
    saved = kept.memory_gradients - handed.memory_gradients
    shards = 4 if choice["zero_stage"] == 2 else 1
    whole = 4 * LANGUAGE.Llama2_7B.parameters / shards
    unreduced = handed.memory_gradients.m_as("byte") if choice["zero_stage"] == 1 else 0
    assert saved.m_as("byte") == pytest.approx(whole - unreduced)


def offloaded(**choice: Any) -> DistributedResult:
    """Train 6.7 billion parameters on four accelerators with the optimizer offloaded."""
    return tuned(
        LANGUAGE.Llama2_7B,
        ACCELERATORS.A100_40GB_SXM,
        4,
        batch_size=4,
        seq_len=1024,
        precision="fp16",
        recompute="none",
        attention="unfused",
        kernels="eager",
        optimizer_offload=True,
        **choice,
    )


def test_the_host_is_a_limit_of_its_own() -> None:
    """70 billion parameters at 18 bytes, 1.26 TB, do not fit a host of 1 TB; they fit one of 2."""

    def found(host: float | None) -> DistributedResult:
        return tuned(
            LANGUAGE.Llama3_70B,
            ACCELERATORS.A100_80GB_SXM,
            8,
            batch_size=8,
            precision="bf16",
            recompute="full",
            zero_stage=3,
            optimizer_offload=True,
            parameter_offload=True,
            host_memory=host,
        )

    assert not found(1000).checks["host memory"].holds
    assert found(2000).feasible
    assert found(None).feasible  # a DGX A100 has 2 TB
