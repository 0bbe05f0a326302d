"""How far the package's models were from measured runs, by kind of prediction.

A kind is a model, a family of accelerators, dense models or mixtures of experts, and what was
measured; the errors are those for sources that no constant had seen
(`mlsysim.stages.error_classes`).
"""

from collections.abc import Iterator, Mapping
from typing import Any

from mlsysim.problem.space import SearchSpace
from mlsysim.results.formatting import count
from mlsysim.stages.error_classes import ErrorClass, Quantity, error_class
from mlsysim.stages.evidence import Evidence, evidence_of

_FEW = 10
"""Below so many runs, nothing is told of what nine in ten stay below."""

_KINDS = {"dense": "dense models", "mixture": "mixtures of experts"}
_WORDS = {
    Quantity.STEP: "",
    Quantity.FIRST: "first token ",
    Quantity.TOKEN: "further tokens ",
}
"""What is told in the first line, and how; memory is not."""


def accuracy_of(result: Any) -> tuple[str, ...]:
    """Say how exact the models are that evaluated a design."""
    alike: dict[object, list[Evidence]] = {}
    for item in evidence_of(result):
        family = item.family if classes_for(item) else ""
        alike.setdefault((item.stage, family, item.kind), []).append(item)
    return tuple(map(_told, alike.values()))


def accuracy_data(result: Any) -> list[dict[str, Any]]:
    """Give the same for programs."""
    return [_data(item) for item in evidence_of(result)]


def unmeasured_winners(
    space: SearchSpace, params: Mapping[str, Any], result: Any
) -> tuple[str, ...]:
    """Say where a choice crosses measured and unmeasured hardware, and the winner is unmeasured."""
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


def classes_for(item: Evidence) -> dict[Quantity, tuple[str, ErrorClass]]:
    """Give what was measured of a kind of prediction, each with the model that was measured."""
    found = {quantity: error_class(item, quantity) for quantity in _WORDS}
    return {quantity: one for quantity, one in found.items() if one is not None}


def _is_measured(item: Evidence) -> bool:
    return any(item.accelerator in one.accelerators for _, one in classes_for(item).values())


def _told(alike: list[Evidence]) -> str:
    """Tell what was measured of predictions that differ in the accelerator of a family alone."""
    first = alike[0]
    classes = classes_for(first)
    kind = _KINDS[first.kind]
    if not classes:
        names = ", ".join(item.accelerator for item in alike)
        families = {item.family for item in alike if item.family != item.accelerator}
        nor = f", nor on another {' or '.join(sorted(families))}" if families else ""
        return f"{first.stage}: no measured run of {kind} on {names}{nor}"
    parts = [_part(quantity, found, alike) for quantity, (_, found) in classes.items()]
    stages = {stage for stage, _ in classes.values()} - {first.stage}
    base = f"as {', '.join(sorted(stages))}, " if stages else ""
    return (
        f"{first.stage}: {base}median error on measured runs of {kind} on {first.family} that are "
        f"left out of the fit: {'; '.join(parts)}"
    )


def _part(quantity: Quantity, found: ErrorClass, alike: list[Evidence]) -> str:
    nine = f", nine in ten within {100 * found.p90:.0f} %" if found.rows >= _FEW else ""
    own = [
        f"{found.accelerators.get(item.accelerator, 0) or 'none'} on {item.accelerator}"
        for item in alike
    ]
    runs = f"{count(found.rows, 'run')}, {', '.join(own)}"
    return f"{_WORDS[quantity]}{100 * found.median:.1f} %{nine} ({runs})"


def _data(item: Evidence) -> dict[str, Any]:
    classes = classes_for(item)
    return {
        "stage": item.stage,
        "accelerator": item.accelerator,
        "family": item.family,
        "kind": item.kind,
        "rows": sum(found.rows for _, found in classes.values()),
        "rows_on_accelerator": sum(
            found.accelerators.get(item.accelerator, 0) for _, found in classes.values()
        ),
        "errors": {
            str(quantity): {
                "rows": found.rows,
                "sources": found.sources,
                "mean": found.mean,
                "median": found.median,
                "p90": found.p90,
            }
            for quantity, (_, found) in classes.items()
        },
    }
