"""Schedule, overlap and computation: limits and orderings."""

import math

from hypothesis import given
from hypothesis import strategies as st

from mlsysim.physics import compute, data_parallel, schedule
from mlsysim.physics.inference import arithmetic_intensity, forward_traffic

times = st.floats(0, 1e3)


@given(st.integers(1, 64), st.integers(1, 64))
def test_bubble_share_of_narayanan(stages: int, microbatches: int) -> None:
    """The bubble over the ideal time is (p - 1)/(v m)."""
    ideal = microbatches * 1.0
    assert math.isclose(
        schedule.bubble_time((stages - 1) * 1.0, 2) / ideal, (stages - 1) / (2 * microbatches)
    )


@given(st.integers(1, 100), st.integers(1, 64), st.integers(1, 8))
def test_no_more_microbatches_live_than_there_are(
    microbatches: int, stages: int, chunks: int
) -> None:
    """What is alive is bounded by the microbatches, and by p + (p - 1)/v."""
    alive = schedule.microbatches_alive(microbatches, stages, chunks)
    assert 1 <= alive <= min(microbatches, 2 * stages - 1)


@given(times, times)
def test_hidden_traffic_is_never_negative(communication: float, window: float) -> None:
    """What is exposed lies between nothing and everything."""
    assert 0 <= data_parallel.exposed_time(communication, window) <= communication


@given(times, times)
def test_more_sharing_costs_no_less_over_many_microbatches(gradient: float, weight: float) -> None:
    """Over two microbatches or more, each ZeRO stage from 1 on sends at least as much."""
    sent = [
        2 * data_parallel.microbatch_traffic(stage, gradient, weight)
        + data_parallel.step_gradients(stage, gradient)
        + data_parallel.step_weights(stage, weight)
        for stage in (1, 2, 3)
    ]
    assert sent == sorted(sent)


@given(st.floats(1e6, 1e15), st.floats(1.01, 100))
def test_large_products_reach_more_of_the_peak(flops: float, factor: float) -> None:
    """Time grows with work, and less than in proportion to it."""
    small, large = (compute.matmul_time(f, 1e15, 0.7, 1, 3e-6) for f in (flops, factor * flops))
    assert small < large <= factor * small


@given(st.integers(1, 10**9))
def test_arithmetic_intensity_saturates(batch: int) -> None:
    """Activations are moved for each item, so intensity stays below flops over numbers moved."""
    intensity = arithmetic_intensity(2e9 * batch, forward_traffic(1e9, batch, 1e6, 2))
    assert intensity < 2e9 / (1e6 * 2)
