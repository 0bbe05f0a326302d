"""Texts of question files are edited value by value, and stay question files."""

import tomllib
from pathlib import Path

import pytest
from question_files import QUESTIONS

from mlsysim.live.controls import controls_of
from mlsysim.live.dials import Dial
from mlsysim.live.draft import TabDraft
from mlsysim.live.editing import with_value, without
from mlsysim.problem.relation import Relation

ROOT = Path(__file__).parents[2]


def draft_of(file: Path) -> TabDraft:
    """Open a file of the repository."""
    return TabDraft(text=file.read_text(encoding="utf-8"), path=file)


@pytest.mark.parametrize("file", QUESTIONS, ids=lambda file: file.stem)
def test_writing_what_stands_there_changes_nothing(file: Path) -> None:
    """Each control of each file, set to where it stands, gives the same question."""
    draft = draft_of(file)
    before = tomllib.loads(draft.text)
    controls = controls_of(draft.loaded())
    dials = [*controls.dials, *(limit.dial for limit in controls.limits if limit.dial)]
    for dial in dials:
        assert dial.value in dial.scale
        draft = draft.with_value(dial.place, dial.written(dial.value))
    for entry in controls.entries:
        draft = draft.with_value(("fixed", entry.name), entry.value)
    for limit in controls.limits:
        table = before["constraints"][limit.name]
        draft = draft.without(limit.place).with_values(limit.place, table)
    after = tomllib.loads(draft.text)
    # Requirements come in their normal form: the same text but for spaces and digits.
    for table in (before, after):
        table.pop("constraints", None)
    assert after == before
    again = controls_of(draft.loaded())
    assert {item.name: item.because for item in again.limits} == {
        item.name: item.because for item in controls.limits
    }
    assert [item.text for item in sorted(again.limits, key=lambda item: item.name)] == [
        item.text for item in sorted(controls.limits, key=lambda item: item.name)
    ]


def test_comments_stay() -> None:
    """What somebody wrote beside a value is still there after it has changed."""
    text = "# whole\n[fixed]\nnodes = 8 # racks\n\n[space] # free\ntp = [1, 2]\n"
    changed = with_value(with_value(text, ("fixed", "nodes"), 16), ("space", "tp"), [2])
    assert changed == "# whole\n[fixed]\nnodes = 16 # racks\n\n[space] # free\ntp = [2]\n"


def test_the_last_limit_can_go_and_come_back() -> None:
    """Tables on the way are made again; text after them keeps its own place."""
    text = '[constraints.a]\nrequire = "x <= 1"\n\n[pareto]\nobjectives = ["minimize: x"]\n'
    gone = without(text, ("constraints", "a"))
    assert "a" not in tomllib.loads(gone).get("constraints", {})
    back = with_value(gone, ("constraints", "a", "require"), "x <= 1")
    assert tomllib.loads(back) == tomllib.loads(text)


def test_a_requirement_of_text_alone_is_moved() -> None:
    """A slider finds the number of a short requirement as that of a whole one."""
    moved = with_value('[constraints]\na = "x <= 1"\n', ("constraints", "a", "require"), "x <= 2")
    assert tomllib.loads(moved) == {"constraints": {"a": {"require": "x <= 2"}}}


@pytest.mark.parametrize(
    ("relation", "value", "expected"),
    [
        # Four digits, on the side that lets the value through; a strict limit is never met exactly.
        (Relation.AT_MOST, 2_035_104.8, 2_036_000.0),
        (Relation.AT_LEAST, 595_463.1, 595_400.0),
        (Relation.AT_MOST, 0.25, 0.25),
        (Relation.LESS, 0.25, 0.2501),
        (Relation.GREATER, 40.0, 39.99),
        (Relation.AT_MOST, -1.23456, -1.234),
    ],
)
def test_a_limit_that_is_reached_is_let_through(
    relation: Relation, value: float, expected: float
) -> None:
    """The offered limit is close to what can be reached, and holds there."""
    dial = Dial(place=(), name="x", value=1.0, left="x", relation=relation)
    assert dial.reaching(value) == pytest.approx(expected, rel=1e-12)
    assert relation.holds(value, dial.reaching(value))


def test_a_mixed_fleet_is_weighed_by_what_the_sum_reports() -> None:
    """What a replica reports is no metric of the fleet: a front over it was an error."""
    question = draft_of(ROOT / "models/fleet/mixed_three_classes.toml").loaded()
    goals = controls_of(question).goals
    assert goals
    assert all(goal.partition(": ")[2].startswith("MixedFleetModel.") for goal in goals)


def test_a_limit_per_time_can_be_moved() -> None:
    """However its unit is written: with an operator of its own, or behind the number."""
    draft = draft_of(ROOT / "models/infeasible/pace_within_budget.toml")
    for written in ("1e6 / s", "1e6/s", "1e6 /s"):
        text = draft.text.replace("1e6 / s", written)
        limits = controls_of(TabDraft(text=text, path=draft.path).loaded()).limits
        (pace,) = (limit for limit in limits if limit.name == "pace")
        assert pace.dial is not None
        moved = draft.with_value(pace.dial.place, pace.dial.written(2e6)).loaded()
        (held,) = (item for item in moved.problem.constraints if item.name == "pace")
        assert held.text == "DistributedModel.effective_throughput >= 2000000 / s"
