"""What the process of a tab can be asked: each job is a record that can be sent, and answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from mlsysim.emit import Framework, emit_answer
from mlsysim.files.question import Question
from mlsysim.live.controls import Controls, controls_of
from mlsysim.live.draft import Draft
from mlsysim.report import Report, cloud_of, report_of, why_not_report
from mlsysim.results import SearchResult
from mlsysim.search.interruption import current
from mlsysim.search.options import ProgressCallback


@dataclass(frozen=True, kw_only=True)
class Job:
    """Something to be answered about a draft.

    Parameters
    ----------
    draft
        The question.
    time_limit
        Seconds for each search in it.
    """

    draft: Draft
    time_limit: float = 30.0

    def run(self, progress: ProgressCallback) -> Any:
        """Answer; `MlsysimError` where the draft is wrong."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class Open(Job):
    """Check every name in a question, and list what can be moved in it."""

    def run(self, progress: ProgressCallback) -> Controls:  # noqa: ARG002
        """Give the controls."""
        _loaded(self.draft)
        return controls_of(self.draft)


@dataclass(frozen=True, kw_only=True)
class Solve(Job):
    """Answer the question."""

    def run(self, progress: ProgressCallback) -> Report:
        """Give the report."""
        question = _loaded(self.draft)
        return report_of(question, _solved(self, question, progress))


@dataclass(frozen=True, kw_only=True)
class Front(Job):
    """Find the exact Pareto front of some objectives.

    Parameters
    ----------
    objectives
        What is weighed against each other.
    """

    objectives: tuple[str, ...]

    def run(self, progress: ProgressCallback) -> Report:
        """Give the report of the front."""
        question = replace(_loaded(self.draft), objectives=self.objectives)
        return report_of(question, question.pareto(time_limit=self.time_limit, progress=progress))


@dataclass(frozen=True, kw_only=True)
class WhyNot(Job):
    """Force some choices, and say what that costs.

    Parameters
    ----------
    forced
        Choice -> value as text.
    """

    forced: Mapping[str, str] = field(default_factory=dict)

    def run(self, progress: ProgressCallback) -> Report:
        """Give the report that sets both answers side by side."""
        question = _loaded(self.draft)
        told = question.why_not(self.forced, time_limit=self.time_limit, progress=progress)
        return why_not_report(question, told)


@dataclass(frozen=True, kw_only=True)
class Launch(Job):
    """Tell a framework the best design.

    Parameters
    ----------
    framework
        Its name.
    """

    framework: str

    def run(self, progress: ProgressCallback) -> str:
        """Give the command or the configuration."""
        question = _loaded(self.draft)
        result = _solved(self, question, progress)
        return emit_answer(Framework.named(self.framework), question, result).text


@dataclass(frozen=True, kw_only=True)
class Page(Job):
    """Write the report as one page of HTML."""

    def run(self, progress: ProgressCallback) -> str:
        """Give the page."""
        question = _loaded(self.draft)
        report = report_of(question, _solved(self, question, progress))
        cloud = None
        if report.designs:
            cloud = cloud_of(question.problem, question.evaluate, report.objectives)
        return report.to_page(cloud)


@lru_cache(maxsize=4)
def _loaded(draft: Draft) -> Question:
    return draft.loaded()


_last: dict[tuple[Draft, float], SearchResult] = {}
"""The last answer of this process."""


def _solved(job: Job, question: Question, progress: ProgressCallback) -> SearchResult:
    """Answer a question; what was answered last is not answered again."""
    key = (job.draft, job.time_limit)
    if key in _last:
        return _last[key]
    result = question.solve(time_limit=job.time_limit, progress=progress)
    _last.clear()
    if not current().came:  # else it is what there was when nobody wanted it any more
        _last[key] = result
    return result
