"""Where a figure of the catalogue comes from, and how far to trust it."""

import enum
from dataclasses import dataclass


class Confidence(enum.StrEnum):
    """How well a figure is supported."""

    A = "A"
    """Two independent sources agree."""

    B = "B"
    """One good source."""

    C = "C"
    """An estimate, a conflict between sources, or not checked."""


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """The support of one figure, where it differs from that of its record.

    Parameters
    ----------
    source
        Who says so; empty for the source of the record.
    confidence
        How far to trust it; absent for the confidence of the record.
    note
        What a reader must know before using the figure.
    date
        When it was so, for what changes, such as a price; empty where that is not known.
    error
        Its relative standard error, where it was fitted; None where that is not known.
    """

    source: str = ""
    confidence: Confidence | None = None
    note: str = ""
    date: str = ""
    error: float | None = None


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One figure with its unit and its support, ready to be shown.

    Parameters
    ----------
    value
        The number, in the unit below.
    unit
        The unit in which the figure is usually quoted; empty for a plain number.
    source
        Who says so.
    confidence
        How far to trust it.
    note
        What a reader must know before using the figure.
    date
        When it was so; empty where that is not known.
    error
        Its relative standard error, where it was fitted: how far it moves when a source of the
        runs it is fitted to is left out.
    """

    value: float
    unit: str
    source: str
    confidence: Confidence
    note: str = ""
    date: str = ""
    error: float | None = None
