"""The CP-SAT model of a question, open to its users.

Each choice is an integer variable of its name: its value where the values are
whole numbers, else its position.  `Encoding` says how every expression went in.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from ortools.sat.python import cp_model

from mlsysim.textfiles import write_text


class Kind(StrEnum):
    """How an expression went into the model."""

    TABLE = "table"
    LINEAR = "linear"
    PRODUCT = "product"
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
    kind: Kind
    size: int
    error: float


@dataclass(frozen=True, kw_only=True)
class CompiledModel:
    """A question as a CP-SAT model.

    Parameters
    ----------
    model
        The model; it may be extended and solved by itself.
    variables
        The integer variable of each choice.
    positions
        The position of each choice in its domain, as a linear expression.
    encodings
        How every expression went in.
    objective
        What is minimised, as a linear expression.
    """

    model: cp_model.CpModel
    variables: Mapping[str, cp_model.IntVar]
    positions: Mapping[str, cp_model.LinearExprT]
    encodings: tuple[Encoding, ...]
    objective: cp_model.LinearExprT

    @property
    def proto(self) -> Any:
        """The model as a CP-SAT protocol buffer."""
        return self.model.proto

    def export(self, path: str | Path) -> None:
        """Write the model as a CP-SAT proto in text form.

        Raises
        ------
        OutputError
            If the file cannot be written; one that was there before is as it was.
        """
        write_text(Path(path), str(self.model.proto))
