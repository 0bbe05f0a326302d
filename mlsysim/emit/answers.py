"""From the answer to a question to the launch of its best design."""

from mlsysim.emit.frameworks import Emission, emit
from mlsysim.errors import LaunchError
from mlsysim.files.launching import asked_of
from mlsysim.files.question import Question
from mlsysim.launch.frameworks import Framework
from mlsysim.results import SearchResult
from mlsysim.stages.stage import ForwardModel


def emit_answer(framework: Framework, question: Question, result: SearchResult) -> Emission:
    """Tell a framework the best design of an answered question.

    Raises
    ------
    LaunchError
        If the question is not about such designs, or the framework cannot run this one.
    InfeasibleError, NoAnswerError
        If there is no design.
    """
    stage = require_stage(framework, question)
    arguments = question.evaluate.arguments_of(result.best_params)
    return emit(framework, arguments, stage, asked_of(question))


def require_stage(framework: Framework, question: Question) -> type[ForwardModel]:
    """Find the model of a question's pipeline whose designs the framework runs.

    Raises
    ------
    LaunchError
        If there is none.
    """
    try:
        return type(framework.require_stage(question.pipeline.stages))
    except LaunchError as error:
        raise LaunchError(f"{question.path}: pipeline.stages: {error}") from None
