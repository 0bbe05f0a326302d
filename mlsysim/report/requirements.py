"""What the best design has to meet: how close it comes to each limit."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mlsysim.problem.problem import Problem
from mlsysim.problem.reading import Condition
from mlsysim.results import Sensitivity
from mlsysim.results.blocks import TableBlock, table_of
from mlsysim.results.formatting import count, number, share_of, with_unit
from mlsysim.results.sensitivity_table import cost_table
from mlsysim.units import magnitude, quantity

if TYPE_CHECKING:
    from mlsysim.report.report import Report


def requirement_of(problem: Problem, condition: Condition) -> Sensitivity:
    """Describe one requirement at a design, in the unit in which the user wrote it."""
    constraint = problem.constraint(condition.name)
    unit = condition.unit
    if constraint is not None and condition.relation is not None:
        unit = constraint.written_unit or unit
    left, right = (
        _in_unit(side, condition.unit, unit) for side in (condition.left, condition.right)
    )
    return Sensitivity(
        name=condition.name,
        reason=condition.reason,
        is_constraint=constraint is not None,
        left=left,
        relation=condition.relation,
        right=right,
        unit=unit,
        confidence=None if constraint is None else constraint.confidence,
    )


def requirement_table(report: "Report") -> TableBlock | None:
    """List the user's constraints with the room that is left, or what each costs."""
    if report.explanation is not None:
        title = "What the best design meets, and what relaxing it would gain:"
        return cost_table(report.requirements, title)
    header = ["constraint", "at the best" if report.is_search else "here", "limit", "room"]
    rows = [_row(item) for item in report.requirements if item.is_constraint]
    if not rows:
        return None
    return table_of([header, *rows], title="What it has to meet:", words=frozenset({0}))


def met_line(requirements: Sequence[Sensitivity]) -> list[str]:
    """Say in one line for each model what it demands, with the share of each limit."""
    lines = []
    verdicts = [item for item in requirements if not item.is_constraint]
    for name in dict.fromkeys(item.name for item in verdicts):
        own = [item for item in verdicts if item.name == name]
        used = [item for item in own if item.utilisation is not None]
        parts = [f"{item.reason} {used_text(item)}" for item in used]
        if bare := len(own) - len(used):
            parts.append(count(bare, "more condition"))
        lines.append(f"Limits of {name.removesuffix('.feasible')}: {'; '.join(parts)}.")
    return lines


def room(item: Sensitivity) -> str:
    """Say how much of a limit is left."""
    if item.slack is None:
        return "-"
    if item.is_tight:
        return "none"
    left = with_unit(item.slack, item.unit)
    return f"{left} ({share_of(item.slack, abs(item.right))})" if item.right else left


def _row(item: Sensitivity) -> list[str]:
    if item.relation is None:
        return [item.label, "-", item.reason, "-"]
    value = number(item.left) if isinstance(item.left, str) else with_unit(item.left, item.unit)
    limit = f"{item.relation} {with_unit(item.right, item.unit)}"
    return [item.label, value, limit, room(item)]


def used_text(item: Sensitivity) -> str:
    """Say how much of a limit from above is used."""
    used = f"{with_unit(item.left, item.unit)} of {with_unit(item.right, item.unit)}"
    return f"{used} ({share_of(item.left, item.right)})"


def _in_unit(side: Any, unit: str, wanted: str) -> Any:
    value = side if unit == wanted else magnitude(quantity(side, unit), wanted)
    return value.item() if hasattr(value, "item") else value


def room_share(item: Sensitivity) -> float | None:
    """Give the room that is left as a share of the limit, for limits from above."""
    return None if item.utilisation is None else 1.0 - item.utilisation
