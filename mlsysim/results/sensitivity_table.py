"""What requirements cost, as the rows of a table and lines below it."""

from collections.abc import Iterator, Sequence

from mlsysim.results.blocks import TableBlock, table_of
from mlsysim.results.formatting import design, number, with_unit
from mlsysim.results.result import SearchResult
from mlsysim.results.sensitivity import SHARES, Sensitivity, Trial

_BINDS = {True: "yes", False: "no", None: "not known"}


def cost_table(requirements: Sequence[Sensitivity], title: str = "") -> TableBlock | None:
    """Write what the best design meets as a table, headings first.

    The user's constraints are all there, verdicts of models only where they
    bind; gains are in percent of the objective.

    Parameters
    ----------
    requirements
        What the best design meets.
    title
        What stands above it.

    Returns
    -------
    TableBlock or None
        Nothing where there is nothing to tell.
    """
    shown = [item for item in requirements if _is_row(item)]
    if not shown:
        return None
    steps = [f"+{share:.0%}" for share in SHARES]
    headings = ["requirement", "at the best", "limit", "room", "binds", *steps, "without"]
    return table_of([headings, *map(_row, shown)], title=title, words=frozenset({0}))


def _is_row(item: Sensitivity) -> bool:
    return item.relation is not None and (item.is_constraint or item.binds is not False)


def _row(item: Sensitivity) -> list[str]:
    trials = [*(item.at(share) for share in SHARES), item.without]
    value = number(item.left) if isinstance(item.left, str) else with_unit(item.left, item.unit)
    limit = f"{item.relation} {with_unit(item.right, item.unit)}"
    return [item.label, value, limit, _room(item), _binds(item), *map(_gain, trials)]


def notes(
    result: SearchResult, requirements: Sequence[Sensitivity], *, full: bool = True
) -> list[str]:
    """List the designs behind the gains, and whatever needs a word.

    Parameters
    ----------
    result
        The answer.
    requirements
        What the best design meets.
    full
        Whether what does not bind is listed too.
    """
    lines = [line for item in requirements for line in _notes(result, item)]
    met = [item for item in requirements if not _is_row(item)] if full else []
    for stage in dict.fromkeys(item.name for item in met):
        reasons = "; ".join(_met(item) for item in met if item.name == stage)
        lines.append(f"Also met by {stage.removesuffix('.feasible')}: {reasons}.")
    return lines


def _met(item: Sensitivity) -> str:
    """Name something that does not bind, with its share of the limit where it has one."""
    reason = item.name if item.is_constraint else item.reason
    if item.utilisation is None:
        return reason
    used = f"{with_unit(item.left, item.unit)} of {with_unit(item.right, item.unit)}"
    return f"{reason} {used} ({100 * item.utilisation:.1f} %)"


def _notes(result: SearchResult, item: Sensitivity) -> Iterator[str]:
    told = None
    for trial in (*item.relaxed, item.without):
        if trial is None:
            continue
        change = "without it" if trial.share is None else f"relaxed by {trial.share:.0%}"
        if trial.note:
            yield f"{item.label} {change}: {trial.note}"
        if not trial.is_better or trial.objective is None or trial.params == told:
            continue
        told = trial.params
        value = with_unit(trial.objective, result.unit)
        reached = "" if trial.left is None else f", {_reached(item, trial)}"
        yield f"{item.label} {change}: {value} at {design(trial.params or {})}{reached}"


def _reached(item: Sensitivity, trial: Trial) -> str:
    return f"where it is {with_unit(trial.left, item.unit)}"


def _room(item: Sensitivity) -> str:
    """Say how much room is left, relative to the limit where it has a size."""
    if item.slack is None:
        return ""
    if item.is_tight:
        return "none"
    if not item.right:
        return with_unit(item.slack, item.unit)
    return f"{100 * item.slack / abs(item.right):.1f} %"


def _binds(item: Sensitivity) -> str:
    return "no (tight)" if item.is_tight and item.binds is False else _BINDS[item.binds]


def _gain(trial: Trial | None) -> str:
    """Write a gain; one that is not proven to be the largest is marked."""
    if trial is None:
        return ""
    if trial.objective is None or trial.gain is None:
        return "?"
    more = "" if trial.is_proven else " or more"
    if not trial.gain:
        return "-" if trial.is_proven else "?"
    if trial.relative_gain is None:
        return number(trial.gain) + more
    return f"{_percent(100 * trial.relative_gain)} %{more}"


def _percent(value: float) -> str:
    """Write a percentage with three significant digits."""
    return f"{value:,.0f}" if value >= 100 else f"{value:#.3g}".rstrip(".")  # noqa: PLR2004
