"""Design-space exploration: ask a question, get the proven best design."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeVar, assert_never

from mlsysim.errors import ParameterError, TracingError, suggest
from mlsysim.problem.problem import Problem
from mlsysim.problem.space import SearchSpace
from mlsysim.results.explained import Explanation
from mlsysim.results.pareto import ParetoFront
from mlsysim.results.result import SearchResult
from mlsysim.search import exhaustive
from mlsysim.search.comparison import Comparison, compare
from mlsysim.search.explain import explain_exhaustively
from mlsysim.search.goals import Goals
from mlsysim.search.options import ProgressCallback, SearchOptions
from mlsysim.search.verify import Evaluator

if TYPE_CHECKING:
    from mlsysim.search.cpsat.model import CompiledModel

_Result = TypeVar("_Result", SearchResult, ParetoFront)

__all__ = ["DSE", "Method", "SearchSpace"]


class Method(StrEnum):
    """How a question is answered."""

    AUTO = "auto"
    CP_SAT = "cp-sat"
    EXHAUSTIVE = "exhaustive"


class DSE:
    """A question about a space of designs.

    Parameters
    ----------
    space
        Maps the name of each choice to its finite values, or a `SearchSpace`.
    objective
        ``"maximize: <metric path>"`` or ``"minimize: <metric path>"``.
    constraints
        A list of strings such as ``"latency <= 50 ms"``, or a dict that names them.

    Raises
    ------
    SpaceError, ObjectiveError, ConstraintError
        If one of them is malformed; the message shows the corrected text.

    Examples
    --------
    >>> dse = DSE({"x": range(10)}, "maximize: gain", ["x <= 7"])
    >>> dse.search(lambda params: {"gain": 3 * params["x"]}).best_params
    {'x': 7}
    """

    def __init__(
        self,
        space: Mapping[str, Any] | SearchSpace,
        objective: str,
        constraints: Sequence[str] | Mapping[str, str] | None = None,
    ) -> None:
        self.problem = Problem.of(space, objective, constraints)

    def __repr__(self) -> str:
        return f"DSE({self.problem.space.size:,} designs, {self.problem.objective.text!r})"

    def search(
        self,
        evaluate: Evaluator,
        *,
        method: str = Method.AUTO,
        top: int = 5,
        time_limit: float | None = None,
        workers: int | None = None,
        seed: int = 0,
        progress: ProgressCallback | None = None,
        **unknown: Any,
    ) -> SearchResult:
        """Find the best designs, with proof.

        Parameters
        ----------
        evaluate
            Takes a dict of choices, returns anything with the metrics.
        method
            ``"cp-sat"`` traces the evaluator and proves the optimum with CP-SAT;
            ``"exhaustive"`` evaluates every design; ``"auto"`` takes the first
            where the evaluator can be traced, and the second elsewhere.
        top
            How many of the best designs to return.
        time_limit
            Seconds after which to stop with what there is.
        workers
            Threads of the solver; all cores if left out.
        seed
            For everything random; the answer does not depend on it, up to ties.
        progress
            Called with a `Progress` now and then: designs done, best, bound.

        Raises
        ------
        ParameterError
            If an option is unknown or out of range, or the evaluator cannot be called.
        TracingError
            With ``method="cp-sat"``, if the evaluator cannot be traced.
        """
        _check_evaluator(evaluate)
        limits = {"time_limit": time_limit, "workers": workers, "seed": seed}
        options = SearchOptions.of(top=top, progress=progress, **limits, **unknown)
        match _method(method):
            case Method.CP_SAT:
                return self._by_cp_sat(evaluate, options)
            case Method.EXHAUSTIVE:
                return exhaustive.search(self.problem, evaluate, options)
            case Method.AUTO:
                return self._by_either(evaluate, options)
            case other:
                assert_never(other)

    def pareto(
        self,
        evaluate: Evaluator,
        objectives: Sequence[str],
        *,
        method: str = Method.AUTO,
        time_limit: float | None = None,
        workers: int | None = None,
        seed: int = 0,
        progress: ProgressCallback | None = None,
        **unknown: Any,
    ) -> ParetoFront:
        """Find the exact Pareto front of several objectives.

        Space and constraints are those of this question; its own objective is
        not used.  Objectives that agree to about ten significant digits count
        as equal.

        Parameters
        ----------
        evaluate
            As for `search`.
        objectives
            Two or more, each ``"maximize: <metric>"`` or ``"minimize: <metric>"``.
        method, time_limit, workers, seed, progress
            As for `search`.

        Returns
        -------
        ParetoFront
            Every vector of objectives that no design improves on, proven
            complete, each with one design: the first of the space, except that
            CP-SAT takes another where ties are too many to sort out.

        Raises
        ------
        ObjectiveError
            If there are fewer than two objectives, one is malformed, or a
            metric comes twice.
        ParameterError
            If an option is unknown or out of range, or the evaluator cannot be called.
        TracingError
            With ``method="cp-sat"``, if the evaluator cannot be traced.

        Examples
        --------
        >>> dse = DSE({"x": range(10), "y": range(10)}, "minimize: cost", ["x * y <= 16"])
        >>> front = dse.pareto(
        ...     lambda params: {"cost": 3 * params["x"] + params["y"], "gain": params["x"] ** 2},
        ...     objectives=["minimize: cost", "maximize: gain"],
        ... )
        >>> len(front), front[1].params, front[1].objective_values
        (10, {'x': 1, 'y': 0}, (3.0, 1.0))
        """
        goals = Goals.of(self.problem, objectives)
        _check_evaluator(evaluate)
        limits = {"time_limit": time_limit, "workers": workers, "seed": seed}
        options = SearchOptions.of(progress=progress, **limits, **unknown)
        match _method(method):
            case Method.CP_SAT:
                return self._front_by_cp_sat(goals, evaluate, options)
            case Method.EXHAUSTIVE:
                return exhaustive.front(goals, evaluate, options)
            case Method.AUTO:
                try:
                    return self._front_by_cp_sat(goals, evaluate, options)
                except TracingError as reason:
                    return _fallen_back(exhaustive.front(goals, evaluate, options), reason)
            case other:
                assert_never(other)

    def explain(
        self, evaluate: Evaluator, *, method: str = Method.AUTO, **options: Any
    ) -> Explanation:
        """Find the best design and say what binds it, or why nothing fits.

        The question is solved anew without each requirement; for those that
        bind, also with their limit relaxed by 1, 5 and 20 percent of itself.

        Parameters
        ----------
        evaluate
            As for `search`.
        method
            As for `search`.
        **options
            The other options of `search`; the time limit is for everything
            together.

        Raises
        ------
        ParameterError
            If an option is out of range.
        TracingError
            With ``method="cp-sat"``, if the evaluator cannot be traced.

        Examples
        --------
        >>> dse = DSE({"x": range(100)}, "maximize: gain", ["x <= 60", "x >= 5"])
        >>> found = dse.explain(lambda params: {"gain": 3 * params["x"]})
        >>> [(item.name, item.at(0.05).objective) for item in found.binding]
        [('x <= 60', 189.0)]
        """
        _check_evaluator(evaluate)
        asked = SearchOptions.of(**options)
        match _method(method):
            case Method.CP_SAT:
                return self._explained_by_cp_sat(evaluate, asked)
            case Method.EXHAUSTIVE:
                return explain_exhaustively(self.problem, evaluate, asked)
            case Method.AUTO:
                try:
                    return self._explained_by_cp_sat(evaluate, asked)
                except TracingError as reason:
                    found = explain_exhaustively(self.problem, evaluate, asked)
                    return replace(found, result=_fallen_back(found.result, reason))
            case other:
                assert_never(other)

    def cross_check(self, evaluate: Evaluator, *, top: int = 5, **options: Any) -> Comparison:
        """Answer by CP-SAT and by the exhaustive reference, and compare.

        Parameters
        ----------
        evaluate
            As for `search`.
        top
            How many of the best designs to compare.
        **options
            The other options of `search`.
        """
        solved = self.search(evaluate, method=Method.CP_SAT, top=top, **options)
        walked = self.search(evaluate, method=Method.EXHAUSTIVE, top=top, **options)
        return compare(solved, walked)

    def compile(self, evaluate: Evaluator) -> "CompiledModel":
        """Build the CP-SAT model without solving it.

        Returns
        -------
        CompiledModel
            The model, its integer variables by choice, and how each expression
            was encoded.

        Raises
        ------
        TracingError
            If the evaluator cannot be traced.
        """
        _check_evaluator(evaluate)
        from mlsysim.search.cpsat.engine import compile_model  # noqa: PLC0415 - 0.2 s to import

        return compile_model(self.problem, evaluate)

    def _by_cp_sat(self, evaluate: Evaluator, options: SearchOptions) -> SearchResult:
        from mlsysim.search.cpsat import engine  # noqa: PLC0415 - takes 0.2 s to import

        return engine.search(self.problem, evaluate, options)

    def _by_either(self, evaluate: Evaluator, options: SearchOptions) -> SearchResult:
        try:
            return self._by_cp_sat(evaluate, options)
        except TracingError as reason:
            return _fallen_back(exhaustive.search(self.problem, evaluate, options), reason)

    def _front_by_cp_sat(
        self, goals: Goals, evaluate: Evaluator, options: SearchOptions
    ) -> ParetoFront:
        from mlsysim.search.cpsat import pareto  # noqa: PLC0415 - takes 0.2 s to import

        return pareto.front(goals, evaluate, options)

    def _explained_by_cp_sat(self, evaluate: Evaluator, options: SearchOptions) -> Explanation:
        from mlsysim.search.cpsat import explaining  # noqa: PLC0415 - takes 0.2 s to import

        return explaining.explain(self.problem, evaluate, options)


def _fallen_back(result: _Result, reason: TracingError) -> _Result:
    """Note why the exhaustive search answered."""
    statistics = replace(result.statistics, fallback_reason=str(reason))
    return replace(result, statistics=statistics)


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
