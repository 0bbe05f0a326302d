"""``mlsysim solve --emit``: print what launches the best design."""

from pathlib import Path
from typing import Any

from mlsysim.cli.answer import exit_status
from mlsysim.cli.cluster import cluster_options
from mlsysim.cli.output import Output
from mlsysim.cli.progress import progress_line
from mlsysim.cli.status import ExitStatus, errors_to_status
from mlsysim.cli.streams import say
from mlsysim.emit import Framework, emit_answer, require_stage
from mlsysim.errors import ParameterError
from mlsysim.files.question import load
from mlsysim.printable import one_line
from mlsysim.report import report_of


def emit_file(
    file: Path,
    target: str,
    *,
    output: Output,
    dask: str | None = None,
    framework: str | None = None,
    **options: Any,
) -> ExitStatus:
    """Answer a question file, and tell a framework the best design.

    The command or configuration file is all that is printed, so that it can be redirected to a
    file; the verdict stands in its first line as a comment.  Where there is no design, what
    stands against one is printed as without ``--emit``.

    Parameters
    ----------
    file
        The question file.
    target
        For whom.
    output
        Must ask for nothing else.
    dask
        The address of a cluster that evaluates the designs, if they all have to be.
    framework
        Who is to run the designs, in place of what the file says.
    **options
        Those of `Question.solve`.
    """
    with errors_to_status(file):
        if output.as_json or output.as_csv or output.page is not None:
            raise ParameterError(
                "--emit prints what launches the best design and nothing else; drop --json, --csv "
                "and --html, or solve once more without --emit"
            )
        teller = Framework.named(target)
        question = load(file, framework=framework)
        require_stage(teller, question)
        with cluster_options(dask) as cluster, progress_line(file.name) as progress:
            result = question.solve(progress=progress, **cluster, **options)
        if result.top_candidates:
            verdict = str(result.headline())
            say(f"# {one_line(verdict)}\n{emit_answer(teller, question, result).text}")
        else:
            output.give(report_of(question, result), question)
    return exit_status(result.status)
