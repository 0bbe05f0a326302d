"""``mlsysim evaluate`` and ``explain --why-not``: a given design, and forced choices."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from mlsysim.cli.answer import exit_status
from mlsysim.cli.output import Output
from mlsysim.cli.progress import progress_line
from mlsysim.cli.status import ExitStatus, errors_to_status
from mlsysim.files.question import load
from mlsysim.files.settings import pairs
from mlsysim.report import report_at, why_not_report


def evaluate_file(
    file: Path,
    settings: Iterable[str],
    *,
    output: Output,
    framework: str | None = None,
    **options: Any,
) -> ExitStatus:
    """Evaluate one design of a question file, and list what it breaks.

    Parameters
    ----------
    file
        The question file.
    settings
        ``name=value`` of choices and of arguments of the models.
    output
        How the report is printed.
    framework
        Who is to run the designs, in place of what the file says.
    **options
        Those of `Question.solve`, for choices that are not given.
    """
    with errors_to_status(file):
        output.check()
        asked = pairs(settings, "--set")
        question = load(file, framework=framework)
        with progress_line(file.name) as progress:
            report = report_at(question, asked, progress=progress, **options)
        output.give(report, question)
    return exit_status(report.status)


def why_not_file(
    file: Path,
    settings: Iterable[str],
    *,
    output: Output,
    framework: str | None = None,
    **options: Any,
) -> ExitStatus:
    """Say what forcing some choices of a question file costs.

    Parameters
    ----------
    file
        The question file.
    settings
        ``name=value`` of choices.
    output
        How the report is printed.
    framework
        Who is to run the designs, in place of what the file says.
    **options
        Those of `Question.solve`, for each of the two answers.
    """
    with errors_to_status(file):
        output.check()
        question = load(file, framework=framework)
        given = pairs(settings, "--why-not")
        with progress_line(file.name) as progress:
            told = question.why_not(given, progress=progress, **options)
        report = why_not_report(question, told)
        output.give(report, question)
    return exit_status(report.status)
