"""Question files: a planner's question as one TOML file, loaded and answered.

>>> question = load("models/training/tutorial.toml")    # doctest: +SKIP
>>> question.solve(method="exhaustive")["best_params"]  # doctest: +SKIP

The file says what is fixed, what can be chosen, which models evaluate a
design, what must hold and what is best.  ``models/README.md`` describes every key.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from html import escape
from os import PathLike
from pathlib import Path
from typing import Any, Unpack

import msgspec

from mlsysim.core.dse import DSE
from mlsysim.core.pipeline import Pipeline
from mlsysim.core.pipeline_result import PipelineResult
from mlsysim.errors import InputError, MetricError, NoAnswerError, QuestionError
from mlsysim.files.assembly import Bound, assemble, located
from mlsysim.files.binding import PipelineEvaluator, bind
from mlsysim.files.fleets import BoundFleet, NoReplica, OutOfTime, is_fleet
from mlsysim.files.own_catalog import own_records, with_own_records
from mlsysim.files.reading import read_table, written
from mlsysim.files.schema import Expected, QuestionFile
from mlsysim.files.settings import settings_of, with_arguments
from mlsysim.files.what_if import EvaluatedDesign, evaluate, set_in_text
from mlsysim.fleets.no_replica import NoReplicaError
from mlsysim.problem.problem import Problem
from mlsysim.results import Explanation, ParetoFront, SearchResult
from mlsysim.results.what_if import Sweep, WhyNot
from mlsysim.search.comparison import Comparison
from mlsysim.search.interruption import interruptible
from mlsysim.search.options import (
    AnswerOptions,
    CertifiedOptions,
    FrontOptions,
    ListedOptions,
    SearchOptions,
)
from mlsysim.textfiles import parse_toml

_LEAST_TIME = 1e-3
"""Seconds that are left at the least, where some time was given."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """A question file, ready to be answered.

    Parameters
    ----------
    path
        Where it was read from.
    text
        The question in prose.
    source
        Where the question comes from.
    bound
        What is asked, in terms of a search.
    objectives
        What the Pareto front weighs against each other; empty if the file has
        no ``[pareto]`` table.
    expected
        The known answer, or nothing.
    written
        The file as it was read.
    is_overridden
        Whether it is asked for another framework than the file says.
    """

    path: Path
    text: str
    source: str
    bound: Bound | BoundFleet
    objectives: tuple[str, ...]
    expected: Expected | None
    written: str = ""
    is_overridden: bool = False

    def _repr_html_(self) -> str:
        return f"<p>{escape(self.text)}</p>{self.explorer._repr_html_()}"

    @property
    def problem(self) -> Problem:
        """Space, objective and constraints."""
        return self.bound.problem

    @property
    def evaluate(self) -> PipelineEvaluator:
        """Evaluates one design: the pipeline with the fixed arguments."""
        return self.bound.evaluate

    @property
    def reasons(self) -> Mapping[str, str]:
        """Constraint -> why the planner insists on it."""
        return self.bound.reasons

    @property
    def pipeline(self) -> Pipeline:
        """The chained models."""
        return self.bound.pipeline

    @property
    def explorer(self) -> DSE:
        """The design space explorer that answers this question."""
        return DSE.of(self.problem)

    def solve(self, **options: Unpack[CertifiedOptions]) -> SearchResult[PipelineResult]:
        """Answer the question.

        Parameters
        ----------
        **options
            Those of `mlsysim.core.dse.DSE.search`: method, top, time_limit,
            workers, seed, progress, certificate.

        Raises
        ------
        QuestionError
            If a model refuses a value of the file; the message names the key.
        InputError
            If an option is out of range.
        """
        with self._asked(options) as (explorer, left):
            return explorer.search(self.evaluate, **left)

    def cross_check(self, **options: Unpack[ListedOptions]) -> Comparison:
        """Answer the question by CP-SAT and by evaluating every design.

        Parameters
        ----------
        **options
            Those of `mlsysim.core.dse.DSE.cross_check`.
        """
        with self._asked(options) as (explorer, left):
            return explorer.cross_check(self.evaluate, **left)

    def pareto(self, **options: Unpack[FrontOptions]) -> ParetoFront[PipelineResult]:
        """Find the Pareto front of the objectives in the ``[pareto]`` table.

        Parameters
        ----------
        **options
            Those of `mlsysim.core.dse.DSE.pareto`: method, time_limit,
            workers, seed, progress.

        Raises
        ------
        QuestionError
            If the file has no such table, or a model refuses a value of the file.
        """
        if not self.objectives:
            raise QuestionError(
                f"{self.path}: pareto: missing; say what to weigh against each other, e.g. "
                f"[pareto] objectives = [{self.bound.objective!r}, 'minimize: ...']"
            )
        with self._asked(options) as (explorer, left):
            return explorer.pareto(self.evaluate, self.objectives, **left)

    def explain(self, **options: Unpack[AnswerOptions]) -> Explanation:
        """Answer the question, and say what binds the best design.

        Parameters
        ----------
        **options
            Those of `mlsysim.core.dse.DSE.explain`.
        """
        with self._asked(options) as (explorer, left):
            return explorer.explain(self.evaluate, **left)

    def evaluate_at(
        self, given: Mapping[str, str], **options: Unpack[AnswerOptions]
    ) -> EvaluatedDesign:
        """Evaluate one design; what is not given comes from the best design.

        Parameters
        ----------
        given
            Choice -> value in text, which need not be one of the space.
        **options
            Those of `solve`, for the case that the best design is needed.

        Raises
        ------
        NoAnswerError
            If a limit came before the designs that there are were known.
        """
        left = self.prepare(**options)
        with self._asked(left):
            return evaluate(self, given, **left)

    def why_not(self, given: Mapping[str, str], **options: Unpack[AnswerOptions]) -> WhyNot:
        """Answer the question free, and with choices or arguments of models forced.

        Parameters
        ----------
        given
            Choice or argument of a model -> value in text.
        **options
            Those of `solve`.
        """
        with self._asked(options) as (explorer, left):
            settings = settings_of(self.problem, self.evaluate, given)
            changed = with_arguments(self.evaluate, settings.arguments)
            return explorer.why_not(
                self.evaluate,
                {**settings.choices, **settings.arguments},
                setting=lambda _: (settings.choices, changed),
                **left,
            )

    def sweep(self, over: Mapping[str, Sequence[str]], **options: Unpack[AnswerOptions]) -> Sweep:
        """Answer the question for several values of a limit, a choice or a model's argument.

        Parameters
        ----------
        over
            What to vary -> its values in text.
        **options
            Those of `solve`, for each answer; and ``executor``.
        """
        with self._asked(options) as (explorer, left):
            return explorer.sweep(
                self.evaluate, over, setting=lambda values: set_in_text(self, values), **left
            )

    def with_settings(self, given: Mapping[str, str]) -> tuple["Question", dict[str, str]]:
        """Set arguments of the models; give the question that this makes, and the other settings.

        Parameters
        ----------
        given
            Choice or argument of a model -> value in text.
        """
        settings = settings_of(self.problem, self.evaluate, given)
        left = {name: text for name, text in given.items() if name not in settings.arguments}
        changed = with_arguments(self.evaluate, settings.arguments)
        return replace(self, bound=self._rebound(evaluate=changed)), left

    def without(self, name: str) -> "Question":
        """Give the same question without one of its constraints.

        Parameters
        ----------
        name
            The name of the constraint.
        """
        kept = tuple(item for item in self.problem.constraints if item.name != name)
        problem = replace(self.problem, constraints=kept)
        return replace(self, bound=self._rebound(problem=problem), expected=None)

    def prepare(self, **options: Unpack[AnswerOptions]) -> dict[str, Any]:
        """Search for what the question itself needs: the replica designs of a mixed fleet.

        Every answer does that; to do it apart gives the time that is left.

        Parameters
        ----------
        **options
            Those of `solve`.

        Returns
        -------
        dict
            The same options, with the rest of the time limit.

        Raises
        ------
        NoReplicaError
            If no replica keeps the limits of a class of requests.
        NoAnswerError
            If a limit came first.
        """
        began = time.monotonic()
        known = {field.name for field in fields(SearchOptions)}
        given = {name: value for name, value in options.items() if name in known}
        checked = SearchOptions.of(**given)
        self.bound.prepare(checked)
        if checked.time_limit is None:
            return {**options}
        spent = time.monotonic() - began
        return {**options, "time_limit": max(checked.time_limit - spent, _LEAST_TIME)}

    @contextmanager
    def _asked(self, options: Mapping[str, Any]) -> Iterator[tuple[DSE, dict[str, Any]]]:
        """Give who answers, and the options with what is left of the time."""
        with interruptible():  # Ctrl-C ends both
            try:
                left, explorer = self.prepare(**options), self.explorer
            except NoReplicaError as error:
                left, explorer = dict(options), NoReplica(self.problem, error.answer)
            except NoAnswerError:
                left, explorer = dict(options), OutOfTime.of(self.problem)
            with self._located():
                yield explorer, left

    def _rebound(self, **changes: Any) -> Bound:
        standing = Bound(problem=self.problem, evaluate=self.evaluate, reasons=self.reasons)
        return replace(standing, **changes)

    @contextmanager
    def _located(self) -> Iterator[None]:
        """Put file and key in front of what a model says about a value of the file."""
        try:
            yield
        except (QuestionError, MetricError):  # located already, or about no value of the file
            raise
        except InputError as error:
            key = self.evaluate.key_in(str(error))
            if key is None:
                raise
            raise located(error, f"{self.path}: {key}") from None


def load(path: str | PathLike[str], *, framework: str | None = None) -> Question:
    """Read a question file and check every name in it.

    The first design of the space is evaluated, so that a misspelt metric or a
    wrong unit is reported at once, with its key.

    Parameters
    ----------
    path
        A TOML file.
    framework
        Who is to run the designs, in place of what the file says under ``for``; the answer that
        the file expects is then not one to compare with.

    Raises
    ------
    QuestionError
        If the file cannot be read, does not follow the schema, or names
        something that does not exist.  The message starts with file and key.
    """
    return question_of(written(Path(path)), path, framework=framework)


def question_of(text: str, path: str | PathLike[str], *, framework: str | None = None) -> Question:
    """Make a question of the text of a question file, as `load` does.

    Parameters
    ----------
    text
        What would stand in the file.
    path
        What messages call it; files that it names are sought in the folder of this path.
    framework
        As in `load`.

    Raises
    ------
    QuestionError
        As in `load`.
    """
    path = Path(path)
    table = parse_toml(text, str(path), QuestionError)
    if "jobs" in table:
        raise QuestionError(f"{path}: jobs: this is a plan over time; answer it with mlsysim plan")
    content = read_table(table, str(path), QuestionFile)
    overridden = framework not in (None, content.framework)
    if overridden:
        content = msgspec.structs.replace(content, framework=framework, expected=None)
    records = own_records(content.catalog, path)
    content = with_own_records(content, records, f"{path}: ")
    asked: Bound | BoundFleet
    if is_fleet(content):
        asked = BoundFleet(content, str(path), records)
    else:
        choices, models = bind(content, str(path))
        asked = assemble(content, choices, replace(models, records=records), str(path))
    return Question(
        path=path,
        text=content.question,
        source=content.source,
        bound=asked,
        objectives=() if content.pareto is None else content.pareto.objectives,
        expected=content.expected,
        is_overridden=overridden,
        written=text,
    )
