"""``mlsysim sweep``: a question for several values of a limit, a choice or an argument."""

import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from mlsysim.cli.answer import exit_status
from mlsysim.cli.cluster import cluster_options
from mlsysim.cli.console import console
from mlsysim.cli.output import Output
from mlsysim.cli.pictures import require_drawable, save
from mlsysim.cli.progress import progress_line
from mlsysim.cli.status import ExitStatus, errors_to_status
from mlsysim.cli.streams import say
from mlsysim.cli.tables import AdaptiveTable
from mlsysim.errors import ParameterError
from mlsysim.files.question import load
from mlsysim.plot.sweeps import sweep
from mlsysim.printable import csv_text, one_line
from mlsysim.results.plain import drawn
from mlsysim.results.what_if import Sweep

# A relation between a metric and its limits, which adds a constraint.
_OPEN = re.compile(r"\s*(?P<left>.*?(?:<=|>=|==|!=|<|>))(?P<values>.*)", re.DOTALL)
_WIDTH = 24


def sweep_file(
    file: Path,
    over: Iterable[str],
    *,
    output: Output,
    plot: Path | None,
    dask: str | None = None,
    framework: str | None = None,
    **options: Any,
) -> ExitStatus:
    """Answer a question file for several values of something in it.

    Parameters
    ----------
    file
        The question file.
    over
        ``name=value,value,...``, or ``metric<=limit,limit,...``.
    output
        How the table is printed.
    plot
        Where to draw the curve; nowhere if not given.
    dask
        The address of a cluster that answers the questions side by side.
    framework
        Who is to run the designs, in place of what the file says.
    **options
        Those of `Question.sweep`.
    """
    with errors_to_status(file):
        output.check()
        varied = dict(map(values_of, over))
        if plot is not None:
            require_drawable(plot)
        question = load(file, framework=framework)
        with cluster_options(dask) as cluster, progress_line(file.name) as progress:
            found = question.sweep(varied, progress=progress, **cluster, **options)
        if output.as_json:
            say(found.to_json() + "\n")
        elif output.as_csv:
            say(csv_text(found.rows()))
        else:
            console().print(_view(found))
        if plot is not None:
            sys.stdout.flush()  # the answer first: the picture may fail
            save(sweep(found, one_line(question.text)).figure, plot)
    return min(exit_status(point.result.status) for point in found.points)


def values_of(text: str) -> tuple[str, Sequence[str]]:
    """Take ``name=value,value`` apart.

    Raises
    ------
    ParameterError
        If there is no name, or no value.
    """
    match = _OPEN.fullmatch(text)
    name, _, values = (match[1], "", match[2]) if match else text.partition("=")
    steps = [value.strip() for value in values.split(",") if value.strip()]
    if not name.strip() or not steps:
        raise ParameterError(f"--over {text}: write a name and values, e.g. --over 'sla=20ms,50ms'")
    return name.strip(), steps


def _view(found: Sweep) -> RenderableType:
    """Show the table, each answer with a bar as long as its objective."""
    table = found.table()
    values = [point.result.best_objective if point.result else 0.0 for point in found.points]
    longest = max(map(abs, values), default=0.0)
    bars = [drawn(abs(value) / longest, _WIDTH) if longest else "" for value in values]
    cells: list[list[str | Text]] = [
        [*(cell.text for cell in row), Text(bar, style="cyan")]
        for row, bar in zip(table.rows, bars, strict=True)
    ]
    words = {len(table.header)}
    lines = AdaptiveTable([*table.header, ""], cells, words)
    return Group(Text(f"{found.objective}, for each:"), lines)
