"""SingleNodeModel: the roofline of one accelerator."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlsysim.catalog import Models, Systems
from mlsysim.errors import Infeasible, MissingFigureError, ParameterError
from mlsysim.stages.single_node import SingleNodeModel, SingleNodeResult

H100 = Systems.Accelerators.H100_SXM
LLAMA = Models.Language.Llama3_8B


def solve(**changes: Any) -> SingleNodeResult:
    """Prefill one sequence of an 8B model on an H100 at half of its peak."""
    inputs: dict[str, Any] = {"model": LLAMA, "accelerator": H100, "efficiency": 0.5}
    return SingleNodeModel().solve(**{**inputs, **changes})


def test_a_long_prefill_is_bound_by_arithmetic() -> None:
    """2 N tokens and the causal core over half of 989 Tflop/s."""
    result = solve(seq_len=4096)
    core = 32 * 4 * 4097 / 2 * 4096
    expected = 4096 * (2 * LLAMA.matmul_parameters + core) / (0.5 * 989e12)
    assert result.latency.m_as("s") == pytest.approx(expected)
    assert result.compute_bound
    assert result.mfu == pytest.approx(0.5)


def test_one_token_is_bound_by_memory() -> None:
    """Reading 8 billion weights of two bytes at 84 % of 3.35 TB/s takes 5.7 ms."""
    result = solve(seq_len=1)
    assert not result.compute_bound
    assert result.latency.m_as("s") == pytest.approx(2 * 8.03e9 / (0.84 * 3.35e12), rel=1e-3)


def test_throughput_never_exceeds_the_peak() -> None:
    """B18: a large batch is limited by arithmetic, whatever memory could deliver."""
    result = solve(batch_size=65536, seq_len=1)
    assert result.mfu <= 0.5
    assert result.latency.m_as("s") >= 65536 * 2 * LLAMA.matmul_parameters / (0.5 * 989e12)


def test_memory_grows_with_the_batch() -> None:
    """B18: a million sequences do not fit in what one needs."""
    assert solve().feasible
    large = solve(batch_size=1_000_000)
    assert {reason for reason, check in large.checks.items() if not check.holds} == {"memory"}


def test_a_vision_model_has_no_use_for_sequences() -> None:
    """ResNet-50 takes 8.2 Gflop an image; its context is no limit."""
    model = Models.Vision.ResNet50
    short, long = (solve(model=model, batch_size=256, seq_len=s) for s in (1, 8192))
    assert short.latency == long.latency
    assert short.feasible
    flops = 256 * model.forward_flops.m_as("flop")
    assert short.latency_compute.m_as("s") == pytest.approx(flops / (0.5 * 989e12))


def test_a_single_image_waits_for_launches() -> None:
    """ResNet-50 is 54 products of 5 us at least: one image does not go as fast as one of 1,024."""
    one, many = (solve(model=Models.Vision.ResNet50, batch_size=size) for size in (1, 1024))
    assert one.latency.m_as("us") == pytest.approx(54 * 5)
    assert one.latency == one.latency_launches
    assert not one.compute_bound
    assert many.latency == many.latency_compute
    assert one.throughput < 0.1 * many.throughput


def test_narrow_numbers_take_less_memory_and_time() -> None:
    """fp8 halves weights and doubles the peak."""
    wide, narrow = (solve(precision=p) for p in ("bf16", "fp8"))
    assert narrow.memory_used < wide.memory_used
    assert narrow.latency < wide.latency


def test_what_the_runtime_keeps_can_be_stated() -> None:
    """0.43 GiB as logs of runtimes show on one accelerator, or what the planner says."""
    known, one, two = (solve(runtime_reserve=kept).memory_used for kept in (None, 1, 2))
    assert (one - known).m_as("GB") == pytest.approx(1 - 0.43 * 1.073741824, abs=0.001)
    assert (two - one).m_as("GB") == pytest.approx(1)
    with pytest.raises(ParameterError, match="runtime_reserve is -1"):
        solve(runtime_reserve=-1)


def test_what_does_not_exist_is_a_verdict_or_an_error() -> None:
    """No bf16 on a V100; no measured efficiency to fall back on; no such precision."""
    v100 = next(a for name, a in Systems.Accelerators.items() if name.startswith("V100"))
    with pytest.raises(Infeasible, match="no bf16"):
        solve(accelerator=v100, precision="bf16")
    unmeasured = H100.replace(name="New", matmul_efficiencies={})
    with pytest.raises(MissingFigureError, match="efficiency"):
        solve(accelerator=unmeasured, efficiency=None)
    with pytest.raises(ParameterError, match="precision is 'fp17'"):
        solve(precision="fp17")
    with pytest.raises(ParameterError, match="model is 'GPT'"):
        solve(model="GPT")


@given(st.integers(1, 4096), st.integers(1, 4096))
def test_larger_batches_take_longer_and_are_no_slower_per_item(batch: int, more: int) -> None:
    """Latency rises with the batch, throughput does not fall (with short sequences)."""
    small, large = solve(batch_size=batch, seq_len=16), solve(batch_size=batch + more, seq_len=16)
    assert large.latency >= small.latency
    assert large.throughput.m >= small.throughput.m * (1 - 1e-12)
