"""``mlsysim solve``: answer a question file and print the answer."""

import sys
from pathlib import Path
from typing import Any, assert_never

from mlsysim.cli.console import console
from mlsysim.cli.progress import progress_line
from mlsysim.cli.rendering import answer_view
from mlsysim.cli.status import ExitStatus, errors_to_status
from mlsysim.core.question import load
from mlsysim.results import Status


def solve_file(file: Path, *, as_json: bool, **options: Any) -> ExitStatus:
    """Answer a question file on standard output.

    Parameters
    ----------
    file
        The question file.
    as_json
        Print the result for programs instead of a table for people.
    **options
        Those of `Question.solve`.
    """
    with errors_to_status(file):
        question = load(file)
        with progress_line(file.name) as progress:
            result = question.solve(progress=progress, **options)
        if as_json:
            sys.stdout.write(result.to_json() + "\n")
        else:
            console().print(answer_view(question, result))
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
