"""The questions of the benchmark are sound: small ones agree with brute force."""

import itertools
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from benchmarks.answer import TOP, Answer, disagreement
from benchmarks.contenders.ours import by_engine, by_reference
from benchmarks.contenders.scip import TOLERANCE
from benchmarks.counting import CountingQuestion
from benchmarks.joint import joint_question
from benchmarks.page import page
from benchmarks.question import Question, question_named
from benchmarks.questions import (
    SPACES,
    Objective,
    Splits,
    TrainingQuestion,
    training_question,
)
from benchmarks.real import REAL

from mlsysim.results.status import Status

_SECONDS = 60.0
SMALL = [training_question(2, objective, splits) for objective in Objective for splits in Splits]
MEDIUM = [training_question(4, Objective.DOLLARS, splits) for splits in Splits]


def _designs(question: Question) -> Iterator[dict[str, Any]]:
    space = question.explorer().problem.space
    values = [[space[name][at] for at in range(len(space[name]))] for name in space]
    for combination in itertools.product(*values):
        yield dict(zip(space, combination, strict=True))


def _is_valid(question: TrainingQuestion, design: dict[str, Any], found: dict[str, Any]) -> bool:
    """Tell in plain Python what the constraints say in text."""
    width = design["tp"] * design["pp"]
    limits = (
        found["memory"] <= 76e9
        and width <= 8 * design["nodes"]
        and found["step_time"] <= question.step_time
        and 20 * design["nodes"] <= question.usd_per_hour
        and found["days"] <= question.days
    )
    if question.splits is Splits.UNEVEN or not limits:
        return bool(limits)
    replicas, rest = divmod(8 * design["nodes"], width)
    per_replica, odd = divmod(design["batch"], replicas * design["micro"])
    partial = design["virtual"] > 1 and per_replica % design["pp"] != 0
    return not (rest or odd or partial or 80 % (design["pp"] * design["virtual"]))


def _by_plain_python(question: TrainingQuestion) -> Answer:
    metric, sign = (
        ("usd_per_million_tokens", 1) if question.minimizes_dollars else ("throughput", -1)
    )
    values = [
        float(found[metric])
        for design in _designs(question)
        if _is_valid(question, design, found := question.evaluate(design))
    ]
    best = tuple(sorted(values, key=lambda value: sign * value)[:TOP])
    return Answer(status=Status.OPTIMAL if best else Status.INFEASIBLE, objectives=best)


@pytest.mark.parametrize("question", SMALL, ids=lambda question: question.name)
def test_the_smallest_questions_agree_with_plain_python(question: TrainingQuestion) -> None:
    """Engine and reference answer as a loop that reads no constraint strings."""
    expected = _by_plain_python(question)
    assert disagreement(by_engine(question, _SECONDS), expected) == ""
    assert disagreement(by_reference(question, _SECONDS), expected) == ""


@pytest.mark.parametrize("question", MEDIUM, ids=lambda question: question.name)
def test_questions_of_1e4_designs_agree(question: TrainingQuestion) -> None:
    """The engine answers as the reference does."""
    expected = by_reference(question, _SECONDS)
    assert disagreement(by_engine(question, _SECONDS), expected) == ""


@pytest.mark.parametrize("splits", Splits)
def test_only_one_objective_is_infeasible(splits: Splits) -> None:
    """A deadline that the budget cannot buy excludes every design; the other two do not."""
    status = {
        objective: by_reference(training_question(4, objective, splits), _SECONDS).status
        for objective in Objective
    }
    assert status == {
        Objective.THROUGHPUT: Status.OPTIMAL,
        Objective.DOLLARS: Status.OPTIMAL,
        Objective.INFEASIBLE: Status.INFEASIBLE,
    }


@pytest.mark.parametrize("exponent", SPACES)
def test_sizes_are_what_they_are_called(exponent: int) -> None:
    """A rung has its power of ten designs, within 30 percent."""
    question = training_question(exponent, Objective.DOLLARS, Splits.UNEVEN)
    assert 0.7 < question.size / 10**exponent < 1.3


def test_joint_question_agrees_over_the_product() -> None:
    """Two narrow jobs: 378 x 378 designs, walked; feasible, and short of accelerators."""
    question = joint_question(2, narrow=True)
    expected = by_reference(question, _SECONDS)
    assert expected.status is Status.OPTIMAL
    assert disagreement(by_engine(question, _SECONDS), expected) == ""
    # Alone, each job takes the kind that is best for it; together they are dearer.
    alone = sum(
        min(
            found["usd"]
            for design in _designs(joint_question(1, narrow=True))
            for found in [_job(question, design, number)]
            if found is not None
        )
        for number in range(2)
    )
    assert expected.objectives[0] > alone


def _job(question: Any, design: dict[str, Any], number: int) -> dict[str, Any] | None:
    """Price one job alone; nothing where it breaks a limit of its own."""
    both = {f"{name[:-2]}_{at}": value for name, value in design.items() for at in range(2)}
    job = question.evaluate(both)["jobs"][f"j{number}"]
    limit = (20.0, 23.0)[number]  # days, as the question has them
    valid = job["spare_memory"] >= 0 and job["days"] <= limit and job["missing"] <= 0
    return job if valid else None


@pytest.mark.parametrize("linear", [True, False])
def test_counting_question_agrees(linear: bool) -> None:  # noqa: FBT001
    """Seven counts of each of six kinds: 7^6 fleets, walked."""
    question = CountingQuestion(most=6, linear=linear)
    expected = by_reference(question, _SECONDS)
    assert expected.status is Status.OPTIMAL
    assert disagreement(by_engine(question, _SECONDS), expected) == ""


@pytest.mark.parametrize(
    "name", ["1e8-throughput-uneven", "joint-4", "joint-2-narrow", "counting-10000-nonlinear"]
)
def test_questions_are_found_by_name(name: str) -> None:
    """A worker gets the question that it is told."""
    assert question_named(name).name == name


def test_large_questions_are_as_large_as_they_say() -> None:
    """2e10 designs per job make 1e41 of four jobs; six counts up to 10,000 make 1e24 fleets."""
    four = question_named("joint-4").explorer().problem.space.size
    fleets = question_named("counting-10000-linear").explorer().problem.space.size
    assert math.isclose(four, 1.6e41, rel_tol=0.1)
    assert fleets == 10_001**6


@pytest.mark.parametrize("question", SMALL, ids=lambda question: question.name)
def test_compiled_rivals_agree(question: TrainingQuestion) -> None:
    """Brute force and the search written by hand answer as the reference does."""
    pytest.importorskip("numba")
    from benchmarks.contenders import brute_force, by_hand  # noqa: PLC0415 - needs numba

    expected = by_reference(question, _SECONDS)
    assert disagreement(brute_force.solve(question), expected) == ""
    assert disagreement(by_hand.solve(question), expected) == ""


def test_scip_agrees() -> None:
    """SCIP, given time, finds the same best design."""
    pytest.importorskip("pyscipopt")
    from benchmarks.contenders import scip  # noqa: PLC0415 - a rival

    question = training_question(4, Objective.THROUGHPUT, Splits.DIVISIBLE)
    expected = by_reference(question, _SECONDS)
    assert disagreement(scip.solve(question, _SECONDS), expected, tolerance=TOLERANCE, top=1) == ""


@pytest.mark.parametrize("name", [name for name in REAL if "-5-" in name])
def test_small_questions_of_the_real_stages_agree_with_the_reference(name: str) -> None:
    """The five best, or that there are none, of 1e5 designs."""
    question = question_named(name)
    ours, theirs = by_engine(question, _SECONDS), by_reference(question, _SECONDS)
    assert ours.proven
    assert not disagreement(ours, theirs)
    if ours.objectives:
        assert ours.details["good_after"] >= 0


@pytest.mark.parametrize("name", REAL)
def test_real_questions_are_named_as_the_tables_call_them(name: str) -> None:
    """A rung that is renamed is renamed in the page of the documentation, too."""
    question = question_named(name)
    assert question.name == name
    assert question.explorer().problem.space.size > 10**5
    text = (Path(__file__).parents[2] / "docs" / "speed.md").read_text()
    assert f"| {name.removeprefix('real-')} |" in text


def test_the_page_keeps_what_is_around_its_table() -> None:
    """Only what stands between the marks is written anew, from the JSON of a run."""
    engine = {
        "answer": {
            "status": "OPTIMAL",
            "details": {"good_after": 0.25, "solver": {"boxes": 1200, "designs": 34}},
        },
        "cpu": [0.5, 0.7, 0.6],
        "median": 0.8,
        "error": "",
    }
    report = {
        "machine": {"cores": 2, "python": "3.11.7"},
        "packages": {"numpy": "2.4.6"},
        "plan": {"repeats": 3},
        "questions": [
            {
                "question": "real-training-9-dollars",
                "size": 1.2e9,
                "ratios": {"engine": 1.0, "reference": 12.345},
                "optuna_gap": 0.123,
                "measurements": {"engine": engine, "reference": {}, "optuna": {}},
            },
            {"question": "1e8-dollars-uneven"},
        ],
    }
    text = page("before\n<!-- real stages -->\nold\n<!-- end -->\nafter\n", report)
    assert text.startswith("before\n<!-- real stages -->\n")
    assert text.endswith("<!-- end -->\nafter\n")
    assert "old" not in text
    row = "| training-9-dollars | 1.2e9 | best, proven | 0.60 | 0.80 | 0.25 | 1,200 | 34 | 12.3 |"
    assert f"{row} 12.3% short |" in text
