"""Build the report of an answer."""

import platform
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache
from importlib.metadata import version
from typing import Any

from mlsysim.core.dse import DSE
from mlsysim.distribution import VERSION
from mlsysim.files.launching import launched_by, launched_by_all
from mlsysim.files.question import Question
from mlsysim.problem.problem import Problem
from mlsysim.problem.reading import read
from mlsysim.report.accuracy import accuracy_data, accuracy_of, unmeasured_winners
from mlsysim.report.breakdowns import disclosed_by
from mlsysim.report.inert import inert_choices
from mlsysim.report.measures import Judge, designs_of
from mlsysim.report.records import ConflictMember
from mlsysim.report.report import Report
from mlsysim.report.requirements import requirement_of
from mlsysim.results import Explanation, ParetoFront, SearchResult, Sensitivity
from mlsysim.stages.economics.prices import prices_behind

_PACKAGES = ("ortools", "numpy", "pint")


def report_of(
    question: Question | DSE | Problem, answer: SearchResult | Explanation | ParetoFront
) -> Report:
    """Build the report of an answer.

    Parameters
    ----------
    question
        What was asked: a question file, an explorer, or a problem.
    answer
        What `search`, `explain` or `pareto` gave.

    Examples
    --------
    >>> from mlsysim.core.dse import DSE
    >>> dse = DSE({"x": range(10)}, "maximize: gain", {"room": "x <= 7"})
    >>> report = report_of(dse, dse.search(lambda params: {"gain": 3 * params["x"]}))
    >>> str(report).partition(";")[0]
    'OPTIMAL (proven): maximize: gain = 21, bound 21, gap 0 %'
    """
    problem = question if isinstance(question, Problem) else question.problem
    asked = described(question) if isinstance(question, Question) else {}
    if isinstance(answer, ParetoFront):
        front = _front(problem, answer, asked)
        if not isinstance(question, Question):
            return front
        return replace(
            front, launched=launched_by_all(question, [point.result for point in answer.points])
        )
    found = _found(problem, answer, asked)
    result = answer.result if isinstance(answer, Explanation) else answer
    if isinstance(question, Question) and result.top_candidates:
        best, evaluate = result.best, question.evaluate
        return replace(
            found,
            launched=launched_by(question, best.result),
            inert=inert_choices(problem.space, evaluate, best.params),
        )
    return found


def described(question: Question) -> dict[str, Any]:
    """Give the fields of a report that say what was asked."""
    return {
        "question": " ".join(question.text.split()),
        "source": question.source,
        "text": question.written,
        "reasons": dict(question.reasons),
    }


def _found(problem: Problem, answer: SearchResult | Explanation, asked: dict[str, Any]) -> Report:
    explained = answer if isinstance(answer, Explanation) else None
    result = answer.result if isinstance(answer, Explanation) else answer
    accuracy: tuple[str, ...] = ()
    unmeasured: tuple[str, ...] = ()
    requirements: tuple[Sensitivity, ...] = ()
    if result.top_candidates:
        best = result.best
        accuracy = accuracy_told(best.result)
        unmeasured = unmeasured_winners(problem.space, best.params, best.result)
        conditions = read(problem, best.params, best.result).conditions
        requirements = tuple(requirement_of(problem, item) for item in conditions)
    judge = Judge.of(problem, [problem.objective])
    found = [(item.params, item.result) for item in result.top_candidates]
    return Report(
        **asked,
        headline=result.headline(with_proof=True),
        status=result.status,
        objectives=(result.objective,),
        units=(result.unit,),
        method=result.method,
        statistics=result.statistics,
        bound=result.bound,
        gap=result.gap,
        accuracy=(*accuracy, *unmeasured),
        prices=prices_behind(result.best.result) if result.top_candidates else (),
        evidence=tuple(_evidence([item.result for item in result.top_candidates[:1]])),
        designs=designs_of(judge, found),
        requirements=requirements if explained is None else explained.requirements,
        explanation=explained,
        conflict=_conflict(result, asked.get("reasons", {})),
        relaxations=result.relaxations,
        account=(*unmeasured, *result.remarks()),
        answer=result.to_dict(),
        versions=versions(),
    )


def _front(problem: Problem, front: ParetoFront, asked: dict[str, Any]) -> Report:
    judge = Judge.of(problem, front.objectives)
    found = [(item.params, item.result) for item in front.points]
    told = (text for point in front.points for text in accuracy_told(point.result))
    accuracy = tuple(dict.fromkeys(told))
    prices = (price for point in front.points for price in prices_behind(point.result))
    return Report(
        **asked,
        headline=front.headline(),
        status=front.status,
        objectives=front.objectives,
        units=front.units,
        method=front.method,
        statistics=front.statistics,
        accuracy=accuracy,
        prices=tuple({price.text: price for price in prices}.values()),
        evidence=tuple(_evidence([point.result for point in front.points])),
        designs=designs_of(judge, found),
        conflict=_conflict(front, asked.get("reasons", {})),
        relaxations=front.relaxations,
        account=tuple(front.remarks()),
        answer=front.to_dict(),
        versions=versions(),
    )


def accuracy_told(result: Any) -> tuple[str, ...]:
    """Say how exact the models are: what each says itself, and what is recorded of others."""
    own = disclosed_by(result).accuracy
    said = {text.partition(":")[0] for text in own}
    more = (text for text in accuracy_of(result) if text.partition(":")[0] not in said)
    return (*own, *more)


def _evidence(results: Iterable[Any]) -> list[dict[str, Any]]:
    """Give the kinds of predictions behind designs as data, each once."""
    found: list[dict[str, Any]] = []
    for result in results:
        found += [item for item in accuracy_data(result) if item not in found]
    return found


@cache
def versions() -> Mapping[str, str]:
    """Say which programs made an answer."""
    found = {name: version(name) for name in _PACKAGES}
    return {"mlsysim": VERSION, "Python": platform.python_version(), **found}


def _conflict(
    answer: SearchResult | ParetoFront, reasons: Mapping[str, str]
) -> tuple[ConflictMember, ...]:
    return tuple(
        ConflictMember(
            name=name,
            reason=answer.conflict_reasons.get(name, ""),
            because=reasons.get(name, ""),
        )
        for name in answer.conflict
    )
