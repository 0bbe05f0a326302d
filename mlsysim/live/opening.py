"""Open a question on the page."""

from dataclasses import dataclass

from mlsysim.live.controls import Controls, controls_of
from mlsysim.search.options import ProgressCallback
from mlsysim.worker.jobs import WorkerJob


@dataclass(frozen=True, kw_only=True)
class Open(WorkerJob):
    """Check every name in a question, and list what can be moved in it."""

    def run(self, progress: ProgressCallback) -> Controls:  # noqa: ARG002
        """Give the controls."""
        return controls_of(self.question)
