"""How answers look in a terminal: the verdict first, then the designs or the reasons."""

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from mlsysim.cli.columns import Sideways
from mlsysim.core.question import Question
from mlsysim.problem.domain import label
from mlsysim.problem.reading import read
from mlsysim.results import SearchResult, Status
from mlsysim.results.formatting import number

COLOURS = {
    Status.OPTIMAL: "bold green",
    Status.FEASIBLE: "bold yellow",
    Status.INFEASIBLE: "bold red",
    Status.UNKNOWN: "bold yellow",
}


def answer_view(question: Question, result: SearchResult) -> RenderableType:
    """Show an answer: the verdict, and the best designs or what stands against them.

    Parameters
    ----------
    question
        What was asked.
    result
        What was found.
    """
    # The text of a result is its verdict and account, an empty line, and a plain table.
    verdict = Text(str(result).partition("\n\n")[0])
    verdict.stylize(COLOURS[result.status], 0, len(result.status))
    if result.top_candidates:
        return Group(verdict, Text(), designs_table(question, result))
    return Group(verdict, *becauses(question, result.conflict))


def designs_table(question: Question, result: SearchResult) -> Sideways:
    """List the best designs with their objective and what the constraints limit.

    Parameters
    ----------
    question
        What was asked.
    result
        What was found; holds at least one design.
    """
    problem = question.problem
    readings = [read(problem, item.params, item.result) for item in result.top_candidates]
    metric = problem.objective.metric.rpartition(".")[2]
    limited = [with_unit(name, sides.unit) for name, sides in readings[0].sides.items()]
    header = ["#", *problem.space, with_unit(metric, result.unit), *limited]
    rows = []
    for rank, (item, reading) in enumerate(zip(result.top_candidates, readings, strict=True), 1):
        values = [number(item.objective_value), *(number(s.left) for s in reading.sides.values())]
        rows.append([str(rank), *map(label, item.params.values()), *values])
    return Sideways(header, rows)


def becauses(question: Question, conflict: Sequence[str]) -> list[Text]:
    """Recall why the planner insists on the constraints in conflict.

    Parameters
    ----------
    question
        What was asked.
    conflict
        The names in conflict.
    """
    lines = [
        Text(f"  {name}: {question.reasons[name]}") for name in conflict if name in question.reasons
    ]
    return [Text("Why they are required:"), *lines] if lines else []


def with_unit(name: str, unit: str) -> str:
    """Write the head of a column: a name and the unit of its numbers."""
    return f"{name} [{unit}]" if unit else name
