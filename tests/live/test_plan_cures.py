"""What a click does to a plan that cannot be kept lets one through, and forcing tells the cost."""

from datetime import date
from pathlib import Path

import pytest

from mlsysim.files.plans.plan_file import plan_of
from mlsysim.files.templates import template
from mlsysim.live.draft import TabDraft
from mlsysim.live.plan_cures import choices_of, cures_of
from mlsysim.live.planning import ForcePlan, SolvePlan

DRAFT = TabDraft(text=template("plan"), path=Path("plan.toml"))
LATE = DRAFT.with_value(("jobs", "code", "deadline"), date(2027, 1, 8))


@pytest.mark.parametrize(
    "draft",
    [
        LATE,
        DRAFT.with_value(("budget",), "140000 USD"),
        DRAFT.with_value(("end",), date(2027, 1, 10)),
    ],
    ids=["deadline", "budget", "horizon"],
)
def test_each_cure_makes_a_plan_possible(draft: TabDraft) -> None:
    """Dropping a member of the conflict does where that is offered, and so does a value."""
    plan = plan_of(draft.text, draft.path)
    found = plan.solve(workers=1)
    assert found.status == "INFEASIBLE"
    cures = list(cures_of(plan, found))
    assert any(cure.helps for cure in cures)
    assert {cure.name for cure in cures} == {*found.conflict}
    for cure in cures:
        dropped = draft.without(cure.place)
        there = "OPTIMAL" if cure.helps else "INFEASIBLE"
        assert plan_of(dropped.text, draft.path).solve(workers=1).status == there, cure
        if cure.value is not None:
            moved = draft.with_value(cure.place, cure.value)
            assert plan_of(moved.text, draft.path).solve(workers=1).status == "OPTIMAL", cure


def test_what_is_forced_is_told_with_its_cost() -> None:
    """It is what `mlsysim plan --why-not` says, and each value that is offered can be forced."""
    plan = plan_of(DRAFT.text, DRAFT.path)
    choices = {(item.job, item.name): item for item in choices_of(plan, plan.solve(workers=1))}
    nodes = choices["code", "nodes"]
    told = ForcePlan(draft=DRAFT, forced={nodes.key: nodes.values["32"]}).run(lambda _: None)
    assert told.startswith("With jobs.code.space.nodes = [32]: cost = ")
    assert "more" in told
    told = ForcePlan(draft=DRAFT, forced={nodes.key: nodes.values["4"]}).run(lambda _: None)
    assert told == "With jobs.code.space.nodes = [4]: no plan meets every requirement"
    for choice in choices.values():
        assert choice.best in choice.values, choice
        for value in choice.values.values():
            plan_of(DRAFT.text, DRAFT.path, {choice.key: value})


def test_no_cure_is_offered_where_there_is_a_plan() -> None:
    """And nothing to force where there is none."""
    assert SolvePlan(draft=DRAFT).run(lambda _: None).cures == ()
    assert SolvePlan(draft=LATE).run(lambda _: None).choices == ()
