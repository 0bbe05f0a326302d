"""How far predictions were from measured runs of sources that no constant had seen, by class.

A class is a model, a family of accelerators, dense models or mixtures of experts, and what was
measured.  ``python -m mlsysim.validation.calibrate`` writes the table, ``errors.toml`` beside this
module: each source is left out of the fit in turn and then predicted.  From the
quantiles of ``ln(measured / predicted)`` follow the intervals of predicted figures and the margins
of constraints with a confidence.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import Any, TypeVar

import numpy as np

from mlsysim.errors import ParameterError
from mlsysim.stages.evidence import BASES, Evidence, evidence_on

FILE = "errors.toml"
"""The table; it stands beside this module."""

LEVELS = tuple(round(0.05 * number, 2) for number in range(1, 20))
"""Levels of the quantiles that the table has; beyond them nothing can be said of some 20 rows."""

COVERAGE = 0.8
"""The share of measured runs that the intervals of predicted figures are to hold."""

# Keeps rounding of 0.95 and of 1 - 0.95 from mattering.
_ROUNDING = 1e-9


class Quantity(StrEnum):
    """What was measured."""

    STEP = "step"
    """The time of a training step."""
    FIRST = "first token"
    """The time to the first token."""
    TOKEN = "token"  # noqa: S105 - no password
    """The time of further tokens, of whole requests, or between answers."""
    MEMORY = "memory"
    """What the fullest accelerator holds."""


Parts = TypeVar("Parts")

ClassName = tuple[str, str, str, Quantity]
"""Model, family of accelerators, ``"dense"`` or ``"mixture"``, and what was measured."""


@dataclass(frozen=True, kw_only=True)
class ErrorClass:
    """What was measured of one kind of prediction.

    Parameters
    ----------
    rows, sources
        How many runs, and of how many sources.
    mean, median, p90
        Of the absolute logarithms of measured over predicted, each source left out in turn.
    fitted
        The mean of those by the constants of the catalogue.
    accelerators
        Accelerator of the family -> how many of the runs were on it.
    quantiles
        Of ln(measured / predicted) at `LEVELS`.
    """

    rows: int
    sources: int
    mean: float
    median: float
    p90: float
    fitted: float
    accelerators: Mapping[str, int]
    quantiles: tuple[float, ...]

    def factor(self, level: float) -> float:
        """Give measured over predicted that a share of the runs stays below."""
        return float(np.exp(np.interp(level, LEVELS, self.quantiles)))


@cache
def error_classes() -> Mapping[ClassName, ErrorClass]:
    """Read the table."""
    text = resources.files("mlsysim.stages").joinpath(FILE).read_text(encoding="utf-8")
    found: dict[ClassName, ErrorClass] = {}
    for entry in tomllib.loads(text)["classes"]:
        name = (*(entry.pop(key) for key in ("stage", "family", "kind")), entry.pop("quantity"))
        stage, family, kind, quantity = name
        entry["quantiles"] = tuple(entry["quantiles"])
        found[stage, family, kind, Quantity(quantity)] = ErrorClass(**entry)
    return found


def error_class(evidence: Evidence, quantity: Quantity) -> tuple[str, ErrorClass] | None:
    """Give what was measured of a kind, or of the model whose passes it puts together.

    Returns
    -------
    tuple or None
        The model that was measured, and what came of it; nothing where neither was.
    """
    for stage in (evidence.stage, BASES.get(evidence.stage, evidence.stage)):
        found = error_classes().get((stage, evidence.family, evidence.kind, quantity))
        if found is not None:
            return stage, found
    return None


def levels_of(coverage: float) -> tuple[float, float]:
    """Give the levels between which that share of the measured runs lies, as many beyond each.

    Raises
    ------
    ParameterError
        If the share is above 0.9 or not above 0.
    """
    if not 0 < coverage <= LEVELS[-1] - LEVELS[0] + _ROUNDING:
        raise ParameterError(
            f"coverage is {coverage!r}; it must be a number above 0, and 0.9 at most: there are "
            "too few measured runs to say more"
        )
    return (1 - coverage) / 2, (1 + coverage) / 2


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How much longer than predicted something takes, and how much more memory.

    Parameters
    ----------
    step, first, later
        Factors of a training step, of a prefill, and of decode passes.
    memory
        That of the memory.
    measured
        Whether runs of the class were measured at all; if not, the factors are one.
    """

    step: Any = 1.0
    first: Any = 1.0
    later: Any = 1.0
    memory: Any = 1.0
    measured: Any = True


MEASURED = "measured runs of its class"
"""The check by which a model tells, at a level, whether there are any."""

AS_PREDICTED = Pace()
"""The pace of a prediction itself."""


def times(parts: Parts, factor: Any) -> Parts:
    """Give a record in which every part is so many times as large."""
    if isinstance(factor, float) and factor == 1:
        return parts
    return type(parts)(**{name: factor * part for name, part in vars(parts).items()})


def pace_of(stage: str, fleet: Any, model: Any, level: float) -> Pace:
    """Give the pace that a share of the measured runs of a class keep.

    Parameters
    ----------
    stage
        The model that predicts.
    fleet, model
        On what, and of what.
    level
        The share of the runs.
    """
    return pace_of_evidence(evidence_on(stage, fleet, model), level)


def pace_of_evidence(evidence: Evidence, level: float) -> Pace:
    """Give the same of a kind of prediction.

    Parameters
    ----------
    evidence
        The kind.
    level
        The share of the runs.
    """
    factors = {
        quantity: found[1].factor(level)
        for quantity in Quantity
        if (found := error_class(evidence, quantity)) is not None
    }
    later = factors.get(Quantity.TOKEN, factors.get(Quantity.FIRST, 1.0))
    return Pace(
        step=factors.get(Quantity.STEP, 1.0),
        first=factors.get(Quantity.FIRST, later),
        later=later,
        memory=factors.get(Quantity.MEMORY, 1.0),
        measured=not factors.keys() <= {Quantity.MEMORY},
    )
