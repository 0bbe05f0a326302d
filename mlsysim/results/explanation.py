"""Why no design exists, in a few lines."""

from collections.abc import Mapping

from mlsysim.results.relaxation import Relaxation


def explain(
    grid_size: int,
    conflict: tuple[str, ...],
    reasons: Mapping[str, str],
    relaxations: tuple[Relaxation, ...],
    *,
    is_minimal: bool = True,
    designs_of: str = "",
) -> str:
    """Write the explanation of an infeasible result.

    Parameters
    ----------
    grid_size
        The number of designs.
    conflict
        The minimal conflict.
    reasons
        Member of the conflict -> its text, or the verdict's reasons.
    relaxations
        What each member would have to become.
    is_minimal
        Whether it is known that no member can be left out.
    designs_of
        What the designs are of, where that is a part of what was asked for.
    """
    number = "the one design" if grid_size == 1 else f"none of the {grid_size:,} designs"
    number += f" of {designs_of}" if designs_of else ""
    verb = "does not meet" if grid_size == 1 else "meets"
    lines = [f"INFEASIBLE (proven): {number} {verb} every requirement."]
    if not is_minimal:
        lines.append(
            "These exclude them all, but a limit came before it was known whether fewer do:"
        )
    elif len(conflict) == 1:
        lines.append("One requirement excludes them all:")
    elif conflict:
        lines.append("These exclude them all; without any one of them, the rest would not:")
    lines += [f"  {_member(name, reasons.get(name, ''))}" for name in conflict]
    if relaxations:
        lines.append("What each would have to become, with all others kept:")
        lines += [f"  {relaxation.text}" for relaxation in relaxations]
    return "\n".join(lines)


def _member(name: str, reason: str) -> str:
    return name if not reason or reason == name else f"{name}: {reason}"
