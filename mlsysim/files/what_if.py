"""What-if questions about a question file, with everything given in text."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlsysim.core.what_if import is_open_constraint
from mlsysim.errors import ParameterError, suggest
from mlsysim.files.settings import choice_of, settings_of, with_arguments
from mlsysim.problem.problem import Problem
from mlsysim.results import SearchResult
from mlsysim.search.verify import Evaluator, Point

if TYPE_CHECKING:
    from mlsysim.files.question import Question


@dataclass(frozen=True, kw_only=True)
class EvaluatedDesign:
    """One design of a question, evaluated.

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


def evaluate(question: "Question", given: Mapping[str, str], **options: Any) -> EvaluatedDesign:
    """Evaluate one design; what is not given is taken from the best design.

    Parameters
    ----------
    question
        The question, with arguments of models changed already.
    given
        Choice -> value in text.
    **options
        Those of `Question.solve`, for the case that the best design is needed.
    """
    problem = question.problem
    choices = settings_of(problem, question.evaluate, given).choices
    missing = tuple(name for name in problem.space if name not in choices)
    best: SearchResult | None = None
    origin = ""
    donor: Mapping[str, Any] = {}
    if missing:
        best = question.solve(**options)
        origin, donor = _donor(problem, best)
    params = {name: {**donor, **choices}[name] for name in problem.space}
    point = question.explorer.evaluate(question.evaluate, params)
    return EvaluatedDesign(point=point, borrowed=missing, origin=origin, best=best)


def set_in_text(
    question: "Question", values: Mapping[str, str]
) -> tuple[Mapping[str, Any], Evaluator]:
    """Sort one combination of values in text: what the problem takes, and the models the rest.

    Parameters
    ----------
    question
        The question.
    values
        Constraint, choice, argument of a model, or the left side of a new constraint -> value.

    Raises
    ------
    ParameterError
        If a name is none of these.
    """
    problem, models = question.problem, question.evaluate
    inside: dict[str, Any] = {}
    outside: dict[str, str] = {}
    for name, text in values.items():
        if problem.constraint(name) is not None or is_open_constraint(name):
            inside[name] = text
        elif name in problem.space:
            inside[name] = choice_of(problem, models, name, text)
        else:
            outside[name] = text
    try:
        settings = settings_of(problem, models, outside)
    except ParameterError as error:
        known = [*(item.name for item in problem.constraints), *problem.space, *models.fixed]
        unknown = next(iter(outside))
        raise ParameterError(
            f"{unknown!r} is no constraint, no choice and nothing that the models take"
            f"{suggest(unknown, known)}; a new limit is written 'metric<=value'"
        ) from error
    return {**inside, **settings.choices}, with_arguments(models, settings.arguments)


def _donor(problem: Problem, best: SearchResult) -> tuple[str, Mapping[str, Any]]:
    """Find a design from which to take what was not given."""
    if best:
        return "the best design", best.best_params
    for relaxation in best.relaxations:
        if relaxation.params is not None:
            return f"the design that comes nearest to {relaxation.name}", relaxation.params
    return "the first design of the space", problem.space.point(0)
