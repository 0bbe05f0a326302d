"""How large the errors of predictions are: by group, by accelerator, over all."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mlsysim.validation.outcome import Outcome


@dataclass(frozen=True, kw_only=True)
class Errors:
    """The errors of some rows, as fractions of what was measured.

    Parameters
    ----------
    rows
        Rows that were predicted and measured.
    mean, median, p90
        Of the absolute errors; the last is what nine in ten stay below, interpolated linearly.
    ln_mean
        The mean of the absolute logarithms of predicted over measured.
    bias
        The mean of the signed errors: positive where predictions are too large.
    worst
        The largest absolute error.
    """

    rows: int
    mean: float
    median: float
    p90: float
    ln_mean: float
    bias: float
    worst: float

    def to_dict(self) -> dict[str, float]:
        """Give the figures by name."""
        return dict(vars(self))


def errors_of(signed: Iterable[float]) -> Errors | None:
    """Summarise signed errors; None where there are none.

    Examples
    --------
    >>> found = errors_of([0.1, -0.3, 0.2])
    >>> round(found.mean, 3), round(found.median, 3), round(found.p90, 3), round(found.bias, 3)
    (0.2, 0.2, 0.28, 0.0)
    """
    errors = np.array(list(signed), dtype=float)
    if not errors.size:
        return None
    absolute = np.abs(errors)
    return Errors(
        rows=int(errors.size),
        mean=float(absolute.mean()),
        median=float(np.median(absolute)),
        p90=float(np.quantile(absolute, 0.9)),
        ln_mean=float(np.abs(np.log1p(errors)).mean()),
        bias=float(errors.mean()),
        worst=float(absolute.max()),
    )


@dataclass(frozen=True, kw_only=True)
class RowTally:
    """What became of some rows.

    Parameters
    ----------
    name
        What they share.
    rows
        How many there are.
    skipped
        How many of them were not predicted.
    errors
        Errors of the others; None where there are none.
    further
        Errors of what else was measured in some of them, such as the memory, by name.
    """

    name: str
    rows: int
    skipped: int
    errors: Errors | None
    further: Mapping[str, Errors]

    def to_dict(self) -> dict[str, object]:
        """Give the figures by name."""
        return {
            "rows": self.rows,
            "skipped": self.skipped,
            "error": self.errors.to_dict() if self.errors else None,
            **{f"{name}_error": errors.to_dict() for name, errors in self.further.items()},
        }


def tally(name: str, outcomes: Sequence[Outcome]) -> RowTally:
    """Summarise rows."""
    further: dict[str, list[float]] = {}
    for outcome in outcomes:
        for aspect, error in outcome.further_errors.items():
            further.setdefault(aspect, []).append(error)
    return RowTally(
        name=name,
        rows=len(outcomes),
        skipped=sum(outcome.skipped is not None for outcome in outcomes),
        errors=errors_of(found.error for found in outcomes if found.error is not None),
        further={
            aspect: found for aspect, signed in further.items() if (found := errors_of(signed))
        },
    )


def tallies(outcomes: Sequence[Outcome], key: Callable[[Outcome], str]) -> tuple[RowTally, ...]:
    """Summarise rows by what they share, in the order of their first appearance.

    Parameters
    ----------
    outcomes
        The rows.
    key
        What they share.
    """
    by_name: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        by_name.setdefault(key(outcome), []).append(outcome)
    return tuple(tally(name, found) for name, found in by_name.items())
