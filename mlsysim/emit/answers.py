"""From the answer to a question to the launch of its best design."""

from typing import Any

from mlsysim.core.question import Question
from mlsysim.core.stage import ForwardModel
from mlsysim.emit.frameworks import Emission, Framework, emit
from mlsysim.errors import LaunchError
from mlsysim.results import SearchResult


def emit_answer(framework: Framework, question: Question, result: SearchResult) -> Emission:
    """Tell a framework the best design of an answered question.

    Parameters
    ----------
    framework
        Which one.
    question
        What was asked.
    result
        The answer.

    Raises
    ------
    LaunchError
        If the question is not about such designs, or the framework cannot run this one.
    InfeasibleError, NoAnswerError
        If there is no design.
    """
    stage = require_stage(framework, question)
    evaluate = question.evaluate
    chosen = {name: result.best_params[choice] for name, choice in evaluate.chosen.items()}
    arguments: dict[str, Any] = {**evaluate.fixed, **chosen}
    return emit(framework, arguments, stage)


def require_stage(framework: Framework, question: Question) -> type[ForwardModel]:
    """Find the model of a question's pipeline whose designs the framework runs.

    Raises
    ------
    LaunchError
        If there is none.
    """
    found = _stage(framework, question)
    if found is not None:
        return found
    others = [other.value for other in Framework if _stage(other, question) is not None]
    launched = " or ".join(stage.__name__ for stage in framework.stages)
    cure = (
        f"use --emit {' or '.join(others)}"
        if others
        else f"ask about the part to launch with {launched} alone"
    )
    names = ", ".join(stage.name for stage in question.evaluate.pipeline.stages)
    raise LaunchError(
        f"{question.path}: pipeline.stages: {framework.value} launches designs of {launched}, and "
        f"this question has {names}; {cure}"
    )


def _stage(framework: Framework, question: Question) -> type[ForwardModel] | None:
    stages = [type(stage) for stage in question.evaluate.pipeline.stages]
    return next((stage for stage in stages if issubclass(stage, framework.stages)), None)
