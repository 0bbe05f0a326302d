"""What agents ask of the process, beyond what the page asks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mlsysim.report import Report, report_at, report_of
from mlsysim.results.what_if import Sweep
from mlsysim.search.options import ProgressCallback
from mlsysim.worker.jobs import WorkerJob


@dataclass(frozen=True, kw_only=True)
class CheckQuestion(WorkerJob):
    """Check every name and unit in a question, without answering it."""

    def run(self, progress: ProgressCallback) -> dict[str, Any]:
        """Say what it asks."""
        question = self.question
        question.prepare(time_limit=self.time_limit, progress=progress)
        problem = question.problem
        return {
            "objective": problem.objective.text,
            "choices": {name: len(domain.values) for name, domain in problem.space.items()},
            "designs": problem.space.size,
            "constraints": {item.name: item.text for item in problem.constraints},
        }


@dataclass(frozen=True, kw_only=True)
class Explain(WorkerJob):
    """Answer the question, and say what each requirement costs."""

    def run(self, progress: ProgressCallback) -> Report:
        """Give the report."""
        question = self.question
        limit = self.time_limit
        return report_of(
            question, question.explain(time_limit=limit, top=self.top, progress=progress)
        )


@dataclass(frozen=True, kw_only=True)
class Evaluate(WorkerJob):
    """Evaluate one given design.

    Parameters
    ----------
    settings
        Choice or argument of a model -> value as text.
    """

    settings: Mapping[str, str] = field(default_factory=dict)

    def run(self, progress: ProgressCallback) -> Report:
        """Give the report."""
        return report_at(
            self.question, self.settings, time_limit=self.time_limit, progress=progress
        )


@dataclass(frozen=True, kw_only=True)
class Vary(WorkerJob):
    """Answer the question for several values of something in it.

    Parameters
    ----------
    over
        Constraint, choice, argument of a model or new limit -> its values as text.
    """

    over: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def run(self, progress: ProgressCallback) -> Sweep:
        """Give the answers."""
        return self.question.sweep(self.over, time_limit=self.time_limit, progress=progress)
