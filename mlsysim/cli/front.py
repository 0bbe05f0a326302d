"""``mlsysim pareto``: print the Pareto front of a question file, and draw it."""

from pathlib import Path
from typing import Any

from mlsysim.cli.answer import exit_status
from mlsysim.cli.output import Output
from mlsysim.cli.pictures import require_drawable, save
from mlsysim.cli.progress import progress_line
from mlsysim.cli.status import ExitStatus, errors_to_status
from mlsysim.files.question import load
from mlsysim.plot.fronts import front as drawn
from mlsysim.printable import one_line
from mlsysim.report import report_of


def front_of_file(
    file: Path, *, output: Output, plot: Path | None, framework: str | None = None, **options: Any
) -> ExitStatus:
    """Find the Pareto front of a question file.

    Parameters
    ----------
    file
        The question file; its ``[pareto]`` table names the objectives.
    output
        How the front is printed.
    plot
        Where to draw it; nowhere if not given.
    framework
        Who is to run the designs, in place of what the file says.
    **options
        Those of `Question.pareto`.
    """
    with errors_to_status(file):
        output.check()
        question = load(file, framework=framework)
        if plot is not None:
            require_drawable(plot)
        with progress_line(file.name) as progress:
            front = question.pareto(progress=progress, **options)
        output.give(report_of(question, front), question)
        if plot is not None and front.points:
            save(drawn(front, one_line(question.text)).figure, plot)
    return exit_status(front.status)
