"""Counts of operations against closed forms and published figures."""

import pytest

from mlsysim.physics import flops

# Korthikanti et al. 2022, tables 3 and 5: h, L, batch, accelerators, seconds with selective
# recomputation and sequence parallelism, MFU in percent.  s = 2048, V = 51,200, P = 312 Tflop/s.
TABLE_5 = [
    (6144, 48, 4, 8, 1.10, 41.5),
    (12288, 96, 64, 64, 13.75, 51.4),
    (20480, 105, 280, 280, 37.83, 56.0),
    (25600, 128, 512, 512, 71.49, 56.3),
]


def model_flops(hidden: int, layers: int, batch: int) -> float:
    """Count a training step of a classic GPT under a full mask."""
    tokens, weights = batch * 2048, 12 * layers * hidden**2 + 51200 * hidden
    core = layers * flops.attention_flops(tokens, 2048, hidden, hidden)
    total: float = flops.training_flops(flops.matmul_flops(weights, tokens) + core)
    return total


@pytest.mark.parametrize(("hidden", "layers", "batch", "accelerators", "seconds", "mfu"), TABLE_5)
def test_mfu_of_korthikanti_table_5(
    hidden: int, layers: int, batch: int, accelerators: int, seconds: float, mfu: float
) -> None:
    """The printed MFU follows from the printed step time, to 0.3 points."""
    found = flops.flops_utilization(
        model_flops(hidden, layers, batch), seconds, accelerators, 312e12
    )
    assert 100 * found == pytest.approx(mfu, abs=0.3)


@pytest.mark.parametrize(("hidden", "layers", "batch", "accelerators", "seconds", "mfu"), TABLE_5)
def test_classic_closed_form(
    hidden: int, layers: int, batch: int, accelerators: int, seconds: float, mfu: float
) -> None:
    """A GPT step is 72 B s L h² (1 + s/6h + V/12Lh), equation 8 of the same paper."""
    del accelerators, seconds, mfu
    beyond = 2048 / (6 * hidden) + 51200 / (12 * layers * hidden)
    expected = 72 * batch * 2048 * layers * hidden**2 * (1 + beyond)
    assert model_flops(hidden, layers, batch) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(("length", "window"), [(1, 1), (7, 7), (7, 3), (64, 1), (9, 100)])
def test_positions_are_counted_exactly(length: int, window: int) -> None:
    """The closed form equals the count of positions, token by token."""
    counted = sum(min(position, window) for position in range(1, length + 1))
    assert flops.attended_positions(length, window) == pytest.approx(counted / length)


def test_full_recomputation_repeats_the_forward_pass() -> None:
    """Full recomputation costs 4/3, selective one core, up-projections themselves, none nothing."""
    # forward 10, of which 1 is the core and 2 are up-projections: 30, 31, 32 and 40 in all
    modes = ("none", "selective", "norms_and_up_projections", "full")
    totals = [flops.training_flops(10) + flops.recomputed_flops(mode, 10, 1, 2) for mode in modes]
    assert totals == [30, 31, 32, 40]
