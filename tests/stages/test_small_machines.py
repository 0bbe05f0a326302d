"""Cards of workstations and desks against what their owners report."""

from typing import Any

import pytest

from mlsysim.catalog import Models, Systems
from mlsysim.stages.serving.serving import ServingModel

ONE_USER: dict[str, Any] = {"batch_size": 1, "input_tokens": 1000, "output_tokens": 500}


@pytest.mark.parametrize("card", ["GeForce_RTX_3090", "GeForce_RTX_4090", "GeForce_RTX_5090"])
def test_32_billion_weights_in_4_bits_fit_one_card(card: str) -> None:
    """As owners of cards of 24 GB run them; in 16 bits they do not."""
    given = {"model": Models.Language.Qwen3_32B, "fleet": Systems.Accelerators[card], **ONE_USER}
    small = ServingModel().solve(**given, weight_precision="int4")
    assert small.feasible
    assert 18 < small.memory_weights.m_as("GB") < 20.5
    assert not ServingModel().solve(**given).feasible
    # No faster than the memory can read the weights once for every token.
    read = small.memory_weights / Systems.Accelerators[card].memory_bandwidth
    assert small.inter_token_latency.m_as("ms") > read.m_as("ms")


def test_120_billion_parameters_run_on_a_small_box() -> None:
    """GPT-OSS-120B on a DGX Spark: 33 to 59 tokens/s.

    33-34 with the vendor's image of vLLM (github.com/NVIDIA/dgx-spark-playbooks, issue 79), 58.8
    with kernels of its own (github.com/spark-arena/recipe-registry, issue 17), where 61 GB are
    taken after loading.
    """
    result = ServingModel().solve(
        model=Models.Language.GPT_OSS_120B,
        fleet=Systems.Accelerators.DGX_Spark,
        weight_precision="mxfp4",
        **ONE_USER,
    )
    assert result.feasible
    assert 33 < 1e3 / result.inter_token_latency.m_as("ms") < 59
    assert result.memory_weights.m_as("GiB") == pytest.approx(61, rel=0.05)


def test_a_dense_model_is_as_slow_as_reported_there() -> None:
    """Llama 3.3 70B in NVFP4: 4.0-4.2 tokens/s measured, 6.7 at the promised bandwidth.

    github.com/NVIDIA/dgx-spark-playbooks, issue 79 and pull request 91.
    """
    result = ServingModel().solve(
        model=Models.Language.Llama3_70B,
        fleet=Systems.Accelerators.DGX_Spark,
        weight_precision="nvfp4",
        **ONE_USER,
    )
    assert result.feasible
    assert 4.0 < 1e3 / result.inter_token_latency.m_as("ms") < 6.72


def test_32_billion_weights_in_4_bits_hold_4000_tokens() -> None:
    """A GeForce RTX 4090 starts with 4,000 tokens of cache, in vLLM (vllm, issue 3872)."""
    result = ServingModel().solve(
        model=Models.Language.Qwen2_5_32B,
        fleet=Systems.Accelerators.GeForce_RTX_4090,
        weight_precision="int4",
        batch_size=1,
        input_tokens=3500,
        output_tokens=500,
        chunk_tokens=4000,
    )
    assert result.feasible


@pytest.mark.parametrize(
    ("model", "measured"),
    [
        ("Llama3_8B", (119.39, 110.45)),
        ("Qwen3_8B", (112.89, 103.74)),
        ("Qwen3_0_6B", (387.64, 340.12)),
        ("Gemma3_27B", (35.19, 34.94)),
    ],
)
def test_unified_memory_reads_as_fast_as_reported(
    model: str, measured: tuple[float, float]
) -> None:
    """An M3 Ultra decodes models in 4 bits as MLX does on it, within 12 %.

    github.com/raullenchai/Rapid-MLX, pull requests 586, 633, 636 and 637: 512 tokens with 128
    after them, and 2,048 with 512.  The measured one has 60 cores, which decode does not feel.
    """
    for tokens, speed in zip(((512, 128), (2048, 512)), measured, strict=True):
        result = ServingModel().solve(
            model=Models.Language[model],
            fleet=Systems.Accelerators.Apple_M3_Ultra_512GB,
            weight_precision="int4",
            batch_size=1,
            input_tokens=tokens[0],
            output_tokens=tokens[1],
        )
        assert 1e3 / result.inter_token_latency.m_as("ms") == pytest.approx(speed, rel=0.12)


def test_unified_memory_computes_as_fast_as_reported() -> None:
    """An M2 Ultra takes in 1,265 tokens/s with 7 billion weights (llama.cpp, pull request 3084)."""
    result = ServingModel().solve(
        model=Models.Language.Llama2_7B,
        fleet=Systems.Accelerators.Apple_M2_Ultra_192GB,
        precision="fp16",
        batch_size=1,
        input_tokens=512,
        output_tokens=2,
    )
    assert 512 / result.time_to_first_token.m_as("s") == pytest.approx(1265, rel=0.25)
