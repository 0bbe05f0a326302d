"""What the software of a run does that no column says, and what columns say of it."""

import dataclasses
from typing import Any

import pytest

from mlsysim.physics.state import ZeroStage
from mlsysim.validation.conversion import Configuration, convert
from mlsysim.validation.measured import training_rows
from mlsysim.validation.prediction import predict
from mlsysim.validation.training_row import TrainingRow
from mlsysim.validation.vocabulary import (
    Attention,
    Dispatcher,
    Graphs,
    MeasuredPrecision,
    MemoryUnit,
    Overlap,
    PipelineSchedule,
    Stack,
    Timed,
    Unit,
)

ROWS = {row.id: row for row in training_rows()}
MODERN = ROWS["nemotron4-15b-768"]  # H100, bf16, TP 8, of 2024; the stack is not told


def arguments(row: TrainingRow = MODERN, **changes: Any) -> dict[str, Any]:
    """Give the arguments for a row that can be converted."""
    found = convert(dataclasses.replace(row, **changes))
    assert isinstance(found, Configuration), found
    return dict(found.arguments)


def test_attention_is_fused_but_on_old_hardware_and_in_half_precision_on_the_a100() -> None:
    """Volta is older than fused kernels, and so is who did without the A100's bfloat16."""
    unknown = dataclasses.replace(MODERN, stack=None)
    assert arguments(unknown)["attention"] == "causal"
    assert arguments(accelerator="V100", precision=MeasuredPrecision.FP16)["attention"] == "unfused"
    ampere = dataclasses.replace(unknown, accelerator="A100")
    assert arguments(ampere)["attention"] == "causal"
    assert arguments(ampere, precision=MeasuredPrecision.FP16)["attention"] == "unfused"
    assert (
        arguments(unknown, precision=MeasuredPrecision.FP16)["attention"] == "causal"
    )  # on Hopper
    assert arguments(attention=Attention.FULL)["attention"] == "full"


def test_flash_attention_2_is_slow_on_hopper_only() -> None:
    """It was made for Ampere."""
    assert arguments(stack=Stack.TORCHTITAN)["attention"] == "full"
    assert arguments(stack=Stack.TORCHTITAN, accelerator="A100")["attention"] == "causal"


def test_overlap_within_replicas() -> None:
    """Where it is said, in what is built on Megatron-Core, and not elsewhere."""
    assert "overlap" not in arguments()
    assert arguments(overlap=Overlap.DATA)["overlap"] == "data"
    assert arguments(stack=Stack.NEMO)["overlap"] == "all"
    assert arguments(stack=Stack.NEMO, overlap=Overlap.NONE)["overlap"] == "none"
    assert "overlap" not in arguments(stack=Stack.NEMO, moe_experts=8, moe_topk=2, moe_ffn=1024)


def test_a_stack_that_is_not_told_is_supposed() -> None:
    """Who shares weights on Hopper has FSDP, who divides the model Megatron-Core, TPUs MaxText."""
    unknown = dataclasses.replace(MODERN, stack=None)
    assert arguments(unknown)["overlap"] == "all"
    shared = arguments(unknown, zero_stage=ZeroStage.WEIGHTS)
    assert (shared["sharding"], "overlap" in shared) == ("fsdp", False)
    assert "overlap" not in arguments(unknown, tp=None, pp=None, cp=None, zero_stage=None)
    found = convert(unknown)
    assert isinstance(found, Configuration)
    assert "stack supposed to be like megatron_bridge" in found.notes
    # MaxText does not accumulate gradients: a replica's batch is one micro batch
    tpu = arguments(unknown, accelerator="TPU_v5p", mbs=None, tp=1, dp=None)
    assert tpu["micro_batch_size"] == max(384 // 768, 1)


def test_old_software_did_not_overlap_the_sums_of_gradients() -> None:
    """Where there is more than one replica, half precision on the A100 tells."""
    old = dataclasses.replace(
        MODERN, stack=None, accelerator="A100", precision=MeasuredPrecision.FP16
    )
    assert arguments(old)["overlap"] == "none"
    assert "overlap" not in arguments(old, n_accel=8, dp=None)


def test_schedules_and_messages_are_those_of_the_columns() -> None:
    """A schedule is what a column says; whole messages are the habit of Megatron-DeepSpeed."""
    assert "schedule" not in arguments(id="zb-1p-28B")
    assert arguments(schedule=PipelineSchedule.ZERO_BUBBLE)["schedule"] == "zero-bubble"
    assert arguments(ROWS["bs-02-28-l947"])["scatter_gather"] is False
    assert arguments(ROWS["bs-02-28-l947"], scatter_gather=True)["scatter_gather"] is True
    assert "scatter_gather" not in arguments()


def test_micro_batches_give_accelerators_enough_tokens() -> None:
    """Without a pipeline, 4,096 tokens for each accelerator of a group; with one, a sequence."""
    # 384 sequences over 96 replicas are 4 each, of 4,096 tokens over 8 accelerators: all four
    assert arguments()["micro_batch_size"] == 4
    assert arguments(tp=2, dp=None)["micro_batch_size"] == 1  # 384 replicas of one sequence
    assert arguments(seq_len=16384)["micro_batch_size"] == 2
    assert arguments(pp=2, dp=None)["micro_batch_size"] == 1
    assert arguments(mbs=3)["micro_batch_size"] == 3
    # torchtitan makes as many as there are stages: 256 sequences over 8 replicas and 8 stages
    assert arguments(ROWS["tt-405b-1f1b"])["micro_batch_size"] == 4


def test_context_parallelism_follows_from_the_replicas() -> None:
    """240 accelerators in 15 stages and 2 replicas leave 8 for each sequence."""
    row = ROWS["megascalemoe-MegaScale-MoE-240"]
    assert arguments(row)["cp_size"] == 8
    assert arguments(row, dp=None)["cp_size"] == 1
    assert arguments(row, cp=2)["cp_size"] == 2


def test_sharded_weights_stay_gathered_in_a_pipeline() -> None:
    """Gathering them for every microbatch would be slower and saves little."""
    assert arguments(zero_stage=ZeroStage.WEIGHTS)["zero_stage"] == 3
    assert arguments(zero_stage=ZeroStage.WEIGHTS, pp=2, dp=None)["zero_stage"] == 1


def test_a_power_limit_slows_the_clock() -> None:
    """500 of 700 W leave sqrt(5/7) = 84.5 % of the peak; MFU is still of the data sheet's."""
    limited = convert(dataclasses.replace(MODERN, accelerator="H100-SXM 80GB, 500 W (x)"))
    assert isinstance(limited, Configuration)
    peak = limited.cluster.accelerator.peak("bf16").m_as("Tflop/s")
    assert peak == pytest.approx(989 * (5 / 7) ** 0.5)


def test_columns_tell_where_the_state_is_kept() -> None:
    """They become arguments, and nothing else does."""
    told: dict[str, Any] = {"optimizer_offload": True, "fused_loss": True, "gradient_bytes": 6}
    assert told.keys().isdisjoint(arguments())
    found = arguments(**told)
    assert {name: found[name] for name in told} == told
    assert arguments(optimizer_offload=False)["optimizer_offload"] is False


def test_an_optimizer_on_the_host_frees_memory_and_takes_time() -> None:
    """The states of 8.03 billion parameters over 8 accelerators are 12 GB for each."""
    row = ROWS["stas-H200-8b-65536"]
    there, here = (
        predict(
            dataclasses.replace(
                row, optimizer_offload=there, unit=Unit.SECONDS, mem_unit=MemoryUnit.GB
            )
        )
        for there in (True, False)
    )
    assert (there.predicted or 0) > (here.predicted or 0)
    # 12 bytes for each of 8.03e9 / 8 parameters, and what is fragmented of them
    assert (here.memory_predicted or 0) - (there.memory_predicted or 0) >= 12.0


def test_blocks_with_evaluation_take_longer() -> None:
    """The TPU entries of MLPerf log training and evaluation together: 7 % more."""
    row = ROWS["mlperf-v4.0-gpt3-Google-cloud-tpu-v5p-1024-maxtext"]
    pure = predict(dataclasses.replace(row, metric=Timed.STEP)).predicted
    assert predict(row).predicted == pytest.approx(1.07 * (pure or 0))


RACK = dataclasses.replace(
    ROWS["mbridge-26.08-DeepSeek-V3-GB200-256-MXFP8-gbs4096"],
    graphs=None,
    dispatcher=None,
    overlap=None,
)


@pytest.mark.parametrize(
    ("changes", "graphs", "dispatcher", "overlap"),
    [
        ({}, "full", "hybridep", "all"),
        ({"release": "26.04.01"}, "partial", "hybridep", None),
        ({"precision": MeasuredPrecision.BF16}, "partial", "hybridep", None),
        ({"release": "25.09"}, None, None, None),
        ({"release": "25.05", "stack": Stack.NEMO}, "unfused", "alltoall", None),
        ({"release": "e5ad098"}, None, None, None),
        ({"release": ""}, None, None, None),
        ({"stack": Stack.MEGATRON_LM}, None, None, None),
        ({"accelerator": "B200", "accel_per_node": 8}, None, None, None),
        ({"graphs": Graphs.NONE}, "none", None, None),
        ({"dispatcher": Dispatcher.DEEPEP}, None, "deepep", None),
    ],
)
def test_releases_launch_mixtures_in_ways_of_their_own(
    changes: dict[str, Any], graphs: str | None, dispatcher: str | None, overlap: str | None
) -> None:
    """On racks, and only where a row says nothing of it."""
    found = arguments(RACK, **changes)
    told = tuple(found.get(name) for name in ("graphs", "dispatcher", "overlap"))
    assert told == (graphs, dispatcher, overlap)


def test_a_mixture_is_known_by_its_name() -> None:
    """A row need not repeat how many experts a model of the catalogue has."""
    named = dataclasses.replace(RACK, moe_experts=None, moe_topk=None, moe_ffn=None)
    assert arguments(named) == arguments(RACK)
    assert "gradient_bytes" not in arguments(named)
