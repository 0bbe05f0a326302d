"""Law 5 of optima: what loosens a limit, or adds memory, bandwidth or arithmetic, never costs any.

A better accelerator may change which design is best; the best is never worse for it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import assume, given, reject
from laws.arguments import RUN_ON
from laws.designs import STAGES, law, with_accelerator
from laws.test_monotone import COMPUTING, RATES, TIMES, better
from laws.test_subspaces import Question, questions

from mlsysim.errors import MetricError, MissingFigureError
from mlsysim.results import Status
from mlsysim.stages.machine import accelerator_of
from mlsysim.stages.stage import ForwardModel

_SLACK = 1e-9


def best(question: Question) -> float | None:
    """Give the best objective, larger being better; nothing where no design is feasible."""
    found = question.dse.search(question.evaluate, method="exhaustive", workers=1)
    if found.status is not Status.OPTIMAL:
        return None
    sign = -1 if question.objective.startswith("minimize") else 1
    return sign * found.best_objective


def is_worse(before: float | None, after: float | None) -> bool:
    """Tell whether an optimum fell, or went away."""
    if before is None:
        return False
    return after is None or after < before - _SLACK * max(abs(before), 1e-300)


def loosened(text: str) -> str:
    """Move the limit of a constraint outward by a tenth of its size."""
    metric, relation, limit, *unit = text.split()
    outward = 1 if relation == "<=" else -1
    moved = float(limit) + outward * abs(float(limit)) / 10
    return " ".join([metric, relation, repr(moved), *unit])


def worse_with_looser_limits(question: Question) -> Iterator[str]:
    """Name what the optimum loses where every limit allows more."""
    assume(question.constraints)
    looser = {name: loosened(text) for name, text in question.constraints.items()}
    before = best_if_known(question)
    after = best(replace(question, constraints=looser))
    if is_worse(before, after):
        yield f"looser limits: the best goes from {before} to {after}"


def best_if_known(question: Question) -> float | None:
    """Give the best objective; no question at all, where a figure is not known."""
    try:
        return best(question)
    except (MetricError, MissingFigureError):
        reject()


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.__name__)
def test_a_looser_limit_never_costs_any(stage: type[ForwardModel]) -> None:
    """Budgets, floors and deadlines: whoever allows more has as good an answer at least."""

    @law(4)
    @given(questions(stage))
    def holds(question: Question) -> None:
        assert not list(worse_with_looser_limits(question))

    holds()


def about_speed(question: Question) -> Iterator[Question]:
    """Ask for the best rate and the best time over the same space."""
    name = question.stage.__name__
    metrics = question.stage.metrics()
    for sense, known in (("maximize", RATES), ("minimize", TIMES)):
        path = next((metric for metric in known if metric in metrics), None)
        if path is not None:
            yield replace(question, objective=f"{sense}: {name}.{path}", constraints={})


def upgrades(question: Question) -> Iterator[tuple[str, Question]]:
    """Give the same question on accelerators with more of one figure, all of them alike."""
    for role in question.stage.inputs():
        if not role.endswith(RUN_ON):
            continue
        fleets = question.space.get(role, [question.fixed.get(role)])
        each = [dict(better(accelerator_of(fleet))) for fleet in fleets]
        for figure in set.intersection(*map(set, each)):
            new = [
                with_accelerator(fleet, one[figure])
                for fleet, one in zip(fleets, each, strict=True)
            ]
            yield f"{figure} of {role}", _on(question, role, new)


def _on(question: Question, role: str, fleets: list[Any]) -> Question:
    if role in question.space:
        return replace(question, space={**question.space, role: fleets})
    fixed: Mapping[str, Any] = {**question.fixed, role: fleets[0]}
    return replace(question, fixed=fixed)


def worse_on_better_accelerators(question: Question) -> Iterator[str]:
    """Name which figure, if all accelerators have more of it, lowers the best rate or time."""
    for asked in about_speed(question):
        before = best_if_known(asked)
        for what, upgraded in upgrades(asked):
            after = best(upgraded)
            if is_worse(before, after):
                yield f"more {what}, {asked.objective}: the best goes from {before} to {after}"


@pytest.mark.parametrize("stage", COMPUTING, ids=lambda stage: stage.__name__)
def test_better_accelerators_never_lower_the_optimum(stage: type[ForwardModel]) -> None:
    """Over a space of designs the best rate and the best time are at least what they were."""

    @law(3)
    @given(questions(stage))
    def holds(question: Question) -> None:
        assert not list(worse_on_better_accelerators(question))

    holds()
