"""What-if questions about a question file, with everything given in text."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlsysim.core.dse import DSE
from mlsysim.core.what_if import (
    answered,
    combinations,
    forced_problem,
    is_open_constraint,
    swept,
    varied,
)
from mlsysim.errors import ParameterError, suggest
from mlsysim.files.settings import choice_of, settings_of, with_arguments
from mlsysim.problem.problem import Problem
from mlsysim.results import SearchResult
from mlsysim.results.what_if import Sweep, WhyNot
from mlsysim.search.verify import Evaluator, Point

if TYPE_CHECKING:
    from mlsysim.files.question import Question


@dataclass(frozen=True, kw_only=True)
class Priced:
    """One design of a question, priced.

    Parameters
    ----------
    point
        The design on plain numbers, with what it breaks.
    borrowed
        The choices that were not given.
    origin
        Where they were taken from, in words; empty where all were given.
    best
        The answer to the question, where it had to be found for that.
    """

    point: Point
    borrowed: tuple[str, ...]
    origin: str
    best: SearchResult | None


def price(question: "Question", given: Mapping[str, str], **options: Any) -> Priced:
    """Price one design; what is not given is taken from the best design.

    Parameters
    ----------
    question
        The question, with arguments of models changed already.
    given
        Choice -> value in text.
    **options
        Those of `Question.solve`, for the case that the best design is needed.
    """
    settings = settings_of(question.problem, question.evaluate, given)
    params = dict(settings.choices)
    missing = tuple(name for name in question.problem.space if name not in params)
    best: SearchResult | None = None
    origin = ""
    donor: Mapping[str, Any] = {}
    if missing:
        best = question.solve(**options)
        origin, donor = _donor(question.problem, best)
    params = {name: params.get(name, donor.get(name)) for name in question.problem.space}
    point = question.explorer.evaluate(question.evaluate, params)
    return Priced(point=point, borrowed=missing, origin=origin, best=best)


def refuted(question: "Question", given: Mapping[str, str], **options: Any) -> WhyNot:
    """Answer a question as it is, and with choices or arguments of models forced.

    Parameters
    ----------
    question
        The question.
    given
        Choice or argument of a model -> value in text.
    **options
        Those of `Question.solve`, for each of the two answers.
    """
    problem, evaluate = question.problem, question.evaluate
    settings = settings_of(problem, evaluate, given)
    narrow = DSE.of(forced_problem(problem, settings.choices))
    changed = with_arguments(evaluate, settings.arguments)
    best, found = answered(
        [(question.explorer, evaluate, options), (narrow, changed, options)], executor=None
    )
    return WhyNot(
        best=best,
        forced={**settings.choices, **settings.arguments},
        found=found,
        sign=problem.objective.sense.sign,
    )


def ladder(
    question: "Question",
    over: Mapping[str, Sequence[str]],
    *,
    executor: Executor | None = None,
    **options: Any,
) -> Sweep:
    """Answer a question for several values of a limit, a choice or an argument.

    Parameters
    ----------
    question
        The question.
    over
        Constraint, choice, argument of a model, or the left side of a new
        constraint -> values in text.
    executor
        Answers the questions side by side.
    **options
        Those of `Question.solve`, for each answer.

    Raises
    ------
    ParameterError
        If a name is none of these, or has no values.
    """
    rungs = [_rung(question, values) for values in combinations(over)]
    problems = [varied(question.problem, values) for _, values in rungs]
    asked = [
        (DSE.of(problem), evaluate, options)
        for problem, (evaluate, _) in zip(problems, rungs, strict=True)
    ]
    return swept(question.problem, combinations(over), answered(asked, executor))


def _rung(question: "Question", values: Mapping[str, str]) -> tuple[Evaluator, dict[str, Any]]:
    """Sort one combination of values: those of the problem, and those of the models."""
    problem, evaluate = question.problem, question.evaluate
    inside: dict[str, Any] = {}
    outside: dict[str, str] = {}
    for name, text in values.items():
        if problem.constraint(name) is not None or is_open_constraint(name):
            inside[name] = text
        elif name in problem.space:
            inside[name] = choice_of(problem, evaluate, name, text)
        else:
            outside[name] = text
    try:
        settings = settings_of(problem, evaluate, outside)
    except ParameterError as error:
        known = [*(item.name for item in problem.constraints), *problem.space, *evaluate.fixed]
        unknown = next(iter(outside))
        raise ParameterError(
            f"{unknown!r} is no constraint, no choice and nothing that the models take"
            f"{suggest(unknown, known)}; a new limit is written 'metric<=value'"
        ) from error
    return with_arguments(evaluate, settings.arguments), {**inside, **settings.choices}


def _donor(problem: Problem, best: SearchResult) -> tuple[str, Mapping[str, Any]]:
    """Find a design from which to take what was not given."""
    if best:
        return "the best design", best.best_params
    for relaxation in best.relaxations:
        if relaxation.params is not None:
            return f"the design that comes nearest to {relaxation.name}", relaxation.params
    return "the first design of the space", problem.space.point(0)
