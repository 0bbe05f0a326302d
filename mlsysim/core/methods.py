"""The ways to answer a question, and which of them does."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, assert_never

from mlsysim.errors import ParameterError, TracingError, suggest
from mlsysim.problem.problem import Problem
from mlsysim.results.candidate import Result
from mlsysim.results.explained import Explanation
from mlsysim.results.margin import MarginCost
from mlsysim.results.pareto import ParetoFront
from mlsysim.results.result import SearchResult
from mlsysim.results.statistics import Statistics
from mlsysim.results.status import Status
from mlsysim.search import arrays, reference
from mlsysim.search.explain import explain_exhaustively
from mlsysim.search.goals import Goals
from mlsysim.search.interruption import interruptible
from mlsysim.search.method import Method
from mlsysim.search.options import SearchOptions
from mlsysim.search.verify import Evaluator

if TYPE_CHECKING:
    from mlsysim.search.cpsat.compiling import CompiledModel, CpModel

Answer = TypeVar("Answer")
_LEAST_TIME = 1e-3
_log = logging.getLogger("mlsysim")


def search(
    method: str, problem: Problem, evaluate: Evaluator, options: SearchOptions
) -> SearchResult:
    """Find the best designs of a question.

    Parameters
    ----------
    method
        One of `Method`.
    problem, evaluate, options
        What is asked.
    """

    def by_cp_sat() -> SearchResult:
        from mlsysim.search.cpsat import engine, minimize  # noqa: PLC0415 - 0.2 s to import

        return engine.search(problem, evaluate, options, minimize.Way(method))

    found, reason = _answered(
        method,
        evaluate,
        by_cp_sat,
        lambda: arrays.search(problem, evaluate, options),
        lambda: reference.search(problem, evaluate, options),
        lambda: unanswered(problem, method),
    )
    noted = replace(found, statistics=_noted(found.statistics, reason))
    _log.info("%s", noted.headline())
    return _with_margin(noted, method, problem, evaluate, options)


def _with_margin(
    found: SearchResult, method: str, problem: Problem, evaluate: Evaluator, options: SearchOptions
) -> SearchResult:
    """Ask the same question without the confidences of its constraints, and tell what they cost."""
    if not problem.is_confident or found.statistics.stopped_by is not None:
        return found
    left = options.time_limit
    if left is not None:
        left = max(left - found.statistics.total_seconds, _LEAST_TIME)
    plain = replace(options, top=1, time_limit=left, progress=None)
    without = search(method, problem.without_confidence(), evaluate, plain)
    return replace(found, margin=MarginCost.of(problem, found, without))


def certified(
    found: SearchResult[Result],
    problem: Problem,
    evaluate: Evaluator,
    options: SearchOptions,
    path: str | PathLike[str],
) -> SearchResult[Result]:
    """Write the certificate of an answer; the answer tells its size, or why there is none.

    Parameters
    ----------
    found
        The answer.
    problem, evaluate, options
        What was asked.
    path
        Where to write it.
    """
    from mlsysim.search.cpsat import certifying  # noqa: PLC0415 - 0.2 s to import

    return certifying.certified(found, problem, evaluate, options, Path(path))


def front(
    method: str,
    problem: Problem,
    objectives: Sequence[str],
    evaluate: Evaluator,
    options: SearchOptions,
) -> ParetoFront:
    """Find the Pareto front of several objectives.

    Parameters
    ----------
    method
        One of `Method`.
    problem, objectives, evaluate, options
        What is asked; the problem's own objective is not used.
    """
    goals = Goals.of(problem, objectives)

    def by_cp_sat() -> ParetoFront:
        from mlsysim.search.cpsat import minimize, pareto  # noqa: PLC0415 - 0.2 s to import

        return pareto.front(goals, evaluate, options, minimize.Way(method))

    found, reason = _answered(
        method,
        evaluate,
        by_cp_sat,
        lambda: arrays.front(goals, evaluate, options),
        lambda: reference.front(goals, evaluate, options),
        lambda: unanswered_front(goals, method),
    )
    return replace(found, statistics=_noted(found.statistics, reason))


def explain(
    method: str, problem: Problem, evaluate: Evaluator, options: SearchOptions
) -> Explanation:
    """Find the best design of a question, and what binds it.

    Parameters
    ----------
    method
        One of `Method`.
    problem, evaluate, options
        What is asked.
    """

    def by_cp_sat() -> Explanation:
        from mlsysim.search.cpsat import explaining, minimize  # noqa: PLC0415 - 0.2 s to import

        return explaining.explain(problem, evaluate, options, minimize.Way(method))

    found, reason = _answered(
        method,
        evaluate,
        by_cp_sat,
        lambda: explain_exhaustively(problem, evaluate, options, arrays.search),
        lambda: explain_exhaustively(problem, evaluate, options, reference.search),
        lambda: Explanation(
            result=unanswered(problem, method), requirements=(), solves=0, seconds=0.0
        ),
    )
    noted = replace(found.result, statistics=_noted(found.result.statistics, reason))
    return replace(found, result=_with_margin(noted, method, problem, evaluate, options))


def compiled(
    problem: Problem,
    evaluate: Evaluator,
    into: "CpModel | None" = None,
    name: str = "",
    *,
    optimum_only: bool = False,
) -> "CompiledModel":
    """Build the CP-SAT model of a question without solving it.

    Parameters
    ----------
    problem, evaluate
        What is asked.
    into
        A model to add it to.
    name
        What the names of its variables begin with.
    optimum_only
        Whether designs that are worse than one that is known may be missing.
    """
    _check_evaluator(evaluate)
    from mlsysim.search.cpsat.compiling import compile_model  # noqa: PLC0415 - 0.2 s to import

    return compile_model(problem, evaluate, into, name, optimum_only=optimum_only)


def unanswered(
    problem: Problem, method: str, stopped_by: str = "interrupt", unfinished: tuple[str, ...] = ()
) -> SearchResult:
    """Give the answer to a question whose search was stopped before it found anything.

    Parameters
    ----------
    problem
        What is asked.
    method
        How it was to be answered.
    stopped_by
        What came first.
    unfinished
        What it cut short, in words.
    """
    return SearchResult(
        status=Status.UNKNOWN,
        objective=problem.objective.text,
        method=method,
        statistics=Statistics(grid_size=problem.space.size, stopped_by=stopped_by),
        unfinished=unfinished,
    )


def unanswered_front(
    goals: Goals, method: str, stopped_by: str = "interrupt", unfinished: tuple[str, ...] = ()
) -> ParetoFront:
    """Give the same for several objectives."""
    return ParetoFront(
        status=Status.UNKNOWN,
        objectives=tuple(objective.text for objective in goals.objectives),
        units=("",) * len(goals.objectives),
        method=method,
        statistics=Statistics(grid_size=goals.problems[0].space.size, stopped_by=stopped_by),
        unfinished=unfinished,
    )


def _answered(
    method: str,
    evaluate: Evaluator,
    by_cp_sat: Callable[[], Answer],
    by_arrays: Callable[[], Answer],
    by_reference: Callable[[], Answer],
    nothing: Callable[[], Answer],
) -> tuple[Answer, TracingError | None]:
    """Take the way asked for; by itself, the second only where the first cannot be gone.

    Where Ctrl-C has come already, or comes before anything is known, there is nothing to tell.

    Returns
    -------
    tuple
        The answer; and why it had to be the second way, where that is so.
    """
    _check_evaluator(evaluate)
    way = _method(method)
    with interruptible() as interruption:
        try:
            if interruption.came:
                return nothing(), None
            return _by(way, by_cp_sat, by_arrays, by_reference)
        except KeyboardInterrupt:
            interruption.ask()
            return nothing(), None


def _by(
    way: Method,
    by_cp_sat: Callable[[], Answer],
    by_arrays: Callable[[], Answer],
    by_reference: Callable[[], Answer],
) -> tuple[Answer, TracingError | None]:
    match way:
        case Method.CP_SAT | Method.BRANCH_AND_BOUND:
            return by_cp_sat(), None
        case Method.EXHAUSTIVE:
            return by_arrays(), None
        case Method.REFERENCE:
            return by_reference(), None
        case Method.AUTO:
            try:
                return by_cp_sat(), None
            except TracingError as reason:
                _log.info("cannot be traced, so every design is evaluated: %s", reason)
                return by_arrays(), reason
        case other:
            assert_never(other)


def _noted(statistics: Statistics, reason: TracingError | None) -> Statistics:
    """Note why the exhaustive search answered."""
    return statistics if reason is None else replace(statistics, fallback_reason=str(reason))


def _check_evaluator(evaluate: object) -> None:
    if not callable(evaluate):
        raise ParameterError(
            f"the evaluator is {evaluate!r}, which cannot be called; "
            "hand in a function of one dict of choices: search(evaluate)"
        )


def _method(method: str) -> Method:
    try:
        return Method(method)
    except ValueError:
        raise ParameterError(
            f"method = {method!r} is not a way to search{suggest(str(method), map(str, Method))}"
        ) from None
