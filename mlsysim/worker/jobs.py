"""What the process can be asked: each job is a record that can be sent, and answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from mlsysim.emit import Framework, emit_answer
from mlsysim.files.question import Question
from mlsysim.report import Report, cloud_of, report_of, why_not_report
from mlsysim.results import SearchResult
from mlsysim.search.interruption import current
from mlsysim.search.options import ProgressCallback
from mlsysim.worker.draft import Draft


@lru_cache(maxsize=4)
def _loaded(draft: Draft) -> Question:
    return draft.loaded()


_last: dict[tuple[Draft, float, int], SearchResult] = {}
"""The last answer of this process."""


@dataclass(frozen=True, kw_only=True)
class WorkerJob:
    """Something to be answered about a draft.

    Parameters
    ----------
    draft
        The question.
    time_limit
        Seconds for each search in it.
    top
        How many of the best designs to list.
    """

    draft: Draft
    time_limit: float = 30.0
    top: int = 5

    @property
    def question(self) -> Question:
        """The question, every name of it checked."""
        return _loaded(self.draft)

    def run(self, progress: ProgressCallback) -> Any:
        """Answer; `MlsysimError` where the draft is wrong."""
        raise NotImplementedError

    def solved(self, progress: ProgressCallback) -> SearchResult:
        """Answer the question; what was answered last is not answered again."""
        key = (self.draft, self.time_limit, self.top)
        if key in _last:
            return _last[key]
        question, limit = self.question, self.time_limit
        result = question.solve(time_limit=limit, top=self.top, progress=progress)
        _last.clear()
        if not current().came:  # else it is what there was when nobody wanted it any more
            _last[key] = result
        return result


@dataclass(frozen=True, kw_only=True)
class Solve(WorkerJob):
    """Answer the question."""

    def run(self, progress: ProgressCallback) -> Report:
        """Give the report."""
        question = self.question
        return report_of(question, self.solved(progress))


@dataclass(frozen=True, kw_only=True)
class Front(WorkerJob):
    """Find the exact Pareto front of some objectives.

    Parameters
    ----------
    objectives
        What is weighed against each other; what the question does unless given.
    """

    objectives: tuple[str, ...]

    def run(self, progress: ProgressCallback) -> Report:
        """Give the report of the front."""
        question = self.question
        if self.objectives:
            question = replace(question, objectives=self.objectives)
        return report_of(question, question.pareto(time_limit=self.time_limit, progress=progress))


@dataclass(frozen=True, kw_only=True)
class ForceChoices(WorkerJob):
    """Force some choices, and say what that costs.

    Parameters
    ----------
    forced
        Choice -> value as text.
    """

    forced: Mapping[str, str] = field(default_factory=dict)

    def run(self, progress: ProgressCallback) -> Report:
        """Give the report that sets both answers side by side."""
        question = self.question
        told = question.why_not(self.forced, time_limit=self.time_limit, progress=progress)
        return why_not_report(question, told)


@dataclass(frozen=True, kw_only=True)
class EmitLaunch(WorkerJob):
    """Tell a framework the best design.

    Parameters
    ----------
    framework
        Its name.
    """

    framework: str

    def run(self, progress: ProgressCallback) -> str:
        """Give the command or the configuration."""
        question = self.question
        result = self.solved(progress)
        return emit_answer(Framework.named(self.framework), question, result).text


@dataclass(frozen=True, kw_only=True)
class Page(WorkerJob):
    """Write the report as one page of HTML."""

    def run(self, progress: ProgressCallback) -> str:
        """Give the page."""
        question = self.question
        report = report_of(question, self.solved(progress))
        cloud = None
        if report.designs:
            cloud = cloud_of(question.problem, question.evaluate, report.objectives)
        return report.to_page(cloud)
