"""Design-space exploration: ask a question, get the proven best design."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from os import PathLike
from typing import TYPE_CHECKING, Any, Self, Unpack

from mlsysim.core import methods
from mlsysim.core.what_if import (
    Setting,
    answered,
    combinations,
    forced_problem,
    require_choices,
    varied,
)
from mlsysim.errors import ParameterError
from mlsysim.markup import table
from mlsysim.problem.problem import Problem, Written
from mlsysim.problem.space import SearchSpace
from mlsysim.results.candidate import Result
from mlsysim.results.explained import Explanation
from mlsysim.results.pareto import ParetoFront
from mlsysim.results.result import SearchResult
from mlsysim.results.what_if import Sweep, SweepPoint, WhyNot
from mlsysim.search import reference
from mlsysim.search.comparison import ARRAYS, BOXES, REFERENCE, SOLVER, Comparison, compare
from mlsysim.search.interruption import interruptible
from mlsysim.search.method import Method
from mlsysim.search.options import (
    AnswerOptions,
    ComparisonOptions,
    ListedOptions,
    NoOptions,
    ProgressCallback,
    SearchOptions,
    SweepOptions,
)
from mlsysim.search.verify import Evaluator, Point, evaluate_point

if TYPE_CHECKING:
    from mlsysim.search.cpsat.compiling import CompiledModel, CpModel

__all__ = ["DSE", "Method", "SearchSpace"]


class DSE:
    """A question about a space of designs.

    Parameters
    ----------
    space
        Maps the name of each choice to its finite values, or a `SearchSpace`.
    objective
        ``"maximize: <metric path>"`` or ``"minimize: <metric path>"``.
    constraints
        A list of strings such as ``"latency <= 50 ms"``, or a dict that names them.  In place of
        a string, ``{"require": "latency <= 50 ms", "confidence": 0.9}`` holds although the models
        may be as far off as for nine in ten of the measured runs of the same kind.

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
        constraints: Sequence[Written] | Mapping[str, Written] | None = None,
    ) -> None:
        self.problem = Problem.of(space, objective, constraints)

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

    def _about(self, problem: Problem) -> "DSE":
        """Make an explorer of a variant of the question."""
        return type(self).of(problem)

    def __repr__(self) -> str:
        return f"DSE({self.problem.space.size:,} designs, {self.problem.objective.text!r})"

    def _repr_html_(self) -> str:
        rows = [(item.name, item.text) for item in self.problem.constraints]
        limits = table(("constraint", "what must hold"), rows, self.problem.objective.text)
        return limits + self.problem.space._repr_html_()

    def search(  # noqa: PLR0913 - the options of a search
        self,
        evaluate: Callable[[dict[str, Any]], Result],
        *,
        method: str = Method.AUTO,
        top: int = 5,
        time_limit: float | None = None,
        workers: int | None = None,
        seed: int = 0,
        progress: ProgressCallback | None = None,
        executor: Executor | None = None,
        certificate: str | PathLike[str] | None = None,
        **unknown: Unpack[NoOptions],
    ) -> SearchResult[Result]:
        """Find the best designs, with proof.

        Parameters
        ----------
        evaluate
            Takes a dict of choices, returns anything with the metrics.
        method
            ``"cp-sat"`` traces the evaluator, and has CP-SAT find and prove the optimum on the
            model of its formulas; ``"branch-and-bound"`` bounds boxes of designs by interval
            arithmetic until few are left; ``"exhaustive"`` evaluates every design, in arrays
            where the evaluator takes them; ``"reference"`` evaluates every design on plain
            numbers, and does nothing else (`mlsysim.search.reference`); ``"auto"`` takes the
            quickest of the first two where the evaluator can be traced, and the third
            elsewhere.  The result says which way it was.
        top
            How many of the best designs to return.
        time_limit
            Seconds after which to stop with what there is.
        workers
            Threads of the solver; all cores if left out.
        seed
            For everything random; the answer does not depend on it, up to ties.  Of designs that
            tie to 1e-9, the first of the space is taken: list the plainest value of a choice first.
        progress
            Called with a `Progress` now and then: designs done, best, bound.
        executor
            Where every design has to be evaluated, evaluates parts of the space:
            threads, processes, or machines (any `concurrent.futures.Executor`,
            such as Dask's ``client.get_executor()``).  The answer is the same.
            CP-SAT solves here, whatever the executor.
        certificate
            Where to write a proof of the answer that others can check (``mlsysim verify``); of
            the time limit it has what the search leaves.  ``statistics.extra["certificate"]``
            tells its parts and bytes, ``unfinished`` why there is none.

        Raises
        ------
        ParameterError
            If an option is unknown or out of range, or the evaluator cannot be called.
        TracingError
            With ``method="cp-sat"``, if the evaluator cannot be traced.
        OutputError
            If the certificate cannot be written.
        """
        limits = {"time_limit": time_limit, "workers": workers, "seed": seed}
        given = {"top": top, "progress": progress, "executor": executor, **limits, **unknown}
        options = SearchOptions.of(**given)
        found = methods.search(method, self.problem, evaluate, options)
        if certificate is None:
            return found
        return methods.certified(found, self.problem, evaluate, options, certificate)

    def pareto(
        self,
        evaluate: Callable[[dict[str, Any]], Result],
        objectives: Sequence[str],
        *,
        method: str = Method.AUTO,
        time_limit: float | None = None,
        workers: int | None = None,
        seed: int = 0,
        progress: ProgressCallback | None = None,
        executor: Executor | None = None,
        **unknown: Unpack[NoOptions],
    ) -> ParetoFront[Result]:
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
        method, time_limit, workers, seed, progress, executor
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
        limits = {"time_limit": time_limit, "workers": workers, "seed": seed}
        given = {"progress": progress, "executor": executor, **limits, **unknown}
        asked = SearchOptions.of(**given)
        return methods.front(method, self.problem, objectives, evaluate, asked)

    def explain(
        self, evaluate: Evaluator, *, method: str = Method.AUTO, **options: Unpack[ListedOptions]
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
        return methods.explain(method, self.problem, evaluate, SearchOptions.of(**options))

    def evaluate(self, evaluate: Evaluator, params: Mapping[str, Any]) -> Point:
        """Evaluate one design, and say which requirements it breaks.

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
        >>> dse = DSE({"x": range(10)}, "maximize: gain", {"room": "x <= 7"})
        >>> sorted(dse.evaluate(lambda params: {"gain": 3 * params["x"]}, {"x": 8}).violated)
        ['room']
        """
        require_choices(self.problem, params)
        if missing := [name for name in self.problem.space if name not in params]:
            raise ParameterError(f"the design says nothing about {', '.join(map(repr, missing))}")
        return evaluate_point(self.problem, evaluate, params)

    def why_not(
        self,
        evaluate: Evaluator,
        forced: Mapping[str, Any],
        *,
        setting: Setting | None = None,
        **options: Unpack[AnswerOptions],
    ) -> WhyNot:
        """Answer the question twice, free and with some choices forced.

        Parameters
        ----------
        evaluate
            As for `search`.
        forced
            Choice -> the value that it is to have, which need not be one of the space.
        setting
            Takes what is forced apart, where some of it is for the evaluator.
        **options
            Those of `search`; the limits are for each of the two answers.

        Raises
        ------
        ParameterError
            If a choice is unknown.

        Examples
        --------
        >>> dse = DSE({"x": range(10)}, "maximize: gain", {"room": "x <= 7"})
        >>> dse.why_not(lambda params: {"gain": 3 * params["x"]}, {"x": 5}).loss
        6.0
        """
        choices, changed = (forced, evaluate) if setting is None else setting(forced)
        narrow = self._about(forced_problem(self.problem, choices))
        kept: dict[str, Any] = {**options}
        asked = [(self, evaluate, kept), (narrow, changed, kept)]
        best, found = answered(asked, executor=None)
        sign = self.problem.objective.sense.sign
        return WhyNot(best=best, forced=dict(forced), found=found, sign=sign)

    def sweep(
        self,
        evaluate: Evaluator,
        over: Mapping[str, Sequence[Any]],
        *,
        setting: Setting | None = None,
        executor: Executor | None = None,
        **options: Unpack[SweepOptions],
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
        setting
            Takes the values of a point apart, where some of them are for the evaluator.
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
        >>> dse = DSE({"x": range(10)}, "maximize: gain", {"room": "x <= 7"})
        >>> found = dse.sweep(lambda params: {"gain": 3 * params["x"]}, {"room": [2, 4]})
        >>> [point.result.best_objective for point in found.points]
        [6.0, 12.0]
        """
        values = combinations(over)
        points = [(point, evaluate) if setting is None else setting(point) for point in values]
        kept: dict[str, Any] = {**options}
        asked = [
            (self._about(varied(self.problem, point)), changed, kept) for point, changed in points
        ]
        results = answered(asked, executor)
        return Sweep(
            over=tuple(over),
            objective=self.problem.objective.text,
            points=tuple(map(SweepPoint, values, results)),
        )

    def cross_check(
        self, evaluate: Evaluator, *, top: int = 5, **options: Unpack[ComparisonOptions]
    ) -> Comparison:
        """Answer by every method, and compare.

        By CP-SAT, by branch and bound, by evaluating every design in arrays, and, where
        there are at most a thousand, by the reference (`mlsysim.search.reference`).

        Parameters
        ----------
        evaluate
            As for `search`.
        top
            How many of the best designs to compare.
        **options
            The other options of `search`.
        """
        with interruptible():  # Ctrl-C ends all
            answers = {
                SOLVER: self.search(evaluate, method=Method.CP_SAT, top=top, **options),
                BOXES: self.search(evaluate, method=Method.BRANCH_AND_BOUND, top=top, **options),
                ARRAYS: self.search(evaluate, method=Method.EXHAUSTIVE, top=top, **options),
            }
            if self.problem.space.size <= reference.FEW:
                plain = self.search(evaluate, method=Method.REFERENCE, top=top, **options)
                answers[REFERENCE] = plain
        return compare(answers)

    def compile(
        self,
        evaluate: Evaluator,
        into: "CpModel | None" = None,
        *,
        name: str = "",
        optimum_only: bool = False,
    ) -> "CompiledModel":
        """Build the CP-SAT model without solving it.

        Parameters
        ----------
        evaluate
            As for `search`.
        into
            A model of your own to add it to, so that several questions and further
            constraints meet in one; its objective stays as it is.
        name
            What the names of its variables begin with: ``"chat"`` makes ``chat.tp_size``.
        optimum_only
            Whether the model is to be solved as it is, with nothing added: designs that are
            worse than one that a local search has found are then left out, which makes a
            large model small.

        Returns
        -------
        CompiledModel
            The model, its integer variables by choice, its metrics by path as integer
            expressions with unit, scale and error, its constraints by name, and how each
            expression was encoded.

        Raises
        ------
        TracingError
            If the evaluator cannot be traced.
        """
        return methods.compiled(self.problem, evaluate, into, name, optimum_only=optimum_only)
