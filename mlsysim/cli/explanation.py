"""``mlsysim explain``: what binds the best design, or why nothing fits."""

import sys
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from mlsysim.cli.answer import exit_status
from mlsysim.cli.columns import Sideways
from mlsysim.cli.console import console
from mlsysim.cli.progress import progress_line
from mlsysim.cli.rendering import answer_view
from mlsysim.cli.status import ExitStatus, errors_to_status
from mlsysim.core.question import Question, load
from mlsysim.results import Explanation
from mlsysim.results.sensitivity_table import cost_table, notes


def explain_file(file: Path, *, as_json: bool, **options: Any) -> ExitStatus:
    """Answer a question file and say why the answer is what it is.

    Parameters
    ----------
    file
        The question file.
    as_json
        Print the explanation for programs instead of tables for people.
    **options
        Those of `Question.explain`.
    """
    with errors_to_status(file):
        question = load(file)
        with progress_line(file.name) as progress:
            found = question.explain(progress=progress, **options)
        if as_json:
            sys.stdout.write(found.to_json() + "\n")
        else:
            console().print(_view(question, found))
    return exit_status(found.result.status)


def _view(question: Question, found: Explanation) -> RenderableType:
    """Show question and answer, and what each requirement costs."""
    parts = [
        Text(" ".join(question.text.split())),
        Text(),
        answer_view(question, found.result),
    ]
    if found.requirements:
        header, *cells = cost_table(found.requirements) or [[]]
        if cells:
            title = "What the best design meets, and what relaxing it would gain:"
            parts += [Text(), Text(title), Sideways(header, cells)]
        parts += [Text(), *map(Text, notes(found.result, found.requirements))]
        parts += _becauses(question, found)
    return Group(*parts)


def _becauses(question: Question, found: Explanation) -> list[Text]:
    """Recall why the planner insists on the constraints that bind."""
    lines = [
        Text(f"  {item.name}: {question.reasons[item.name]}")
        for item in found.binding
        if item.name in question.reasons
    ]
    return [Text(), Text("Why what binds is required:"), *lines] if lines else []
