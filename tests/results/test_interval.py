"""Intervals are told in three digits, never narrower than they are."""

import math

from hypothesis import given
from hypothesis import strategies as st

from mlsysim.results.interval import Interval

_ENDS = st.floats(allow_nan=False, allow_infinity=False, width=64).filter(
    lambda end: end == 0 or 1e-300 < abs(end) < 1e300
)


@given(st.tuples(_ENDS, _ENDS).map(sorted))
def test_rounded_outward_and_by_less_than_a_hundredth(ends: list[float]) -> None:
    """What is told holds what is meant, and hardly more."""
    low, high = ends
    told_low, told_high = Interval(low=low, high=high).told
    assert told_low <= low
    assert high <= told_high
    assert math.isclose(told_low, low, rel_tol=0.0101)
    assert math.isclose(told_high, high, rel_tol=0.0101)


def test_each_end_in_its_unit_where_they_differ() -> None:
    """Milliseconds to minutes; one unit where both are told in the same."""
    assert str(Interval(low=0.0359724, high=960.035, unit="s")) == "35.9 ms to 961 s"
    assert str(Interval(low=15.5619, high=35.8707, unit="ms")) == "15.5 to 35.9 ms"
    assert str(Interval(low=2233678.7, high=7697917.6, unit="USD")) == "2,230,000 to 7,700,000 USD"
    assert str(Interval(low=2.0, high=math.inf)) == "2 to inf"
