"""Reports of what-if questions: one given design, and forced choices."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from mlsysim.files.launching import launched_by
from mlsysim.files.question import Question
from mlsysim.files.what_if import EvaluatedDesign
from mlsysim.problem.problem import Problem
from mlsysim.problem.reading import Condition, conditions_of
from mlsysim.problem.verdict import verdicts_of
from mlsysim.report.building import accuracy_told, described, report_of, versions
from mlsysim.report.measures import Judge, designs_of
from mlsysim.report.records import ReportedDesign
from mlsysim.report.report import Report
from mlsysim.report.requirements import requirement_of
from mlsysim.results import SearchResult, Sensitivity, Statistics, Status
from mlsysim.results.blocks import Headline, Tone
from mlsysim.results.formatting import change, design, seconds, share_of, with_unit
from mlsysim.results.jsonable import jsonable
from mlsysim.results.what_if import WhyNot
from mlsysim.search.verify import Point
from mlsysim.stages.economics.prices import prices_behind


def report_at(question: Question, settings: Mapping[str, str], **options: Any) -> Report:
    """Evaluate one given design of a question, and report what it is worth.

    Parameters
    ----------
    question
        What is asked.
    settings
        Choice or argument of the models -> value in text.
    **options
        Those of `Question.solve`, for choices that are not given.
    """
    left = question.prepare(**options)
    question, given = question.with_settings(settings)
    evaluated = question.evaluate_at(given, **left)
    changed = {name: text for name, text in settings.items() if name not in given}
    return evaluated_report(question, evaluated, changed)


def evaluated_report(
    question: Question, evaluated: EvaluatedDesign, changed: Mapping[str, str] | None = None
) -> Report:
    """Report what one given design is worth, and what it breaks.

    Parameters
    ----------
    question
        What was asked.
    evaluated
        What `Question.evaluate_at` gave.
    changed
        Arguments of the models that differ from those of the file -> their values.
    """
    problem, point = question.problem, evaluated.point
    broken = broken_lines(problem, point)
    account = list(broken)
    if changed:
        account.append(f"Other than in the question file: {design(changed)}.")
    if evaluated.borrowed:
        names = ", ".join(f"{name}={_label(point, name)}" for name in evaluated.borrowed)
        account.append(f"Not given, so taken from {evaluated.origin}: {names}.")
    outside = [name for name, value in point.params.items() if value not in problem.space[name]]
    if outside:
        account.append(f"Not among the values of the space: {design(_only(point, outside))}.")
    designs = _designs(problem, point, evaluated.best)
    return Report(
        **described(question),
        versions=versions(),
        headline=_evaluated_headline(problem, point, len(broken)),
        status=Status.FEASIBLE if point.is_feasible else Status.INFEASIBLE,
        objectives=(problem.objective.text,),
        units=("" if point.reading is None else point.reading.unit,),
        method="evaluated",
        statistics=Statistics(grid_size=1, points_evaluated=1),
        accuracy=() if point.result is None else accuracy_told(point.result),
        prices=prices_behind(point.result),
        launched=() if point.result is None else launched_by(question, point.result),
        designs=designs[-1:],
        requirements=tuple(requirement_of(problem, item) for item in _conditions(point)),
        account=tuple(account),
        answer=_evaluated_answer(problem, point),
        title="The design",
        against=designs[0] if len(designs) > 1 else None,
        is_search=False,
    )


def why_not_report(question: Question, why_not: WhyNot) -> Report:
    """Report what forcing some choices costs, or which requirements it breaks."""
    forced = design(why_not.forced)
    if not why_not.best:
        return report_of(question, why_not.best)
    report = report_of(question, why_not.found)
    if not why_not.found:
        line = report.headline
        first = replace(line, aside="", text=f"with {forced}, {line.text}")
        free = with_unit(why_not.best.best_objective, why_not.best.unit)
        free_line = (
            f"Without it: {why_not.best.objective} = {free} at {design(why_not.best.best_params)}"
        )
        return replace(report, headline=first, account=(*report.account, free_line))
    problem = question.problem
    pair = [(item.best.params, item.best.result) for item in (why_not.best, why_not.found)]
    best, other = designs_of(Judge.of(problem, [problem.objective]), pair)
    return replace(
        report,
        headline=_why_not_headline(why_not, forced),
        designs=(other,),
        title=f"With {forced}",
        against=best,
        answer={**report.answer, "why_not": why_not.to_dict()},
        is_search=False,
    )


def broken_lines(problem: Problem, point: Point) -> list[str]:
    """Say what a design breaks, and by how much."""
    known = {(item.name, item.reason): item for item in _conditions(point)}
    broken = [item for key, item in known.items() if key in point.broken]
    # What the evaluator says by giving up is no condition.
    more = sorted(point.broken - known.keys())
    return [
        *(f"  {_excess(requirement_of(problem, item))}" for item in broken),
        *(f"  {name}: {reason}" for name, reason in more),
    ]


def _excess(item: Sensitivity) -> str:
    if item.slack is None or item.relation is None:
        return f"{item.label}: does not hold" + (f" ({item.reason})" if item.is_constraint else "")
    value, limit = (with_unit(side, item.unit) for side in (item.left, item.right))
    by = with_unit(-item.slack, item.unit)
    relative = f" ({share_of(-item.slack, abs(item.right))})" if item.right else ""
    return f"{item.label}: {value}, must be {item.relation} {limit}: off by {by}{relative}"


def _conditions(point: Point) -> tuple[Condition, ...]:
    if point.reading is not None:
        return point.reading.conditions
    return () if point.result is None else tuple(conditions_of(verdicts_of(point.result)))


def _evaluated_headline(problem: Problem, point: Point, broken: int) -> Headline:
    at = f"at {design(point.params)}"
    value = ""
    if point.reading is not None:
        value = f"{problem.objective.text} = {with_unit(point.objective, point.reading.unit)} "
    if point.is_feasible:
        text = f"{value}{at} meets every requirement"
        return Headline(word="FEASIBLE", text=text, tone=Tone.GOOD)
    requirements = "1 requirement" if broken == 1 else f"{broken} requirements"
    known = {item.name for item in problem.constraints}
    exists = {name for name, _ in point.broken} <= known
    would = f"; {value.strip()}{'' if exists else ' if it could exist'}" if value else ""
    text = f"{at[3:]} breaks {requirements}{would}"
    return Headline(word="INFEASIBLE", text=text, tone=Tone.BAD)


def _why_not_headline(why_not: WhyNot, forced: str) -> Headline:
    unit = why_not.best.unit
    with_it, without = (
        with_unit(item.best_objective, unit) for item in (why_not.found, why_not.best)
    )
    spent = why_not.best.statistics.total_seconds + why_not.found.statistics.total_seconds
    proof = "both proven" if why_not.is_proven else "not proven"
    end = f"({proof}); in {seconds(spent)} by {why_not.found.method}"
    if not why_not.loss:
        text = f"{why_not.best.objective} = {with_it} with {forced}, as without {end}"
        return Headline(word="COSTS", aside=" NOTHING", text=text)
    relative = why_not.relative_loss
    cost = change(abs(relative)).lstrip("+") if relative else with_unit(abs(why_not.loss), unit)
    word = "COSTS" if why_not.loss > 0 else "GAINS"
    text = f"{why_not.best.objective} = {with_it} with {forced}, {without} without {end}"
    return Headline(word=word, aside=f" {cost}", text=text)


def _designs(
    problem: Problem, point: Point, best: SearchResult | None
) -> tuple[ReportedDesign, ...]:
    """Measure a design, and before it the best one where that is known and another."""
    if point.reading is None:
        return ()
    judge = Judge.of(problem, [problem.objective])
    found: list[tuple[Any, Any]] = [(point.params, point.result)]
    if best and best.best_params != point.params:
        found.insert(0, (best.best_params, best.best_result))
    return designs_of(judge, found)


def _evaluated_answer(problem: Problem, point: Point) -> dict[str, Any]:
    return {
        "status": (Status.FEASIBLE if point.is_feasible else Status.INFEASIBLE).value,
        "objective": problem.objective.text,
        "unit": "" if point.reading is None else point.reading.unit,
        "method": "evaluated",
        "params": jsonable(point.params),
        "objective_value": jsonable(point.objective),
        "broken": [{"name": name, "reason": reason} for name, reason in sorted(point.broken)],
        "result": jsonable(point.result),
    }


def _label(point: Point, name: str) -> Any:
    value = point.params[name]
    return getattr(value, "name", value)


def _only(point: Point, names: list[str]) -> dict[str, Any]:
    return {name: point.params[name] for name in names}
