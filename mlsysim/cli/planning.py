"""``mlsysim plan``: which of several jobs runs when, on how many nodes, in which layout."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from mlsysim.cli.answer import exit_status
from mlsysim.cli.console import console
from mlsysim.cli.output import Output
from mlsysim.cli.progress import progress_line
from mlsysim.cli.rendering import stacked
from mlsysim.cli.status import ExitStatus, errors_to_status
from mlsysim.cli.streams import say
from mlsysim.files.plans.plan_file import load_plan
from mlsysim.files.settings import pairs


def plan_file(
    file: Path,
    settings: Iterable[str],
    *,
    output: Output,
    framework: str | None = None,
    **options: Any,
) -> ExitStatus:
    """Answer a plan's file, and print the plan.

    Parameters
    ----------
    file
        The file.
    settings
        ``key=value`` in place of what the file says.
    output
        How the plan is printed.
    framework
        Who is to run the jobs, in place of what the file says.
    **options
        Those of `FiledPlan.solve`.
    """
    with errors_to_status(file):
        output.check()
        plan = load_plan(file, pairs(settings, "--set"), framework=framework)
        with progress_line(file.name) as progress:
            result = plan.solve(progress=progress, **options)
        if output.as_json:
            say(result.to_json() + "\n")
        elif output.as_csv:
            say(result.to_csv())
        else:
            console().print(stacked(result.blocks()))
    return exit_status(result.status)
