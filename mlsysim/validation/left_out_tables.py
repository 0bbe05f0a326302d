"""Errors of left-out rows, summarised by what rows share."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlsysim.validation.left_out import Distance


@dataclass(frozen=True, kw_only=True)
class LeftOutLine:
    """The errors of some figures, as absolute logarithms of predicted over measured.

    Parameters
    ----------
    name
        What they share.
    rows
        How many.
    fitted, mean, median, p90
        The mean by constants fitted to all rows; mean, median and what nine in ten stay below,
        their source left out.
    bias
        The mean with its sign: positive where predictions are too slow.
    """

    HEADER: ClassVar[str] = (
        f"{'':52s}{'rows':>5s}{'fitted':>8s}{'left out':>9s}{'median':>8s}{'p90':>7s}{'bias':>7s}"
    )

    name: str
    rows: int
    fitted: float
    mean: float
    median: float
    p90: float
    bias: float

    @classmethod
    def of(cls, name: str, distances: Iterable[Distance]) -> "LeftOutLine":
        """Summarise some figures."""
        known = list(distances)
        left_out = np.array([one.left_out for one in known])
        absolute = np.abs(left_out)
        return cls(
            name=name,
            rows=len(known),
            fitted=float(np.mean([abs(one.fitted) for one in known])),
            mean=float(absolute.mean()),
            median=float(np.median(absolute)),
            p90=float(np.quantile(absolute, 0.9)),
            bias=float(left_out.mean()),
        )

    def __str__(self) -> str:
        cells = (100 * one for one in (self.fitted, self.mean, self.median, self.p90))
        fitted, mean, median, p90 = (f"{cell:.1f}" for cell in cells)
        bias = f"{100 * self.bias:+.1f}"
        return f"{self.name:52s}{self.rows:5d}{fitted:>8s}{mean:>9s}{median:>8s}{p90:>7s}{bias:>7s}"


def lines_by(distances: Iterable[Distance], key: Callable[[Distance], str]) -> list[LeftOutLine]:
    """Summarise figures by what they share, in the order of its name."""
    shared: dict[str, list[Distance]] = {}
    for distance in distances:
        shared.setdefault(key(distance), []).append(distance)
    return [LeftOutLine.of(name, shared[name]) for name in sorted(shared)]
