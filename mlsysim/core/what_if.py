"""The questions beside a question: with choices forced, limits replaced, constraints added."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from itertools import product
from typing import Any

from mlsysim.core.side_by_side import Asked, answer, answer_side_by_side
from mlsysim.errors import ConstraintError, ParameterError, suggest
from mlsysim.problem.constraint import Constraint
from mlsysim.problem.problem import Problem
from mlsysim.problem.space import SearchSpace
from mlsysim.results.result import SearchResult
from mlsysim.search.interruption import interruptible
from mlsysim.search.verify import Evaluator
from mlsysim.units import is_unit

Setting = Callable[[Mapping[str, Any]], tuple[Mapping[str, Any], Evaluator]]
"""Sorts what is set: gives that which the problem takes, and an evaluator that has the rest."""


def combinations(over: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    """Combine the values of what is varied, the last changing fastest.

    Raises
    ------
    ParameterError
        If there is nothing to vary, or something has no values.
    """
    for name, values in over.items():
        if isinstance(values, str) or not values:
            raise ParameterError(f"a sweep over {name!r} needs a list of values, not {values!r}")
    if not over:
        raise ParameterError("a sweep needs something to vary, e.g. {'sla': ['20 ms', '50 ms']}")
    return [dict(zip(over, point, strict=True)) for point in product(*over.values())]


def answered(asked: Sequence[Asked], executor: Executor | None) -> list[SearchResult]:
    """Answer independent questions, in order."""
    with interruptible():  # Ctrl-C ends them all
        if executor is None:
            return [answer(item) for item in asked]
        # What shows the progress stays here; what remains can be sent.
        progress = next((options.get("progress") for _, _, options in asked), None)
        sent = [(explorer, by, {**options, "progress": None}) for explorer, by, options in asked]
        return answer_side_by_side(sent, executor, progress)


def varied(problem: Problem, values: Mapping[str, Any]) -> Problem:
    """Give a question with limits replaced and choices forced.

    Parameters
    ----------
    problem
        The question.
    values
        Constraint, choice, or the left side of a new constraint -> value.

    Raises
    ------
    ParameterError
        If a name is none of these.
    """
    for name, value in values.items():
        if problem.constraint(name) is not None:
            problem = limited(problem, name, value)
        elif name in problem.space:
            problem = forced_problem(problem, {name: value})
        elif is_open_constraint(name):
            added = Constraint.parse(f"{name} {value}", name)
            problem = replace(problem, constraints=(*problem.constraints, added))
        else:
            known = [*(item.name for item in problem.constraints), *problem.space]
            raise ParameterError(
                f"{name!r} is neither a constraint nor a choice{suggest(name, known)}"
            )
    return problem


def limited(problem: Problem, name: str, limit: Any) -> Problem:
    """Give a question in which one constraint has another limit.

    Parameters
    ----------
    problem
        The question.
    name
        The constraint.
    limit
        What to compare with, e.g. ``"50 ms"``; where only the right side of the
        constraint names metrics, its left side is the limit.

    Raises
    ------
    ConstraintError
        If the limit cannot be parsed; the message shows the constraint.
    """
    changed = []
    for item in problem.constraints:
        if item.name == name:
            turned = bool(_metrics(item.right.names)) and not _metrics(item.left.names)
            left, right = (limit, item.right) if turned else (item.left, limit)
            item = Constraint.parse(  # noqa: PLW2901
                f"{left} {item.relation} {right}", name, item.confidence
            )
        changed.append(item)
    return replace(problem, constraints=tuple(changed))


def forced_problem(problem: Problem, forced: Mapping[str, Any]) -> Problem:
    """Give a question in which some choices have one value left.

    Parameters
    ----------
    problem
        The question.
    forced
        Choice -> value.

    Raises
    ------
    ParameterError
        If a choice is unknown.
    """
    require_choices(problem, forced)
    values = {name: domain.values for name, domain in problem.space.items()}
    values |= {name: [value] for name, value in forced.items()}
    return replace(problem, space=SearchSpace(values))


def require_choices(problem: Problem, params: Mapping[str, Any]) -> None:
    """See that names are those of choices.

    Raises
    ------
    ParameterError
        If one is not.
    """
    for name in params:
        if name not in problem.space:
            raise ParameterError(f"no choice is called {name!r}{suggest(name, problem.space)}")


def is_open_constraint(text: str) -> bool:
    """Tell whether a text is a constraint that lacks its right side: ``"latency <="``."""
    try:
        Constraint.parse(f"{text} 1")
    except ConstraintError:
        return False
    return True


def _metrics(names: Iterable[str]) -> list[str]:
    return [name for name in names if not is_unit(name)]
