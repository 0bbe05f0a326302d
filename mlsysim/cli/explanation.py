"""``mlsysim explain``: what binds the best design, or why nothing fits."""

import math
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from mlsysim.cli.answer import exit_status
from mlsysim.cli.progress import progress_line
from mlsysim.cli.rendering import answer_view
from mlsysim.cli.status import ExitStatus, errors_to_status
from mlsysim.core.question import Question, load
from mlsysim.problem.reading import read
from mlsysim.results import SearchResult, Status
from mlsysim.results.formatting import design, number, with_unit


def explain_file(file: Path, **options: Any) -> ExitStatus:
    """Answer a question file and say why the answer is what it is.

    For a best design, the question is solved again without each constraint in
    turn: a constraint binds where leaving it out allows a better design.

    Parameters
    ----------
    file
        The question file.
    **options
        Those of `Question.solve`.
    """
    console = Console()
    with errors_to_status(file):
        question = load(file)
        console.print(Text(" ".join(question.text.split())))
        console.print()
        with progress_line(file.name) as progress:
            result = question.solve(progress=progress, **options)
        console.print(answer_view(question, result))
        if result.status in {Status.OPTIMAL, Status.FEASIBLE}:
            console.print()
            console.print(_conditions_table(question, result))
            if question.problem.constraints:
                console.print()
                console.print(_price_table(question, result, options))
    return exit_status(result.status)


def _conditions_table(question: Question, result: SearchResult) -> Table:
    """List everything that the best design has to meet, and how much room is left."""
    table = Table(title="What the best design meets", title_justify="left", box=None)
    for title in ("requirement", "value", "limit", "room"):
        table.add_column(title, header_style="bold")
    reading = read(question.problem, result.best_params, result.best_result)
    for condition in reading.conditions:
        verdict = question.problem.constraint(condition.name) is None
        stage = condition.name.removesuffix(".feasible")
        name = f"{stage}: {condition.reason}" if verdict else condition.name
        if condition.relation is None:
            table.add_row(Text(name), "holds")
            continue
        value = with_unit(condition.left, condition.unit)
        limit = f"{condition.relation} {with_unit(condition.right, condition.unit)}"
        table.add_row(*map(Text, (name, value, limit, _room(condition.left, condition.right))))
    return table


def _price_table(question: Question, result: SearchResult, options: dict[str, Any]) -> Table:
    """Solve again without each constraint: one that binds is one that costs something."""
    title = "What each constraint costs"
    table = Table(title=title, title_justify="left", box=None)
    for heading in ("constraint", "without it", "because"):
        table.add_column(heading, header_style="bold", overflow="fold")
    for constraint in question.problem.constraints:
        with progress_line(f"without {constraint.name}") as progress:
            free = question.without(constraint.name).solve(
                progress=progress, **{**options, "top": 1}
            )
        reason = question.reasons[constraint.name]
        table.add_row(*map(Text, (constraint.name, _gain(result, free), reason)))
    return table


def _gain(result: SearchResult, free: SearchResult) -> str:
    if free.status is not Status.OPTIMAL:
        return "not known: stopped by the limit"
    if math.isclose(free.best_objective, result.best_objective, rel_tol=1e-9):
        return "no better: it does not bind"
    value = with_unit(free.best_objective, free.unit)
    return f"binds: {value} at {design(free.best_params)}"


def _room(value: float, limit: float) -> str:
    """Say how far a value is from its limit, relative to the limit."""
    return f"{abs(limit - value) / abs(limit):.1%}" if limit else number(limit - value)
