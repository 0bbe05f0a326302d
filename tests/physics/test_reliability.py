"""Failures: the intervals of Young and Daly, and the bounds of goodput."""

import math
from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlsysim.physics import reliability
from mlsysim.units import quantity, same_dimension

writes = st.floats(1e-3, 1e4)
restarts = st.floats(0, 1e4)
mtbfs = st.floats(1.0, 1e8)
intervals = st.floats(1e-2, 1e7)


def test_llama_3_fails_every_three_hours() -> None:
    """419 interruptions of 16,384 accelerators in 54 days are one in 3.1 hours."""
    # 54 * 24 h / 419 = 3.093 h; the two rates are rounded to three digits
    found = reliability.system_mtbf(16_384, 86_300.0, 2_048, 15_300.0)
    assert found == pytest.approx(54 * 24 / 419, rel=2e-3)


def test_young_and_daly_at_llama_scale() -> None:
    """Writing for 60 s at 3.1 h between failures: the first order is 1,157 s."""
    # sqrt(2 * 60 * 11,160) = 1157.24; (1 + sqrt(60 / 22,320) / 3 + 60 / 200,880) = 1.01758;
    # 1157.24 * 1.01758 - 60 = 1117.58
    mtbf = 3.1 * 3600
    assert reliability.young_interval(60.0, mtbf) == pytest.approx(1157.24, abs=0.01)
    assert reliability.daly_interval(60.0, mtbf) == pytest.approx(1117.58, abs=0.01)


def test_the_first_order_is_what_was_known_before() -> None:
    """Where all times are short against the time between failures, waste adds up."""
    # d/t = 0.01; (t + d)/2M = 0.000505; R/M = 0.0003
    found = reliability.goodput(1000.0, 10.0, 300.0, 1e6)
    assert 1 - found == pytest.approx(0.01 + 0.000505 + 0.0003, rel=0.02)


@given(intervals, writes, restarts, mtbfs)
def test_goodput_is_a_share(interval: float, write: float, restart: float, mtbf: float) -> None:
    """It lies between 0 and the share that writing alone leaves."""
    found = reliability.goodput(interval, write, restart, mtbf)
    assert 0 <= found <= interval / (interval + write) * (1 + 1e-9)


def lost_exactly(interval: float, write: float, restart: float, mtbf: float) -> float:
    """Subtract what is kept and what is written from one, with fifty digits."""
    with localcontext(prec=50):
        work, saving, delay, between = map(Decimal, (interval, write, restart, mtbf))
        cycle = (work + saving) / between
        kept = work / between * (-delay / between).exp() / (cycle.exp() - 1)
        return float(1 - saving / (work + saving) - kept)


@given(intervals, writes, restarts, mtbfs)
def test_what_failures_take_is_good_to_its_last_digits(
    interval: float, write: float, restart: float, mtbf: float
) -> None:
    """However rare failures are, their share is no difference of two numbers next to one."""
    if max(interval + write, restart) > 400 * mtbf:
        return
    found = reliability.lost_to_failures(interval, write, restart, mtbf)
    assert found == pytest.approx(lost_exactly(interval, write, restart, mtbf), rel=1e-12)


@given(writes, restarts, st.floats(1e3, 1e8), st.floats(0.2, 5.0))
def test_no_interval_beats_dalys_by_much(
    write: float, restart: float, mtbf: float, factor: float
) -> None:
    """Daly's formula is within a hundredth of the best while writing is short."""
    if write > mtbf / 20:
        return
    best = reliability.daly_interval(write, mtbf)
    found = reliability.goodput(best, write, restart, mtbf)
    assert found >= 0.99 * reliability.goodput(factor * best, write, restart, mtbf)


@given(writes, restarts, mtbfs, st.floats(1.01, 100.0))
def test_a_more_reliable_machine_does_more(
    write: float, restart: float, mtbf: float, factor: float
) -> None:
    """At any fixed interval, goodput grows with the time between failures."""
    interval = reliability.daly_interval(write, mtbf)
    less, more = (reliability.goodput(interval, write, restart, m) for m in (mtbf, factor * mtbf))
    assert more >= less * (1 - 1e-9) - 1e-100  # below that, both are nothing


@given(writes, st.floats(0.5, 1e6))
def test_the_interval_is_positive_and_continuous_at_the_end(write: float, mtbf: float) -> None:
    """Daly's formula never asks for a negative interval; beyond 2 M it is M."""
    found = reliability.daly_interval(write, mtbf)
    assert found > 0
    if write >= 2 * mtbf:
        assert found == mtbf
    # sqrt(2 * 2M * M) (1 + 1/3 + 1/9) - 2M = 2M * 4/9, against M beyond: a step of a ninth of M
    assert reliability.daly_interval(2 * mtbf * (1 - 1e-9), mtbf) == pytest.approx(8 / 9 * mtbf)


def test_hopeless_machines_do_nothing_and_overflow_nothing() -> None:
    """A machine that fails a thousand times while it saves its state gets nowhere."""
    assert reliability.goodput(1.0, 1e9, 1e9, 1.0) == pytest.approx(0.0, abs=1e-100)


def test_laws_take_quantities() -> None:
    """Quantities go in, and a quantity of the right dimension comes out."""
    write, mtbf = quantity(60, "s"), quantity(3.1, "hour")
    assert same_dimension(reliability.young_interval(write, mtbf), quantity(1, "s"))
    assert same_dimension(reliability.daly_interval(write, mtbf), quantity(1, "s"))
    state, bandwidth = quantity(1, "TB"), quantity(20, "GB/s")
    assert reliability.checkpoint_time(state, bandwidth).m_as("s") == pytest.approx(50.0)
    rate = reliability.system_mtbf(100, quantity(1000, "hour"), 10, quantity(100, "hour"))
    assert rate.m_as("hour") == pytest.approx(5.0)
    share = reliability.goodput(quantity(1000, "s"), quantity(10, "s"), quantity(5, "min"), mtbf)
    # cycle 1010 / 11160 = 0.090502; exp - 1 = 0.094724; 0.089606 / 0.094724 * exp(-0.026882)
    assert share.m_as("") == pytest.approx(0.9209, abs=1e-4)
    assert math.isfinite(share.m_as(""))
