"""How far the package's models were from measured runs, by kind of prediction.

A kind is a model, a family of accelerators, and dense models or mixtures of
experts.  Predicting hundreds of runs takes seconds, so the figures are
recorded, by `mlsysim.report.recording`.
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from mlsysim.problem.space import SearchSpace
from mlsysim.report.markup import asset
from mlsysim.stages.evidence import BASES, Evidence, evidence_of

FILE = "accuracy.toml"
"""The record; it stands beside this module."""

_FEW = 10
"""Below so many runs, the largest error is told instead of what nine in ten stay below."""

_KINDS = {"dense": "dense models", "mixture": "mixtures of experts"}

Kind = tuple[str, str, str]
"""Model, family of accelerators, ``"dense"`` or ``"mixture"``."""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What was measured of one kind of prediction.

    Parameters
    ----------
    rows, fitted
        How many runs, and how many of them the constants are fitted to.
    median, p90, worst
        Of the absolute relative errors.
    accelerators
        Accelerator of the family -> how many of the runs were on it.
    """

    rows: int
    fitted: int
    median: float
    p90: float
    worst: float
    accelerators: Mapping[str, int]


@cache
def recorded() -> Mapping[Kind, Measured]:
    """Read the record."""
    table = tomllib.loads(asset(FILE))
    return {
        (entry.pop("stage"), entry.pop("family"), entry.pop("kind")): Measured(**entry)
        for entry in table["kinds"]
    }


def measured_for(evidence: Evidence) -> tuple[str, Measured] | None:
    """Give what was measured of a kind, or of the model whose passes it puts together.

    Returns
    -------
    tuple or None
        The model that was measured, and what came of it; nothing where neither was.
    """
    for stage in (evidence.stage, BASES.get(evidence.stage, evidence.stage)):
        found = recorded().get((stage, evidence.family, evidence.kind))
        if found is not None:
            return stage, found
    return None


def accuracy_of(result: Any) -> tuple[str, ...]:
    """Say how exact the models are that evaluated a design.

    Parameters
    ----------
    result
        The result of a pipeline.
    """
    alike: dict[object, list[Evidence]] = {}
    for item in evidence_of(result):
        family = item.family if measured_for(item) else ""
        alike.setdefault((item.stage, family, item.kind), []).append(item)
    return tuple(map(_told, alike.values()))


def accuracy_data(result: Any) -> list[dict[str, Any]]:
    """Give the same for programs.

    Parameters
    ----------
    result
        The result of a pipeline.
    """
    return [_data(item) for item in evidence_of(result)]


def unmeasured_winners(
    space: SearchSpace, params: Mapping[str, Any], result: Any
) -> tuple[str, ...]:
    """Say where a choice crosses measured and unmeasured hardware, and the winner is unmeasured.

    Parameters
    ----------
    space
        The choices.
    params, result
        The design that won, and what its pipeline returned.
    """
    return tuple(dict.fromkeys([*_crossed(space, params, result), *_crossed_designs(result)]))


def _crossed(space: SearchSpace, params: Mapping[str, Any], result: Any) -> Iterator[str]:
    given = getattr(result, "arguments", {})
    for choice, value in params.items():
        takers = [name for name, taken in given.items() if taken is value]
        if not hasattr(value, "has") or not takers:  # only records have figures of their own
            continue
        for argument in takers:
            won = _unmeasured(evidence_of(result))
            lost = {
                item.accelerator
                for other in space[choice].values
                for item in evidence_of(result, {argument: other})
                if _is_measured(item)
            }
            if won and lost:
                yield _crossing(choice, won, lost)


def _crossed_designs(result: Any) -> Iterator[str]:
    designs = getattr(result, "arguments", {}).get("designs", ())
    won = _unmeasured(evidence_of(result))
    lost = {item.accelerator for one in designs for item in one.evidence if _is_measured(item)}
    if designs and won and lost:
        yield _crossing("the mix", won, lost)


def _crossing(choice: str, won: list[str], lost: set[str]) -> str:
    return (
        f"{choice}: {', '.join(won)} won without a measured run behind the prediction, which "
        f"{', '.join(sorted(lost))} {'has' if len(lost) == 1 else 'have'}"
    )


def _unmeasured(items: tuple[Evidence, ...]) -> list[str]:
    return list(dict.fromkeys(item.accelerator for item in items if not _is_measured(item)))


def _is_measured(item: Evidence) -> bool:
    found = measured_for(item)
    return found is not None and item.accelerator in found[1].accelerators


def _told(alike: list[Evidence]) -> str:
    """Tell what was measured of predictions that differ in the accelerator of a family alone."""
    first = alike[0]
    measured = measured_for(first)
    kind = _KINDS[first.kind]
    if measured is None:
        names = ", ".join(item.accelerator for item in alike)
        families = {item.family for item in alike if item.family != item.accelerator}
        nor = f", nor on another {' or '.join(sorted(families))}" if families else ""
        return f"{first.stage}: no measured run of {kind} on {names}{nor}"
    stage, found = measured
    base = "" if stage == first.stage else f"as {stage}, "
    spread = (
        f"nine in ten within {100 * found.p90:.0f} %"
        if found.rows >= _FEW
        else f"none beyond {100 * found.worst:.0f} %"
    )
    own = [
        f"{found.accelerators.get(item.accelerator, 0) or 'none'} on {item.accelerator}"
        for item in alike
    ]
    return (
        f"{first.stage}: {base}median error {100 * found.median:.1f} %, {spread}, on "
        f"{found.rows:,} measured run{'s' if found.rows > 1 else ''} of {kind} on {first.family} "
        f"({', '.join(own)}), to {_share(found)}which its constants are fitted"
    )


def _share(found: Measured) -> str:
    """Say to how many of the runs constants are fitted, unless to all of them."""
    return "" if found.fitted == found.rows else f"{found.fitted or 'none'} of "


def _data(item: Evidence) -> dict[str, Any]:
    measured = measured_for(item)
    figures: dict[str, Any] = {"rows": 0, "rows_on_accelerator": 0}
    if measured is not None:
        found = measured[1]
        figures = {
            "rows": found.rows,
            "rows_on_accelerator": found.accelerators.get(item.accelerator, 0),
            "median": found.median,
            "p90": found.p90,
            "worst": found.worst,
        }
    return {
        "stage": item.stage,
        "accelerator": item.accelerator,
        "family": item.family,
        "kind": item.kind,
        **figures,
    }
