"""How expressions go into a CP-SAT model."""

from dataclasses import dataclass
from enum import StrEnum


class EncodingKind(StrEnum):
    """How an expression went into the model."""

    TABLE = "table"
    LINEAR = "linear"
    PRODUCT = "product"
    DISAGGREGATED = "product with a table"
    QUOTIENT = "quotient"
    PIECEWISE_LINEAR = "piecewise-linear"
    ROUNDED = "rounded"
    EXTREME = "maximum or minimum"
    LOGICAL = "logical"


@dataclass(frozen=True, kw_only=True)
class Encoding:
    """How one expression went into the model.

    Parameters
    ----------
    name
        The requirement, the objective, or an inner expression's text.
    kind
        The form.
    size
        Rows of a table, pieces of a piecewise-linear function, else 1.
    error
        The largest distance between the encoded and the true value; 0 where
        the encoding is exact.
    """

    name: str
    kind: EncodingKind
    size: int
    error: float
