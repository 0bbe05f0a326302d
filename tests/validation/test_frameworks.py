"""What frameworks did that no column says, and what remarks tell about memory and time."""

import dataclasses
from typing import Any

import pytest

from mlsysim.validation.conversion import Configuration, convert
from mlsysim.validation.measured import training_rows
from mlsysim.validation.prediction import predict
from mlsysim.validation.training_row import TrainingRow

ROWS = {row.id: row for row in training_rows()}
MODERN = ROWS["nemotron4-15b-768"]  # H100, bf16, TP 8, of 2024


def arguments(row: TrainingRow = MODERN, **changes: Any) -> dict[str, Any]:
    """Give the arguments for a row that can be converted."""
    found = convert(dataclasses.replace(row, **changes))
    assert isinstance(found, Configuration), found
    return dict(found.arguments)


def test_attention_is_fused_since_2022() -> None:
    """Older sources, V100 and those that say so had kernels that wrote the scores to memory."""
    assert arguments()["attention"] == "causal"
    assert arguments(source="Megatron-LM README 2020-09")["attention"] == "unfused"
    assert arguments(source="arXiv 2104.04473")["attention"] == "unfused"
    assert arguments(source="arXiv 2407.21783")["attention"] == "causal"
    assert arguments(confidence="no flash attention")["attention"] == "unfused"
    assert arguments(accelerator="V100", precision="fp16")["attention"] == "unfused"
    assert arguments(attention="full")["attention"] == "full"


def test_flash_attention_2_is_slow_on_hopper_only() -> None:
    """It was made for Ampere."""
    assert arguments(source="pytorch/torchtitan")["attention"] == "full"
    assert arguments(source="pytorch/torchtitan", accelerator="A100")["attention"] == "causal"


def test_overlap_within_replicas() -> None:
    """Where it is said, in what is built on Megatron-Core, and not elsewhere."""
    assert "overlap" not in arguments()
    assert arguments(confidence="overlap of DP/TP/PP on")["overlap"] == "all"
    assert arguments(group="nemo2407", source="NVIDIA/NeMo@f78d98691f docs")["overlap"] == "all"
    assert arguments(confidence="gradient all-reduce NOT overlapped")["overlap"] == "none"
    assert arguments(overlap="data")["overlap"] == "data"
    mixture = ROWS["mbridge-25.11-Qwen3_30B_a3B-H100-16-FP8-CS-gbs512-Pre-"]
    assert "overlap" not in arguments(mixture)
    assert arguments(mixture, confidence="HybridEP, EP overlap")["overlap"] == "all"
    assert arguments(ROWS["nar21-t2-zero3-174.6B-384"])["overlap"] == "none"


def test_schedules_of_their_own() -> None:
    """A row whose name says zero-bubble had that schedule; the baseline beside it had not."""
    assert arguments(id="zb-1p-28B")["schedule"] == "zero-bubble"
    assert "schedule" not in arguments(id="zb-1f1b-28B")
    assert arguments(schedule="interleaved")["schedule"] == "interleaved"


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
    assert arguments(zero_stage="3")["zero_stage"] == 3
    assert arguments(zero_stage="3", pp=2, dp=None)["zero_stage"] == 1


def test_a_power_limit_slows_the_clock() -> None:
    """500 of 700 W leave sqrt(5/7) = 84.5 % of the peak; MFU is still of the data sheet's."""
    limited = convert(dataclasses.replace(MODERN, accelerator="H100-SXM 80GB, 500 W (x)"))
    assert isinstance(limited, Configuration)
    peak = limited.cluster.accelerator.peak("bf16").m_as("Tflop/s")
    assert peak == pytest.approx(989 * (5 / 7) ** 0.5)


def test_remarks_tell_where_the_state_is_kept() -> None:
    """They become arguments, and nothing else does."""
    told = {"optimizer_offload", "fused_loss", "gradient_bytes", "scatter_gather"}
    assert told.isdisjoint(arguments())
    found = arguments(confidence="high; optimizer (AdamW) on CPU, Liger kernel")
    assert found["optimizer_offload"] is True
    assert found["fused_loss"] is True
    assert arguments(precision="bf16 (fp32 grad accumulation)")["gradient_bytes"] == 6
    assert arguments(ROWS["bs-02-28-l947"])["scatter_gather"] is False


def test_an_optimizer_on_the_host_frees_memory_and_takes_time() -> None:
    """The states of 8.03 billion parameters over 8 accelerators are 12 GB for each."""
    row = ROWS["stas-H200-8b-65536"]
    here = predict(dataclasses.replace(row, confidence="", unit="s", value=1.0))
    there = predict(dataclasses.replace(row, confidence="AdamW optimizer on CPU", unit="s"))
    assert (there.predicted or 0) > (here.predicted or 0)
    # 12 bytes for each of 8.03e9 / 8 parameters, and what is fragmented of them
    assert (here.memory_predicted or 0) - (there.memory_predicted or 0) >= 12.0


def test_blocks_with_evaluation_take_longer() -> None:
    """The TPU entries of MLPerf log training and evaluation together: 7 % more."""
    row = ROWS["mlperf-v4.0-gpt3-Google-cloud-tpu-v5p-1024-maxtext"]
    pure = predict(dataclasses.replace(row, metric="iteration time")).predicted
    assert predict(row).predicted == pytest.approx(1.07 * (pure or 0))
