"""``mlsysim pareto``: print the Pareto front of a question file, and draw it."""

import sys
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from mlsysim.cli.answer import exit_status
from mlsysim.cli.console import console
from mlsysim.cli.plotting import draw, require_drawable
from mlsysim.cli.progress import progress_line
from mlsysim.cli.rendering import COLOURS, becauses, with_unit
from mlsysim.cli.status import ExitStatus, errors_to_status
from mlsysim.cli.varying import varying
from mlsysim.core.question import Question, load
from mlsysim.problem.domain import label
from mlsysim.results import ParetoFront
from mlsysim.results.formatting import design, number


def front_of_file(file: Path, *, as_json: bool, plot: Path | None, **options: Any) -> ExitStatus:
    """Find the Pareto front of a question file.

    Parameters
    ----------
    file
        The question file; its ``[pareto]`` table names the objectives.
    as_json
        Print the front for programs instead of a table for people.
    plot
        Where to draw it; nowhere if not given.
    **options
        Those of `Question.pareto`.
    """
    with errors_to_status(file):
        question = load(file)
        if plot is not None:
            require_drawable(plot)
        with progress_line(file.name) as progress:
            front = question.pareto(progress=progress, **options)
        if plot is not None and front.points:
            draw(front, " ".join(question.text.split()), plot)
        if as_json:
            sys.stdout.write(front.to_json() + "\n")
        else:
            console().print(_front_view(question, front))
    return exit_status(front.status)


def _front_view(question: Question, front: ParetoFront) -> RenderableType:
    # The text of a front is its verdict and account, an empty line, and a plain table.
    verdict = Text(str(front).partition("\n\n")[0])
    verdict.stylize(COLOURS[front.status], 0, len(front.status))
    if not front.points:
        return Group(verdict, *becauses(question, front.conflict))
    same = {name: value for name, value in front[0].params.items() if name not in varying(front)}
    shared = [Text(f"All points have {design(same)}.")] if same else []
    return Group(verdict, *shared, Text(), _points_table(front))


def _points_table(front: ParetoFront) -> Table:
    choices = varying(front)
    table = Table(box=None, header_style="bold")
    metrics = [text.rpartition(".")[2] for text in front.objectives]
    measures = map(with_unit, metrics, front.units)
    for name in ("#", *choices, *measures):
        table.add_column(Text(name), justify="right", overflow="fold")
    for rank, point in enumerate(front, 1):
        chosen = [label(point.params[name]) for name in choices]
        row = [str(rank), *chosen, *map(number, point.objective_values)]
        table.add_row(*map(Text, row))
    return table
