"""Answer independent questions side by side, on whatever an executor stands for."""

import traceback
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any, Protocol, Unpack

from mlsysim.core.methods import unanswered
from mlsysim.problem.problem import Problem
from mlsysim.results.result import SearchResult
from mlsysim.search.executor import WorkQueue
from mlsysim.search.interruption import current
from mlsysim.search.options import AnswerOptions, Progress, ProgressCallback
from mlsysim.search.remote_errors import portable, reraised
from mlsysim.search.verify import Evaluator


class Explorer(Protocol):
    """Answers a question, as `mlsysim.core.dse.DSE` does."""

    problem: Problem

    def search(self, evaluate: Evaluator, **options: Unpack[AnswerOptions]) -> SearchResult:
        """Find the best designs, with proof."""


_RESPITE = 0.7
"""Seconds that questions under way have to end after Ctrl-C."""

Asked = tuple[Explorer, Evaluator, Mapping[str, Any]]
"""One question: explorer, evaluator, options."""


@dataclass(frozen=True, kw_only=True)
class _Job:
    """A question and its place among all."""

    place: int
    asked: Asked


def answer(asked: Asked) -> SearchResult:
    """Answer one question.

    Parameters
    ----------
    asked
        The question.
    """
    explorer, evaluate, options = asked
    return explorer.search(evaluate, **options)


def answer_side_by_side(
    asked: Sequence[Asked], executor: Executor, progress: ProgressCallback | None = None
) -> list[SearchResult]:
    """Answer questions, several at a time.

    Ctrl-C keeps the answers that are there, and what those under way have found until then,
    where it reaches them; the others are ``UNKNOWN``.

    Parameters
    ----------
    asked
        The questions.
    executor
        Answers them; a question that it loses is answered here.
    progress
        Called with how many of them are answered.

    Returns
    -------
    list of SearchResult
        In the order of the questions.

    Raises
    ------
    ParameterError
        If a question cannot be sent, or the executor does nothing at all.
    Exception
        Whatever the first question that fails, in their order, failed with.
    """
    found = _gathered(asked, executor, progress)
    answers = [
        found[place]
        if place in found
        else unanswered(explorer.problem, str(options.get("method", "auto")))
        for place, (explorer, _, options) in enumerate(asked)
    ]
    for result in answers:
        if isinstance(result, Exception):
            raise reraised(result)
    return [result for result in answers if isinstance(result, SearchResult)]


def _gathered(
    asked: Sequence[Asked], executor: Executor, progress: ProgressCallback | None
) -> dict[int, SearchResult | Exception]:
    """Give what came of the questions by their place; of all, unless Ctrl-C comes."""
    jobs = iter([_Job(place=place, asked=item) for place, item in enumerate(asked)])
    interruption = current()
    queue: WorkQueue[_Job, SearchResult | Exception] = WorkQueue(executor, _answer_or_error)
    found: dict[int, SearchResult | Exception] = {}
    try:
        for ended in queue.run(lambda: None if interruption.came else next(jobs, None)):
            if ended is not None:
                found[ended.job.place] = ended.outcome
            if interruption.came:
                queue.hurry(_RESPITE)
            if progress is not None:
                progress(Progress(done=len(found), total=len(asked), what="questions"))
    except KeyboardInterrupt:
        interruption.ask()
    return found


def _answer_or_error(job: _Job) -> SearchResult | Exception:
    try:
        return answer(job.asked)
    except Exception as error:  # noqa: BLE001 - the user's; raised where the question was asked
        return portable(error, traceback.format_exc())
