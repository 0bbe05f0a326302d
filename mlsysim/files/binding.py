"""Bind what a question file names to the arguments of the models in its pipeline.

Everything that can be wrong is reported here, with file and key, before any
model runs: an unknown model, an argument that no model takes or that is given
twice, one that is missing.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlsysim.catalog.record import Record
from mlsysim.core.pipeline import Pipeline
from mlsysim.core.pipeline_result import PipelineResult
from mlsysim.errors import LaunchError, PipelineError, QuestionError, suggest
from mlsysim.files.schema import QuestionFile
from mlsysim.files.stage_names import annotations_of, not_taken, stage_named
from mlsysim.files.values import argument, choices, takes_list
from mlsysim.stages.stage import ForwardModel


@dataclass(frozen=True, kw_only=True)
class PipelineEvaluator:
    """Runs the pipeline of a question file on one design.

    Parameters
    ----------
    pipeline
        The chained models.
    fixed
        The arguments that are no choice.
    chosen
        Argument -> name of the choice that it takes.
    gathered
        Argument -> names of the choices that it takes all together, by name.
    listed
        Argument -> names of the choices whose values it takes as a list.
    records
        Name -> entry of the question's own catalogues, for values that are set later.
    """

    pipeline: Pipeline
    fixed: Mapping[str, Any]
    chosen: Mapping[str, str]
    gathered: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    listed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    records: Mapping[str, Record] = field(default_factory=dict)

    def __call__(self, params: Mapping[str, Any]) -> PipelineResult:
        """Evaluate a design, given as choice -> value."""
        return self.pipeline.run(**self.arguments_of(params))

    def arguments_of(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Give the arguments of the models for a design, given as choice -> value."""
        taken: dict[str, Any] = {name: params[choice] for name, choice in self.chosen.items()}
        for name, together in self.gathered.items():
            taken[name] = {choice: params[choice] for choice in together}
        for name, listed in self.listed.items():
            taken[name] = [params[choice] for choice in listed]
        return {**self.fixed, **taken}

    def key_in(self, message: str) -> str | None:
        """Name the key of the file whose argument a model complains about."""
        keys = {name: f"fixed.{name}" for name in self.fixed}
        keys |= {name: f"space.{choice}" for name, choice in self.chosen.items()}
        keys |= {name: f"pipeline.arguments.{name}" for name in self.listed}
        culprit = message.partition(";")[0]  # behind it stand the cure and other names
        return next((keys[word] for word in re.findall(r"\w+", culprit) if word in keys), None)


def bind(content: QuestionFile, file: str) -> tuple[dict[str, Any], PipelineEvaluator]:
    """Give the space and the evaluator that a question file describes.

    Raises
    ------
    QuestionError
        If a name in the file is not known, or an argument is missing, not
        taken by any model or given twice.
    """
    folder = Path(file).parent
    stages = [
        stage_named(name, f"{file}: pipeline.stages", folder) for name in content.pipeline.stages
    ]
    if not stages:
        raise QuestionError(f"{file}: pipeline.stages: empty; name at least one model")
    if not content.space:
        raise QuestionError(f"{file}: space: missing; the file needs this key")
    annotations = {
        name: kind for stage in reversed(stages) for name, kind in annotations_of(stage).items()
    }
    taken = _taken(content, annotations, file)
    for name in content.fixed:
        if name not in annotations:
            raise QuestionError(f"{file}: fixed.{name}: {not_taken(name, annotations)}")
        if name in taken:
            raise QuestionError(
                f"{file}: fixed.{name}: is a choice as well (space.{taken[name][0]}); keep one"
            )
    _require_complete(stages, {*content.fixed, *taken}, file)
    fixed = {
        name: argument(value, annotations[name], f"{file}: fixed.{name}")
        for name, value in content.fixed.items()
    }
    taker = {choice: annotations[name] for name, names in taken.items() for choice in names}
    space = {
        name: choices(values, taker[name], f"{file}: space.{name}")
        for name, values in content.space.items()
    }
    try:
        pipeline = Pipeline([stage() for stage in stages], framework=content.framework)
    except PipelineError as error:
        raise QuestionError(f"{file}: pipeline.stages: {error}") from None
    except LaunchError as error:
        raise QuestionError(f"{file}: for: {error}") from None
    arguments = content.pipeline.arguments
    listed = {
        name: taken[name] for name, choice in arguments.items() if not isinstance(choice, str)
    }
    chosen = {name: names[0] for name, names in taken.items() if name not in listed}
    return space, PipelineEvaluator(pipeline=pipeline, fixed=fixed, chosen=chosen, listed=listed)


def _taken(
    content: QuestionFile, known: Mapping[str, Any], file: str
) -> dict[str, tuple[str, ...]]:
    """Find out which argument takes which choices: one, or several as a list."""
    taken: dict[str, tuple[str, ...]] = {name: (name,) for name in content.space if name in known}
    for name, choice in content.pipeline.arguments.items():
        place = f"{file}: pipeline.arguments.{name}"
        if name not in known:
            raise QuestionError(f"{place}: {not_taken(name, known)}")
        if not isinstance(choice, str) and not takes_list(known[name]):
            raise QuestionError(f"{place}: is a list; this argument takes one choice")
        taken[name] = (choice,) if isinstance(choice, str) else choice
        for one in taken[name]:
            if one not in content.space:
                raise QuestionError(
                    f"{place}: no choice is called {one!r}{suggest(one, content.space)}"
                )
    everything = {choice for names in taken.values() for choice in names}
    for choice in content.space:
        if choice not in everything:
            raise QuestionError(
                f"{file}: space.{choice}: {not_taken(choice, known)};"
                f' or say which one takes it, as [pipeline.arguments] <argument> = "{choice}"'
            )
    return taken


def _require_complete(stages: list[type[ForwardModel]], given: set[str], file: str) -> None:
    """Refuse a pipeline in which a model lacks an argument that has no default."""
    available = set(given)
    for stage in stages:
        for name, parameter in stage.inputs().items():
            if parameter.default is parameter.empty and name not in available:
                raise QuestionError(
                    f"{file}: fixed.{name}: missing; {stage.__name__} needs it,"
                    " here or as a choice in [space]"
                )
        available.update(stage.produces)
