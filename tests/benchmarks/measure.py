"""Start a worker for a measurement, and keep what it reports."""

import json
import os
import statistics
import subprocess
import sys
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.answer import Answer
from benchmarks.contender import Contender

from mlsysim.results.status import Status

# A worker that does not stop at its own limit is ended after this.
_GRACE = 180.0


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """How one contender did on one question.

    Parameters
    ----------
    contender
        Who answered.
    seconds
        The time of every repeat; of an extrapolated measurement, its one time.
    cpu
        The seconds of processors of every repeat: what a busy machine does not stretch.
    answer
        The answer; `None` if there is none.
    mebibytes
        The peak memory of the process.
    extrapolated_from
        The question whose time was scaled by the number of designs; empty if
        this was measured.
    error
        Why there is no answer.
    """

    contender: Contender
    seconds: tuple[float, ...] = ()
    cpu: tuple[float, ...] = ()
    answer: Answer | None = None
    mebibytes: float | None = None
    extrapolated_from: str = ""
    error: str = ""

    @property
    def median(self) -> float | None:
        """The median time."""
        return statistics.median(self.seconds) if self.seconds else None

    @property
    def median_cpu(self) -> float | None:
        """The median of the seconds of processors."""
        return statistics.median(self.cpu) if self.cpu else None

    def to_dict(self) -> dict[str, Any]:
        """Give it as data for JSON."""
        return {**asdict(self), "median": self.median}


def measure(name: str, contender: Contender, *, repeats: int, limit: float) -> Measurement:
    """Let a contender answer a question in a process of its own.

    Parameters
    ----------
    name
        The question.
    contender
        Who answers.
    repeats
        How often.
    limit
        How many seconds each time may take.
    """
    command = [sys.executable, "-m", "benchmarks.worker", name, contender]
    try:
        run = subprocess.run(  # noqa: S603 - our own module
            [*command, str(repeats), str(limit)],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},  # as it is here
            capture_output=True,
            text=True,
            timeout=repeats * limit + _GRACE,
            check=True,
        )
    except subprocess.TimeoutExpired as late:
        return Measurement(contender=contender, error=f"ended after {late.timeout:.0f} s")
    except subprocess.CalledProcessError as failure:
        last = (failure.stderr.strip().splitlines() or [f"status {failure.returncode}"])[-1]
        return Measurement(contender=contender, error=last)
    report = json.loads(run.stdout.splitlines()[-1])
    if "error" in report:
        return Measurement(contender=contender, error=report["error"])
    answer = report["answer"]
    return Measurement(
        contender=contender,
        seconds=tuple(report["seconds"]),
        cpu=tuple(report["cpu"]),
        mebibytes=report["mebibytes"],
        answer=Answer(
            status=Status(answer["status"]),
            objectives=tuple(answer["objectives"]),
            bound=answer["bound"],
            details=answer["details"],
        ),
    )
