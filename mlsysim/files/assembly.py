"""Build the problem of a question file, and try its metrics on one design."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self

from mlsysim.core.pipeline import Pipeline
from mlsysim.errors import Infeasible, InputError, QuestionError, suggest
from mlsysim.files.binding import PipelineEvaluator
from mlsysim.files.schema import QuestionFile
from mlsysim.problem.constraint import Constraint
from mlsysim.problem.objective import Objective
from mlsysim.problem.problem import Problem
from mlsysim.problem.reading import read
from mlsysim.problem.space import Domain, SearchSpace
from mlsysim.search.goals import Goals
from mlsysim.search.options import SearchOptions


@dataclass(frozen=True, kw_only=True)
class Bound:
    """What a question file asks, in terms of a search.

    Parameters
    ----------
    problem
        Space, objective and constraints.
    evaluate
        Evaluates one design.
    reasons
        Constraint -> why the planner insists on it.
    """

    problem: Problem
    evaluate: PipelineEvaluator
    reasons: Mapping[str, str]

    @property
    def objective(self) -> str:
        """The objective in text."""
        return self.problem.objective.text

    @property
    def pipeline(self) -> Pipeline:
        """The chained models."""
        return self.evaluate.pipeline

    def prepare(self, options: SearchOptions) -> Self:  # noqa: ARG002 - others need time
        """Do what has to be done before the question can be answered: nothing."""
        return self


def assemble(
    content: QuestionFile, choices: Mapping[str, Any], evaluate: PipelineEvaluator, file: str
) -> Bound:
    """Put a question together, and try every metric that it names on its first design.

    Parameters
    ----------
    content
        The file.
    choices
        Choice -> its values, catalogue entries in place of their names.
    evaluate
        The pipeline of the file.
    file
        The name that messages use.

    Raises
    ------
    QuestionError
        If a choice, the objective or a constraint is malformed, a model refuses a value, or a
        metric does not exist or has another unit; the message names the key.
    """
    problem = _problem(content, choices, file)
    objectives = content.pareto.objectives if content.pareto is not None else ()
    _probe(problem, evaluate, objectives, file)
    reasons = {name: item.because for name, item in content.constraints.items()}
    return Bound(problem=problem, evaluate=evaluate, reasons=reasons)


def _problem(content: QuestionFile, choices: Mapping[str, Any], file: str) -> Problem:
    """Build space, objective and constraints, each error with its key."""
    for name, values in choices.items():
        with _at(f"{file}: space.{name}"):
            Domain(name, values)
    with _at(f"{file}: space"):
        space = SearchSpace(dict(choices))
    with _at(f"{file}: objective"):
        Objective.parse(content.objective)
    for name, constraint in content.constraints.items():
        with _at(f"{file}: constraints.{name}.require"):
            Constraint.parse(constraint.require, name)
        with _at(f"{file}: constraints.{name}.confidence"):
            Constraint.parse(constraint.require, name, constraint.confidence)
    if content.pareto is not None:
        with _at(f"{file}: pareto.objectives"):
            Goals.of(Problem.of(space, content.objective), content.pareto.objectives)
    if content.expected is not None:
        for name in content.expected.parameters:
            if name not in space:
                raise QuestionError(
                    f"{file}: expected.parameters.{name}: no choice is called so"
                    f"{suggest(name, space)}"
                )
    texts = {name: constraint.in_python for name, constraint in content.constraints.items()}
    return Problem.of(space, content.objective, texts)


def _probe(
    problem: Problem, evaluate: PipelineEvaluator, objectives: Sequence[str], file: str
) -> None:
    """Evaluate the first design and look up every metric that the file names."""
    params = problem.space.point(0)
    try:
        result = evaluate(params)
    except Infeasible:
        return
    except InputError as error:
        key = evaluate.key_in(str(error)) or "pipeline"
        raise located(error, f"{file}: {key}") from None
    with _at(f"{file}: objective"):
        read(Problem.of(problem.space, problem.objective.text, None), params, result)
    for objective in objectives:
        with _at(f"{file}: pareto.objectives"):
            read(Problem.of(problem.space, objective, None), params, result)
    for constraint in problem.constraints:
        with _at(f"{file}: constraints.{constraint.name}.require"):
            alone = {constraint.name: constraint}
            read(Problem.of(problem.space, problem.objective.text, alone), params, result)


def located(error: InputError, place: str) -> QuestionError:
    """Put file and key in front of an error, and keep its notes."""
    answer = QuestionError(f"{place}: {error}")
    for note in getattr(error, "__notes__", ()):
        answer.add_note(note)
    return answer


@contextmanager
def _at(place: str) -> Iterator[None]:
    """Put file and key in front of what the user is told."""
    try:
        yield
    except InputError as error:
        raise located(error, place) from None
