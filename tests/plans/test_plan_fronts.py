"""Fronts of two goals: exactly the plans that the enumeration does not find better ones for."""

import csv
import io
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from plan_drawing import drawn
from strategies import examples
from typer.testing import CliRunner

from mlsysim.cli.app import app
from mlsysim.errors import ObjectiveError
from mlsysim.plans.answers.front import PlanFront
from mlsysim.plans.checking import violations
from mlsysim.plans.enumeration import schedules
from mlsysim.plans.model.solving import SlotSolution, solve
from mlsysim.plans.plan import Plan
from mlsysim.plans.records.goal import Goal
from mlsysim.plans.records.question import PlanQuestion
from mlsysim.plans.worth import worth
from mlsysim.results.status import Status

PAIRS = [(one, two) for one in Goal for two in Goal if one is not two]


def expected(question: PlanQuestion) -> list[tuple[float, float]]:
    """Try all plans, and keep the pairs of values that no other pair is as good as."""
    one, two = question.goals
    pairs = sorted({(worth(question, plan, one), worth(question, plan, two))
                    for plan in schedules(question)})  # fmt: skip
    kept: list[tuple[float, float]] = []
    for pair in pairs:
        if not kept or pair[1] < kept[-1][1] * (1 - 1e-7):
            kept.append(pair)
    return kept


@given(random=st.randoms(use_true_random=False), goals=st.sampled_from(PAIRS))
@examples(25)
def test_a_front_is_that_of_the_enumeration(random: Random, goals: tuple[Goal, Goal]) -> None:
    """The same pairs of values, each with a plan that can be carried out."""
    question = drawn(random, goals=goals)
    found = Plan.of(question).pareto(*goals, workers=1)
    wanted = expected(question)
    assert len(found) == len(wanted)
    assert found.status is (Status.OPTIMAL if wanted else Status.INFEASIBLE)
    for point, values in zip(found, wanted, strict=True):
        assert point.values == pytest.approx(values, rel=1e-6, abs=1e-12)
        assert point.schedule is not None
        assert violations(question, point.schedule) == []


def test_a_front_is_a_table_of_pandas_and_shows_itself() -> None:
    """A row for each plan, in the order of the front, and the same in a notebook."""
    found = front()
    table = found.to_pandas()
    assert len(table) == len(found) > 1
    assert list(table[found.goals[0].value]) == [point.values[0] for point in found]
    assert table.attrs["units"] == {goal.value: goal.unit for goal in found.goals if goal.unit}
    shown = found._repr_html_()
    assert all(cell in shown for row in found.rows() for cell in row)


def test_a_front_is_told_as_a_table() -> None:
    """Shorter costs more; all there are."""
    found = front()
    header, *lines = found.rows()
    assert header[:2] == ["makespan [hour]", "cost [USD]"]
    assert len(lines) == len(found) > 1
    costs = [point.values[1] for point in found]
    assert costs == sorted(costs, reverse=True)
    (told,) = found.lines()
    assert told.endswith("all there are")
    assert len(found.to_dict()["points"]) == len(found)


def test_a_limit_leaves_proven_points(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was found before it is on the front, and the front is told to be incomplete."""
    found = front()
    calls = iter(range(100))

    def limited(*args: Any, **given: Any) -> SlotSolution:
        if next(calls) > 1:
            return SlotSolution(status=Status.UNKNOWN)
        return solve(*args, **given)

    monkeypatch.setattr("mlsysim.plans.model.fronts.solve", limited)
    cut = Plan.of(found.points[0].question).pareto("makespan", "cost", workers=1)
    assert cut.status is Status.FEASIBLE
    # The two ends.
    assert [point.values for point in cut] == [found.points[0].values, found.points[-1].values]
    assert "there may be more between them" in "".join(cut.lines())


def test_a_goal_and_itself_have_no_front() -> None:
    """Both are named."""
    with pytest.raises(ObjectiveError, match="cost and cost"):
        Plan.of(drawn(1)).pareto("cost", "minimize: cost")


def front() -> PlanFront:
    """Draw a plan in which being done sooner costs more."""
    for seed in range(100):
        plan = Plan.of(drawn(seed, goals=(Goal.MAKESPAN, Goal.COST)))
        found = plan.pareto("makespan", "cost", workers=1)
        if len(found) > 2:
            return found
    raise AssertionError


def test_the_command_prints_and_draws_the_front(file: Path) -> None:
    """A line for each plan; the file says what else has to hold, and what it cannot say is told."""
    picture = file.with_suffix(".png")
    asked = ["plan", str(file), "--pareto", "makespan,cost", "--workers", "1"]
    done = CliRunner(env={"COLUMNS": "120"}).invoke(app, [*asked, "--plot", str(picture)])
    assert done.exit_code == 0, done.stderr
    assert "none better by makespan and cost: all there are" in done.stdout
    assert picture.read_bytes().startswith(b"\x89PNG")
    rows = list(csv.reader(io.StringIO(CliRunner().invoke(app, [*asked, "--csv"]).stdout)))
    assert rows[0] == ["makespan [hour]", "cost [USD]", "nodes of one", "nodes of two"]
    assert len(rows) > 3
    done = CliRunner().invoke(app, ["plan", str(file), "--pareto", "makespan"])
    assert done.exit_code == 2
    assert "name two goals" in done.stderr
    done = CliRunner().invoke(app, ["plan", str(file), "--pareto", "makespan,carbon"])
    assert "carbon: missing; the plan counts carbon" in done.stderr
