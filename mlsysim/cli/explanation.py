"""``mlsysim explain``: what binds the best design, or why nothing fits."""

from pathlib import Path
from typing import Any

from mlsysim.cli.answer import exit_status
from mlsysim.cli.output import Output
from mlsysim.cli.progress import progress_line
from mlsysim.cli.status import ExitStatus, errors_to_status
from mlsysim.files.question import load
from mlsysim.report import report_of


def explain_file(
    file: Path, *, output: Output, framework: str | None = None, **options: Any
) -> ExitStatus:
    """Answer a question file and say why the answer is what it is.

    Parameters
    ----------
    file
        The question file.
    output
        How the explanation is printed.
    framework
        Who is to run the designs, in place of what the file says.
    **options
        Those of `Question.explain`.
    """
    with errors_to_status(file):
        output.check()
        question = load(file, framework=framework)
        with progress_line(file.name) as progress:
            found = question.explain(progress=progress, **options)
        output.give(report_of(question, found), question)
    return exit_status(found.result.status)
