"""What requirements cost, as the rows of a table and lines below it."""

from collections.abc import Iterator, Sequence

from mlsysim.results.formatting import design, number, with_unit
from mlsysim.results.result import SearchResult
from mlsysim.results.sensitivity import SHARES, Sensitivity, Trial

_BINDS = {True: "yes", False: "no", None: "not known"}


def headings() -> list[str]:
    """Give the heading of each column."""
    steps = [f"+{share:.0%}" for share in SHARES]
    return ["requirement", "at the best", "limit", "room", "binds", *steps, "without"]


def rows(requirements: Sequence[Sensitivity]) -> list[list[str]]:
    """Write each requirement that compares something; gains are in percent of the objective.

    Parameters
    ----------
    requirements
        What the best design meets.
    """
    return [_row(item) for item in requirements if item.relation is not None]


def _row(item: Sensitivity) -> list[str]:
    trials = [*(item.at(share) for share in SHARES), item.without]
    value = number(item.left) if isinstance(item.left, str) else with_unit(item.left, item.unit)
    limit = f"{item.relation} {with_unit(item.right, item.unit)}"
    return [item.label, value, limit, _room(item), _binds(item), *map(_gain, trials)]


def notes(result: SearchResult, requirements: Sequence[Sensitivity]) -> list[str]:
    """List the designs behind the gains, and whatever needs a word.

    Parameters
    ----------
    result
        The answer.
    requirements
        What the best design meets.
    """
    lines = [line for item in requirements for line in _notes(result, item)]
    bare = ", ".join(item.label for item in requirements if item.relation is None)
    return [*lines, f"Also met: {bare}."] if bare else lines


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
    return f"{item.slack / abs(item.right):.1%}"


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
