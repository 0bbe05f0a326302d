"""``mlsysim solve`` and ``explain``: answer a question file and print the answer."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, assert_never

from mlsysim.cli.cluster import cluster_options
from mlsysim.cli.output import Output
from mlsysim.cli.progress import progress_line
from mlsysim.cli.status import ExitStatus, errors_to_status
from mlsysim.cli.streams import complain
from mlsysim.files.question import Question, load
from mlsysim.report import report_of
from mlsysim.results import Explanation, SearchResult, Status
from mlsysim.results.formatting import count


def solve_file(file: Path, *, certificate: Path | None = None, **given: Any) -> ExitStatus:
    """Answer a question file; the other parameters are those of `answer_file`."""

    def solve(question: Question, **options: Any) -> SearchResult:
        found = question.solve(certificate=certificate, **options)
        told = found.statistics.extra.get("certificate")
        if told is not None:
            size = f"{count(told['parts'], 'part')}, {told['bytes']:,} bytes"
            complain(f"{certificate}: a proof ({size}); check it: mlsysim verify {certificate}")
        return found

    return answer_file(file, solve, **given)


def explain_file(file: Path, **given: Any) -> ExitStatus:
    """Answer a question file, and say why the answer is what it is."""
    return answer_file(file, Question.explain, **given)


def answer_file(
    file: Path,
    verb: Callable[..., SearchResult | Explanation],
    *,
    output: Output,
    dask: str | None = None,
    framework: str | None = None,
    **options: Any,
) -> ExitStatus:
    """Ask something about a question file, and print the answer.

    Parameters
    ----------
    file
        The question file.
    verb
        What to ask: a method of `Question`.
    output
        How the answer is printed.
    dask
        The address of a cluster that evaluates the designs, if they all have to be.
    framework
        Who is to run the designs, in place of what the file says.
    **options
        Those of the method.
    """
    with errors_to_status(file):
        output.check()
        question = load(file, framework=framework)
        with cluster_options(dask) as cluster, progress_line(file.name) as progress:
            answer = verb(question, progress=progress, **cluster, **options)
        report = report_of(question, answer)
        output.give(report, question)
    return exit_status(report.status)


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
