"""Schedules of a pipeline: what fills a bubble must be there to fill it."""

from hypothesis import given
from hypothesis import strategies as st
from strategies import examples

from mlsysim.physics.schedule import bidirectional_bubble_time, zero_bubble_time

_TIME = st.integers(1, 100).map(float)
_COUNT = st.integers(1, 40)


@examples(200)
@given(_TIME, _TIME, _TIME, _COUNT, _COUNT)
def test_a_zero_bubble_step_is_no_shorter_than_its_longest_chain(
    forward: float, inputs: float, weights: float, stages: int, microbatches: int
) -> None:
    """The last stage works through all microbatches, then one goes back, and has its gradients."""
    stage = forward + inputs + weights
    step = microbatches * stage + zero_bubble_time(
        (stages - 1) * (stage - weights), weights, stages, microbatches
    )
    chain = (microbatches + stages - 1) * (forward + inputs) + weights
    assert step >= chain * (1 - 1e-12)


@examples(200)
@given(_TIME, _TIME, _TIME, _COUNT, _COUNT)
def test_shorter_gradients_never_lengthen_a_step(
    forward: float, inputs: float, weights: float, stages: int, microbatches: int
) -> None:
    """Half the time for gradients of weights makes no step longer, however few microbatches."""

    def steps(weights: float) -> tuple[float, float]:
        stage, backward = forward + inputs + weights, inputs + weights
        return (
            microbatches * stage
            + zero_bubble_time((stages - 1) * (stage - weights), weights, stages, microbatches),
            microbatches * stage
            + bidirectional_bubble_time(stage, backward, weights, stages, microbatches),
        )

    for shorter, longer in zip(steps(weights / 2), steps(weights), strict=True):
        assert shorter <= longer * (1 + 1e-12)
