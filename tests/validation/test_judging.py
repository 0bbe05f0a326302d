"""Statistics of errors, rank correlation and regret, derived by hand."""

from typing import Any

import pytest

from mlsysim.validation.outcome import Outcome
from mlsysim.validation.ranking import contests_of, kendall_tau, rankings_of
from mlsysim.validation.statistics import errors_of, tallies, tally


def outcome(name: str, measured: float, predicted: float | None, **more: Any) -> Outcome:
    """Make a row in which more is better."""
    return Outcome(
        id=name, group=more.pop("group", "g"), accelerator="H100", hardware="H100_SXM", unit="s",
        measured=measured, predicted=predicted, **more,
    )  # fmt: skip


def design(name: str, measured: float, predicted: float, **more: Any) -> Outcome:
    """Make a row of a choice."""
    return outcome(
        name, measured, predicted,
        rivals=more.pop("rivals", "set"), design=more.pop("design", name),
        speed_measured=measured, speed_predicted=predicted, **more,
    )  # fmt: skip


def test_errors_by_hand() -> None:
    """Signed errors of +10, -20, +30, -40 and +50 %."""
    errors = errors_of([0.1, -0.2, 0.3, -0.4, 0.5])
    assert errors is not None
    assert errors.rows == 5
    assert errors.mean == pytest.approx(0.3)
    assert errors.median == pytest.approx(0.3)
    # the 90 % quantile of 0.1 ... 0.5 lies at position 0.9 * 4 = 3.6: 0.4 + 0.6 * 0.1
    assert errors.p90 == pytest.approx(0.46)
    # the sum of the five is +0.3
    assert errors.bias == pytest.approx(0.06)
    assert errors.worst == pytest.approx(0.5)
    assert errors_of([]) is None


def test_an_error_is_a_signed_fraction_of_the_measurement() -> None:
    """Predicted 12 where 10 was measured is +20 %; nothing predicted is no error."""
    assert outcome("a", 10.0, 12.0).error == pytest.approx(0.2)
    assert outcome("a", 10.0, None).error is None


def test_what_else_is_measured_has_errors_too() -> None:
    """Memory, and whatever stands in a row as measured and predicted."""
    row = outcome("a", 10.0, 12.0, memory_measured=80.0, memory_predicted=60.0,
                  more={"ttft_ms": 100.0, "ttft_ms_predicted": 150.0, "tpot_ms": None,
                        "tpot_ms_predicted": 10.0})  # fmt: skip
    assert row.further_errors == {"memory": pytest.approx(-0.25), "ttft_ms": pytest.approx(0.5)}
    found = tally("all", [row, outcome("b", 10.0, 10.0)])
    assert found.further["memory"].mean == pytest.approx(0.25)
    assert found.to_dict()["ttft_ms_error"]


def test_tallies_keep_the_order_and_count_what_was_skipped() -> None:
    """Groups come as they come in the file."""
    rows = [
        outcome("a", 1.0, 1.1, group="z"),
        outcome("b", 1.0, None, group="y", skipped="no batch"),
        outcome("c", 1.0, 0.7, group="z"),
    ]
    first, second = tallies(rows, lambda row: row.group)
    assert (first.name, first.rows, first.skipped) == ("z", 2, 0)
    assert first.errors is not None
    assert first.errors.mean == pytest.approx(0.2)  # (0.1 + 0.3) / 2
    assert (second.name, second.rows, second.skipped, second.errors) == ("y", 1, 1, None)


def test_tau_and_regret_by_hand() -> None:
    """Four designs, measured 4 > 3 > 2 > 1, of which the second is predicted best."""
    rows = [design("a", 4.0, 30.0), design("b", 3.0, 40.0), design("c", 2.0, 20.0),
            design("d", 1.0, 10.0)]  # fmt: skip
    (contest,) = contests_of(rows)
    # of six pairs only a-b is in the wrong order: (5 - 1) / 6
    assert kendall_tau([contest]) == pytest.approx(4 / 6)
    # we pick b, measured 3 where a has 4
    assert contest.regret == pytest.approx(0.25)
    (ranking,) = rankings_of(rows)
    assert (ranking.contests, ranking.designs) == (1, 4)
    assert ranking.regret == ranking.worst_regret == pytest.approx(0.25)


def test_ties_count_on_their_own_side_only() -> None:
    """Measured 1, 1, 2 and predicted 1, 2, 3: two pairs agree, one is tied as measured."""
    rows = [design("a", 1.0, 1.0), design("b", 1.0, 2.0), design("c", 2.0, 3.0)]
    # two pairs differ as measured, three as predicted
    assert kendall_tau(contests_of(rows)) == pytest.approx(2 / 6**0.5)
    tied = [design("a", 1.0, 1.0), design("b", 1.0, 2.0)]
    assert kendall_tau(contests_of(tied)) is None


def test_pairs_are_compared_within_a_choice_only() -> None:
    """Two choices of two: one in the right order, one in the wrong one."""
    rows = [
        design("a", 2.0, 2.0, rivals="small"),
        design("b", 1.0, 1.0, rivals="small"),
        design("c", 20.0, 10.0, rivals="large"),
        design("d", 10.0, 20.0, rivals="large"),
    ]
    (ranking,) = rankings_of(rows)
    assert ranking.tau == pytest.approx(0.0)
    assert ranking.regret == pytest.approx(0.25)  # (0 + 1 - 10/20) / 2
    assert ranking.worst_regret == pytest.approx(0.5)


def test_a_design_measured_twice_is_one_design() -> None:
    """Its speed is the mean, and alone it is no choice."""
    twice = [design("a", 1.0, 5.0, design="x"), design("b", 3.0, 5.0, design="x")]
    assert contests_of(twice) == ()
    (contest,) = contests_of([*twice, design("c", 1.0, 1.0)])
    assert [one.measured for one in contest.designs] == [2.0, 1.0]
    assert contest.designs[0].ids == ("a", "b")


def test_rows_without_rivals_are_left_out() -> None:
    """What was not predicted, or stands alone, says nothing about choices."""
    assert rankings_of([outcome("a", 1.0, 2.0), design("b", 1.0, 2.0)]) == ()
