"""Random questions about every stage: four ways and plain loops give one answer."""

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from laws.arguments import values_of
from laws.designs import STAGES, Complete, Pasted, feasible, law, numbers, shown, together

from mlsysim.core.dse import DSE
from mlsysim.core.pipeline import Pipeline
from mlsysim.errors import Infeasible, MissingFigureError, MlsysimError
from mlsysim.results import SearchResult, Status
from mlsysim.search.comparison import compare
from mlsysim.stages.stage import ForwardModel
from mlsysim.units import is_quantity, unit_of

_MOST = 400
_CLOSE = 1e-9


@dataclass(frozen=True, repr=False)
class Question(Pasted):
    """A question about one stage; it prints as the calls that ask it."""

    stage: type[ForwardModel]
    fixed: Mapping[str, Any]
    space: Mapping[str, list[Any]]
    objective: str
    constraints: Mapping[str, str]

    def evaluate(self, params: Mapping[str, Any]) -> Any:
        """Evaluate one design."""
        return Pipeline([self.stage()]).run(**self.fixed, **params)

    @property
    def dse(self) -> DSE:
        """The question as it is asked."""
        return DSE(self.space, self.objective, self.constraints)

    def __repr__(self) -> str:
        space = {name: [shown(value) for value in values] for name, values in self.space.items()}
        fixed = ", ".join(f"{name}={shown(value)}" for name, value in self.fixed.items())
        listed = ", ".join(f"{name!r}: [{', '.join(values)}]" for name, values in space.items())
        return (
            f"DSE({{{listed}}}, {self.objective!r}, {self.constraints!r}) with "
            f"{self.stage.__name__}({fixed})"
        )


def _points(question: Question) -> Iterator[dict[str, Any]]:
    for values in itertools.product(*question.space.values()):
        yield dict(zip(question.space, values, strict=True))


@st.composite
def questions(draw: st.DrawFn, stage: type[ForwardModel]) -> Question:
    """Draw a space over some arguments, an objective, and limits that some design has."""
    base = draw(feasible(stage))
    context = Complete(stage, base)
    free = [name for name in base.arguments if name not in together(base)]
    chosen = draw(st.lists(st.sampled_from(free), min_size=1, max_size=7, unique=True))
    space: dict[str, list[Any]] = {}
    size = 1
    for name in chosen:
        values = [base[name]]
        for _ in range(draw(st.integers(1, 4))):
            other = draw(values_of(stage, name, context))
            fits = size * (len(values) + 1) <= _MOST
            if fits and other not in values:
                values.append(other)
        size *= len(values)
        space[name] = values
    fixed = {name: value for name, value in base.arguments.items() if name not in space}
    result = base.solve()
    paths = sorted(
        name
        for name in numbers(result)
        if not name.startswith("check ") and not isinstance(numbers(result)[name], bool)
    )
    goal = draw(st.sampled_from(paths))
    sense = draw(st.sampled_from(["minimize", "maximize"]))
    constraints = {}
    for number in range(draw(st.integers(0, 3))):
        path = draw(st.sampled_from(paths))
        at = {name: draw(st.sampled_from(values)) for name, values in space.items()}
        try:
            other = numbers(stage().solve(**fixed, **at)).get(path)
        except (Infeasible, MissingFigureError):
            other = None
        field, _, key = path.partition(".")
        whole = getattr(result, field)[key] if key else getattr(result, field)
        if other is None or not math.isfinite(float(other)):
            continue
        limit = float(other) * draw(st.sampled_from([1.0, 0.7, 1.5]))
        unit = str(unit_of(whole)).replace("1/", "/ ") if is_quantity(whole) else ""
        relation = draw(st.sampled_from(["<=", ">="]))
        text = f"{stage.__name__}.{path} {relation} {limit!r} {unit}".strip()
        constraints[f"limit {number}"] = text
    return Question(
        stage=stage,
        fixed=fixed,
        space=space,
        objective=f"{sense}: {stage.__name__}.{goal}",
        constraints=constraints,
    )


def answerable(question: Question) -> bool:
    """Tell whether every figure that any design needs is known."""
    path = question.objective.partition(".")[2]
    for point in _points(question):
        try:
            result = question.evaluate(point)
        except MissingFigureError:
            return False
        except Infeasible:
            continue
        found = numbers(result[question.stage.__name__])
        used = [
            path,
            *(text.split()[0].partition(".")[2] for text in question.constraints.values()),
        ]
        if not all(name in found and math.isfinite(float(found[name])) for name in used):
            return False
    return True


def best_by_loops(question: Question) -> float | None:
    """Find the best objective by evaluating every design on plain numbers, one at a time."""
    problem = question.dse.problem
    best = None
    for point in _points(question):
        try:
            result = question.evaluate(point)
        except Infeasible:
            continue
        found = numbers(result[question.stage.__name__])
        kept = result[question.stage.__name__].feasible
        for text in question.constraints.values():
            metric, relation, limit = text.split()[:3]
            value = float(found[metric.partition(".")[2]])
            kept = kept and (value <= float(limit) if relation == "<=" else value >= float(limit))
        if kept:
            value = float(found[question.objective.partition(".")[2]])
            if best is None or (
                value < best if problem.objective.text.startswith("min") else value > best
            ):
                best = value
    return best


WAYS = ("cp-sat", "branch-and-bound", "exhaustive", "reference")


def disagreements(question: Question, top: int) -> Iterator[str]:
    """Name everything that a check compares in which the ways, or plain loops, differ."""
    answers, refusals = {}, {}
    for way in WAYS:
        try:
            answers[way] = question.dse.search(question.evaluate, method=way, top=top, workers=1)
        except MlsysimError as error:
            refusals[way] = type(error).__name__
    if not refusals:
        yield from compare(answers).differences
        stopped = {way: one.statistics.stopped_by for way, one in answers.items()}
        yield from (f"{way} was stopped by {told}" for way, told in stopped.items() if told)
        yield from _unlike_loops(question, answers["cp-sat"])
    elif answers or len(set(refusals.values())) > 1:
        yield f"refused: {refusals}, answered: {list(answers)}"


def _unlike_loops(question: Question, solved: SearchResult) -> Iterator[str]:
    best = best_by_loops(question) if answerable(question) else None
    if best is None:
        return
    if solved.status is not Status.OPTIMAL or not math.isclose(
        solved.best_objective, best, rel_tol=_CLOSE
    ):
        yield f"{solved.status} by CP-SAT, best {best!r} by plain loops"


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.__name__)
def test_all_ways_give_one_answer(stage: type[ForwardModel]) -> None:
    """Status, best, top, conflict and relaxations are the same, whoever answers."""

    @law(3)
    @given(questions(stage), st.integers(1, 5))
    def holds(question: Question, top: int) -> None:
        assert not list(disagreements(question, top))

    holds()
