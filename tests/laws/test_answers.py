"""Laws 6, 8, 9 and 10 of answers: said in a file as in Python; how exact, at what price, for whom.

Every stage that a file can name is asked about in each way in which a question is answered.
"""

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from laws.designs import numbers
from laws.test_same_thing_said_twice import differences
from stage_designs import DESIGNS

from mlsysim.catalog.record import Record
from mlsysim.core.pipeline import Pipeline
from mlsysim.core.solver import MixedFleetModel
from mlsysim.files.question import Question, load
from mlsysim.launch.frameworks import frameworks
from mlsysim.report import report_at, report_of
from mlsysim.report.report import Report
from mlsysim.stages.evidence import FLEETS
from mlsysim.stages.stage import ForwardModel
from mlsysim.units import is_quantity

# The designs of a mixed fleet are tables of a file, not arguments.
ASKED = [stage for stage in DESIGNS if stage is not MixedFleetModel]
_OF_MONEY = ("usd", "cost", "rent", "capital", "maintenance")


def said(value: Any) -> str:
    """Write a value as a file does: records by name, quantities as text."""
    if isinstance(value, Record):
        return f'"{value.name}"'
    if is_quantity(value):
        return f'"{value.m!r} {value.u}"'
    return repr(value)


def question_about(stage: type[ForwardModel], folder: Path) -> Question:
    """Ask for the best of two designs that differ in one count."""
    arguments = DESIGNS[stage]
    chosen = next(name for name, value in arguments.items() if isinstance(value, int | float))
    result = stage().solve(**arguments)
    first, second = list(goals(result))[:2]
    fixed = "\n".join(f"{k} = {said(v)}" for k, v in arguments.items() if k != chosen)
    path = folder / "question.toml"
    path.write_text(
        f"""
question = "What is best?"
source = "Ours."
objective = "minimize: {stage.__name__}.{first}"
[pipeline]
stages = ["{stage.__name__}"]
[fixed]
{fixed}
[space]
{chosen} = [{arguments[chosen]!r}, {2 * arguments[chosen]!r}]
[pareto]
objectives = ["minimize: {stage.__name__}.{first}", "maximize: {stage.__name__}.{second}"]
""",
        encoding="utf-8",
    )
    return load(path)


def goals(result: Any) -> Iterator[str]:
    """Name what can be best: numbers with a unit, those of money first."""
    found = [
        item.name
        for item in dataclasses.fields(result)
        if isinstance(getattr(result, item.name), float) or is_quantity(getattr(result, item.name))
    ]
    yield from sorted(found, key=lambda name: not name.startswith(_OF_MONEY))


def _evaluated(question: Question) -> Report:
    name = next(iter(question.problem.space))
    return report_at(question, {name: str(question.problem.space[name][1])})


WAYS: Mapping[str, Callable[[Question], Report]] = {
    "solve": lambda question: report_of(question, question.solve()),
    "explain": lambda question: report_of(question, question.explain()),
    "evaluate": _evaluated,
    "pareto": lambda question: report_of(question, question.pareto()),
}


@pytest.fixture(params=ASKED, ids=lambda stage: stage.__name__)
def asked(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[type[ForwardModel], Question]:
    """Give a stage, and a question about it."""
    return request.param, question_about(request.param, tmp_path)


@pytest.mark.parametrize("way", WAYS)
def test_every_answer_says_how_exact_it_is(
    asked: tuple[type[ForwardModel], Question], way: str
) -> None:
    """Law 9: what predicts, and what adds up predictions, tells its error or that none is known."""
    stage, question = asked
    report = WAYS[way](question)
    told = [text for text in report.accuracy if text.startswith(stage.__name__)]
    assert bool(told) is (stage.__name__ in FLEETS), report.accuracy


@pytest.mark.parametrize("way", WAYS)
def test_every_answer_in_money_names_its_prices(
    asked: tuple[type[ForwardModel], Question], way: str
) -> None:
    """Law 10: where a metric is in dollars, the prices behind it stand in the answer."""
    stage, question = asked
    report = WAYS[way](question)
    in_money = any(name.startswith(_OF_MONEY) for name in stage.metrics())
    assert bool(report.prices) is in_money
    assert all(price.text in str(report) for price in report.prices)


@pytest.mark.parametrize("way", WAYS)
def test_every_answer_says_who_can_launch_it(
    asked: tuple[type[ForwardModel], Question], way: str
) -> None:
    """Law 8: every framework that runs such designs is named, with what stands against it."""
    stage, question = asked
    report = WAYS[way](question)
    # What only tunes is named where something is tuned.
    able = {one.name for one in frameworks() if stage in one.stages and not one.tunes}
    assert {item.framework.name for item in report.launched} == able
    assert all(name in str(report) for name in able)


def test_a_file_says_what_python_says(asked: tuple[type[ForwardModel], Question]) -> None:
    """Law 6: records by name and quantities in text have the metrics of the Python call."""
    stage, question = asked
    of_file = question.evaluate(question.problem.space.point(0))[stage.__name__]
    of_python = Pipeline([stage()]).run(**DESIGNS[stage])[stage.__name__]
    assert not list(differences(numbers(of_file), numbers(of_python), stage.__name__))
