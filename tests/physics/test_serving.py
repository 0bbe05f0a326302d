"""Serving formulas and queues: identities, limits and orderings."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlsysim.physics import serving, serving_queue

shares = st.floats(0.0, 0.99)


@given(st.integers(0, 60), st.integers(1, 60))
def test_causal_pairs_are_counted_one_by_one(positions: int, window: int) -> None:
    """Token i sees the last w tokens of i, itself included."""
    expected = sum(min(seen, window) for seen in range(1, positions + 1))
    assert serving.causal_pairs(positions, window) == pytest.approx(expected)


@given(st.integers(1, 512), st.data())
def test_touched_experts_stay_within_visits_and_experts(experts: int, data: st.DataObject) -> None:
    """One token touches K experts; n tokens at most n K and at most E, and never fewer than K."""
    visited = data.draw(st.integers(1, experts))
    tokens = data.draw(st.integers(1, 10_000))
    log_missed = math.log1p(-visited / experts) if visited < experts else -50.0
    one = experts * serving.touched_share(log_missed, 1)
    assert one == pytest.approx(visited)
    many = experts * serving.touched_share(log_missed, tokens)
    assert visited * (1 - 1e-12) <= many <= min(experts, tokens * visited) * (1 + 1e-12)


@given(st.integers(0, 12), st.floats(0.0, 1.0))
def test_a_draft_yields_what_is_accepted_in_a_row(drafted: int, acceptance: float) -> None:
    """The k-th drafted token counts if all up to it are accepted, a^k; and one more."""
    expected = sum(acceptance**place for place in range(drafted + 1))
    found = serving.tokens_per_pass(drafted, acceptance)
    assert found == pytest.approx(expected, rel=1e-6)
    assert 1 <= found * (1 + 1e-9) <= (drafted + 1) * (1 + 2e-9)


@given(st.floats(1e-12, 1e3), st.floats(1e-12, 1e3))
def test_overlap_lies_between_the_longer_and_the_sum(arithmetic: float, reading: float) -> None:
    """No roofline is beaten, and nothing is waited for twice."""
    found = serving.overlapped_time(arithmetic, reading)
    longer = max(arithmetic, reading)
    assert longer * (1 - 1e-12) <= found <= (arithmetic + reading) * (1 + 1e-12)


@given(st.integers(1, 4096), st.integers(1, 128))
def test_pages_hold_all_tokens_and_less_than_one_page_more(tokens: int, page: int) -> None:
    """The last page is at most one token short of empty."""
    assert tokens <= serving.paged(tokens, page) < tokens + page
    assert serving.paged(tokens, page) % page == 0


@given(st.floats(0, 1e4), st.floats(0.1, 50), st.floats(0, 30), st.integers(1, 9))
def test_as_many_sequences_fit_as_whole_ones_do(
    free: float, each: float, logits: float, turns: int
) -> None:
    """Counted one by one: n sequences, and the logits of those in the fullest micro-batch."""
    found = int(serving.sequences_that_fit(free, each, logits, turns))

    def held(count: int) -> float:
        return count * each + math.ceil(count / turns) * logits

    assert held(found) <= free * (1 + 1e-9)
    assert held(found + 1) > free * (1 - 1e-9)


@pytest.mark.parametrize(
    ("parts", "expected"), [(1, 0.0), (2, 0.564), (8, 1.424), (64, 2.344), (256, 2.813)]
)
def test_the_fullest_of_some_parts_is_as_in_tables(parts: int, expected: float) -> None:
    """Expected largest of k standard normal variables (Harter 1961, table 1)."""
    assert serving.fullest_of(0.0, 1.0, parts) == pytest.approx(expected, abs=0.03)


@given(shares)
def test_one_server_waits_as_theory_says(utilization: float) -> None:
    """M/M/1 waits u S/(1 - u) on average and M/D/1 half of it; here S = 2."""
    chance = serving_queue.chance_to_wait(utilization, 1)
    exponential = serving_queue.mean_wait_of_waiting(2.0, 1, utilization, 1.0)
    constant = serving_queue.mean_wait_of_waiting(2.0, 1, utilization, 0.0)
    assert chance * exponential == pytest.approx(2 * utilization / (1 - utilization))
    assert constant == pytest.approx(exponential / 2)


def test_several_servers_wait_about_as_erlang_says() -> None:
    """Erlang C at 10 servers and u = 0.8: chance 0.409, mean wait 0.409 S/(10 * 0.2) = 0.205 S."""
    chance = serving_queue.chance_to_wait(0.8, 10)
    mean = chance * serving_queue.mean_wait_of_waiting(1.0, 10, 0.8, 1.0)
    assert mean == pytest.approx(0.205, rel=0.1)


@given(shares, shares, st.floats(0.01, 100))
def test_quantiles_of_a_wait_are_ordered(chance: float, quantile: float, mean: float) -> None:
    """A higher quantile waits no less, and half of the requests nothing if fewer than half wait."""
    lower = serving_queue.wait_quantile(chance, mean, quantile)
    higher = serving_queue.wait_quantile(chance, mean, (1 + quantile) / 2)
    assert 0 <= lower <= higher
    if chance <= 0.5:
        assert serving_queue.wait_quantile(chance, mean, 0.5) == 0


def test_waits_stay_finite_beyond_capacity() -> None:
    """There is no steady state at twice the capacity; the check says so, not a division by zero."""
    assert math.isfinite(serving_queue.mean_wait_of_waiting(1.0, 4, 2.0, 1.0))
