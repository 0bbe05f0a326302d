"""Other answers to a question: one given design, forced choices, a ladder of limits."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from itertools import product
from typing import Any, Self

from mlsysim.core.side_by_side import Asked, answer, answer_side_by_side
from mlsysim.errors import ConstraintError, ParameterError, suggest
from mlsysim.problem.constraint import Constraint
from mlsysim.problem.problem import Problem
from mlsysim.problem.space import SearchSpace
from mlsysim.results.result import SearchResult
from mlsysim.results.what_if import Rung, Sweep, WhyNot
from mlsysim.search.interruption import interruptible
from mlsysim.search.verify import Evaluator, Point, evaluate_point
from mlsysim.units import is_unit


class WhatIf(ABC):
    """The questions beside a question; `mlsysim.core.dse.DSE` has them as methods."""

    problem: Problem

    @classmethod
    def of(cls, problem: Problem) -> Self:
        """Make an explorer of a problem as it is.

        Parameters
        ----------
        problem
            Space, objective and constraints.
        """
        made = cls.__new__(cls)
        made.problem = problem
        return made

    @abstractmethod
    def search(self, evaluate: Evaluator, **options: Any) -> SearchResult:
        """Find the best designs, with proof."""

    def evaluate(self, evaluate: Evaluator, params: Mapping[str, Any]) -> Point:
        """Price one design, and say which requirements it breaks.

        Parameters
        ----------
        evaluate
            As for `search`.
        params
            Each choice -> its value, which need not be one of the space.

        Raises
        ------
        ParameterError
            If a choice is missing or unknown.

        Examples
        --------
        >>> from mlsysim.core.dse import DSE
        >>> dse = DSE({"x": range(10)}, "maximize: gain", {"room": "x <= 7"})
        >>> sorted(dse.evaluate(lambda params: {"gain": 3 * params["x"]}, {"x": 8}).violated)
        ['room']
        """
        require_choices(self.problem, params)
        if missing := [name for name in self.problem.space if name not in params]:
            raise ParameterError(f"the design says nothing about {', '.join(map(repr, missing))}")
        return evaluate_point(self.problem, evaluate, params)

    def why_not(self, evaluate: Evaluator, forced: Mapping[str, Any], **options: Any) -> WhyNot:
        """Answer the question twice, free and with some choices forced.

        Parameters
        ----------
        evaluate
            As for `search`.
        forced
            Choice -> the value that it is to have, which need not be one of the space.
        **options
            Those of `search`; the limits are for each of the two answers.

        Raises
        ------
        ParameterError
            If a choice is unknown.

        Examples
        --------
        >>> from mlsysim.core.dse import DSE
        >>> dse = DSE({"x": range(10)}, "maximize: gain", {"room": "x <= 7"})
        >>> dse.why_not(lambda params: {"gain": 3 * params["x"]}, {"x": 5}).loss
        6.0
        """
        narrow = type(self).of(forced_problem(self.problem, forced))
        best, found = answered(
            [(self, evaluate, options), (narrow, evaluate, options)], executor=None
        )
        return WhyNot(
            best=best,
            forced=dict(forced),
            found=found,
            sign=self.problem.objective.sense.sign,
        )

    def sweep(
        self,
        evaluate: Evaluator,
        over: Mapping[str, Sequence[Any]],
        *,
        executor: Executor | None = None,
        **options: Any,
    ) -> Sweep:
        """Answer the question once for each value of something in it.

        Parameters
        ----------
        evaluate
            As for `search`.
        over
            What to vary -> its values.  A name is that of a constraint, whose limit is
            replaced (``{"sla": ["20 ms", "50 ms"]}``), or of a choice; a
            text such as ``"latency <="`` adds a constraint.  Several are combined.
        executor
            Answers the questions side by side; one after the other if not given.
        **options
            Those of `search`; the limits are for each answer.

        Raises
        ------
        ParameterError
            If something is neither a constraint nor a choice, or has no values.
        ConstraintError
            If a limit cannot be parsed.

        Examples
        --------
        >>> from mlsysim.core.dse import DSE
        >>> dse = DSE({"x": range(10)}, "maximize: gain", {"room": "x <= 7"})
        >>> found = dse.sweep(lambda params: {"gain": 3 * params["x"]}, {"room": [2, 4]})
        >>> [rung.result.best_objective for rung in found.rungs]
        [6.0, 12.0]
        """
        values = combinations(over)
        problems = [varied(self.problem, rung) for rung in values]
        asked = [(type(self).of(problem), evaluate, options) for problem in problems]
        return swept(self.problem, values, answered(asked, executor))


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
    return [dict(zip(over, rung, strict=True)) for rung in product(*over.values())]


def answered(asked: Sequence[Asked], executor: Executor | None) -> list[SearchResult]:
    """Answer independent questions, in order."""
    with interruptible():  # Ctrl-C ends them all
        if executor is None:
            return [answer(item) for item in asked]
        # What shows the progress stays here; what remains can be sent.
        progress = next((options.get("progress") for _, _, options in asked), None)
        sent = [(explorer, by, {**options, "progress": None}) for explorer, by, options in asked]
        return answer_side_by_side(sent, executor, progress)


def swept(
    problem: Problem, values: Sequence[Mapping[str, Any]], results: Sequence[SearchResult]
) -> Sweep:
    """Gather the answers of a sweep."""
    rungs = (Rung(values=rung, result=found) for rung, found in zip(values, results, strict=True))
    return Sweep(over=tuple(values[0]), objective=problem.objective.text, rungs=tuple(rungs))


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
            item = Constraint.parse(f"{left} {item.relation} {right}", name)  # noqa: PLW2901
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
