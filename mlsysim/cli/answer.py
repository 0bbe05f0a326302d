"""``mlsysim solve``: answer a question file and print the answer."""

from pathlib import Path
from typing import Any, assert_never

from mlsysim.cli.cluster import cluster_options
from mlsysim.cli.output import Output
from mlsysim.cli.progress import progress_line
from mlsysim.cli.status import ExitStatus, errors_to_status
from mlsysim.files.question import load
from mlsysim.report import report_of
from mlsysim.results import Status


def solve_file(
    file: Path,
    *,
    output: Output,
    dask: str | None = None,
    framework: str | None = None,
    **options: Any,
) -> ExitStatus:
    """Answer a question file.

    Parameters
    ----------
    file
        The question file.
    output
        How the answer is printed.
    dask
        The address of a cluster that evaluates the designs, if they all have to be.
    framework
        Who is to run the designs, in place of what the file says.
    **options
        Those of `Question.solve`.
    """
    with errors_to_status(file):
        output.check()
        question = load(file, framework=framework)
        with cluster_options(dask) as cluster, progress_line(file.name) as progress:
            result = question.solve(progress=progress, **cluster, **options)
        output.give(report_of(question, result), question)
    return exit_status(result.status)


def exit_status(status: Status) -> ExitStatus:
    """Say which exit status an answer has."""
    match status:
        case Status.OPTIMAL | Status.FEASIBLE:
            return ExitStatus.ANSWERED
        case Status.INFEASIBLE:
            return ExitStatus.INFEASIBLE
        case Status.UNKNOWN:
            return ExitStatus.NO_ANSWER
        case _:
            assert_never(status)
