"""What a user sets on the command line: ``tp=8``, ``seq_len=4096``, ``fleet=DGX_Pod``."""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from mlsysim.errors import ParameterError, suggest
from mlsysim.files.binding import PipelineEvaluator
from mlsysim.files.stage_names import annotations_of
from mlsysim.files.values import argument
from mlsysim.problem.problem import Problem
from mlsysim.textfiles import check_shape


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Settings, sorted by what they set.

    Parameters
    ----------
    choices
        Choice -> value.
    arguments
        Argument of a model that is no choice -> value.
    """

    choices: Mapping[str, Any]
    arguments: Mapping[str, Any]


def pairs(texts: Iterable[str], option: str) -> dict[str, str]:
    """Take ``name=value`` apart; several may be joined by commas.

    Raises
    ------
    ParameterError
        If there is no ``=``, or a name comes twice.
    """
    found: dict[str, str] = {}
    for part in (part.strip() for text in texts for part in text.split(",")):
        name, mark, value = (piece.strip() for piece in part.partition("="))
        if not mark or not name or not value:
            raise ParameterError(f"{option} {part}: write a name and a value, e.g. {option} tp=8")
        if name in found:
            raise ParameterError(f"{option} {part}: {name!r} is set twice; drop one")
        found[name] = value
    return found


def settings_of(
    problem: Problem, evaluate: PipelineEvaluator, given: Mapping[str, str]
) -> Settings:
    """Find out what each setting means.

    Parameters
    ----------
    problem
        Knows the choices.
    evaluate
        Knows the models and their arguments.
    given
        Name -> value in text.

    Raises
    ------
    ParameterError
        If a name is neither a choice nor an argument of a model.
    QuestionError
        If a value does not fit.
    """
    choices, arguments = {}, {}
    known = annotations(evaluate)
    for name, text in given.items():
        if name in problem.space:
            choices[name] = choice_of(problem, evaluate, name, text)
        elif name in evaluate.chosen:
            choice = evaluate.chosen[name]
            choices[choice] = choice_of(problem, evaluate, choice, text)
        elif name in evaluate.listed:
            listed = ", ".join(evaluate.listed[name])
            raise ParameterError(f"{name!r} is a list of choices; set those: {listed}")
        elif name in known:
            arguments[name] = argument(_value(evaluate, name, text), known[name], name)
        else:
            names = [*problem.space, *known]
            near = suggest(name, names)
            raise ParameterError(f"{name!r} is no choice and nothing that the models take{near}")
    return Settings(choices=choices, arguments=arguments)


def choice_of(problem: Problem, evaluate: PipelineEvaluator, name: str, text: str) -> Any:
    """Read the value of a choice: one of its own by its label, or another of their kind.

    Raises
    ------
    QuestionError
        If it fits no argument that takes the choice.
    """
    for value, shown in zip(problem.space[name].values, problem.space[name].labels, strict=True):
        if text in {shown, str(value)}:
            return value
    takers = [known for known, choice in evaluate.chosen.items() if choice == name]
    kind = annotations(evaluate).get(takers[0], Any) if takers else int
    return argument(_value(evaluate, name, text), kind, name)


def with_arguments(evaluate: PipelineEvaluator, arguments: Mapping[str, Any]) -> PipelineEvaluator:
    """Give the same evaluator with some fixed arguments changed."""
    return replace(evaluate, fixed={**evaluate.fixed, **arguments})


def annotations(evaluate: PipelineEvaluator) -> dict[str, Any]:
    """List the arguments of the models with what each takes."""
    found: dict[str, Any] = {}
    for stage in reversed(evaluate.pipeline.stages):
        found |= annotations_of(type(stage))
    return found


def _value(evaluate: PipelineEvaluator, name: str, text: str) -> Any:
    """Read a value; a name of the question's own catalogues is its entry."""
    value = evaluate.records.get(text, _scalar(text))
    check_shape(value, name, ParameterError)
    return value


def _scalar(text: str) -> Any:
    """Read a value as a question file would, where text needs no quotes."""
    if text in {"True", "False"}:
        return text == "True"
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except (ValueError, RecursionError):  # no TOML, or of a size that nothing takes
        return text
    return value if isinstance(value, (bool, int, float, str)) else text
