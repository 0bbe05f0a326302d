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
