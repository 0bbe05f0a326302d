"""Arithmetic over metrics, choices and numbers, as the user writes it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mlsysim.problem.nodes import (
    Name,
    Node,
    NumberLiteral,
    TextLiteral,
    is_literal_quantity,
    names_in,
)
from mlsysim.problem.parser import Parser
from mlsysim.problem.source import Source
from mlsysim.problem.tokens import tokens_of
from mlsysim.units import quantity, unit_of


@dataclass(frozen=True, kw_only=True)
class Expression:
    """A parsed expression; its text is written in one normal form.

    A number may be followed by a unit, which binds tighter than any operator:
    ``50 GB/s`` is (50 GB)/s.

    Parameters
    ----------
    node
        The outermost operation.

    Examples
    --------
    >>> Expression.parse("tp*pp+2 ** 3").evaluate({"tp": 4, "pp": 2}.__getitem__)
    16
    """

    node: Node

    @classmethod
    def parse(cls, text: str) -> "Expression":
        """Read an expression.

        Raises
        ------
        ConstraintError
            If it is malformed; the message shows the corrected text where it can.
        """
        source = Source(text=text)
        return cls(node=Parser(source, tokens_of(source)).parse())

    @property
    def text(self) -> str:
        """The expression in its normal form."""
        return str(self.node)

    def __str__(self) -> str:
        return self.text

    @property
    def names(self) -> tuple[str, ...]:
        """The choices, metrics and units that it mentions, each once."""
        return tuple(dict.fromkeys(names_in(self.node)))

    @property
    def is_bare_number(self) -> bool:
        """Whether it is a number alone, without a unit."""
        return isinstance(self.node, NumberLiteral) and not self.node.unit

    @property
    def is_number(self) -> bool:
        """Whether it is a number alone, with or without a unit."""
        return isinstance(self.node, NumberLiteral)

    @property
    def quoted(self) -> str | None:
        """The text, where the expression is one in quotes."""
        return self.node.value if isinstance(self.node, TextLiteral) else None

    @property
    def single_name(self) -> str | None:
        """The name, where the expression is one alone."""
        return self.node.path if isinstance(self.node, Name) else None

    @property
    def written_unit(self) -> str:
        """The unit that the user wrote, where the expression is a number with one."""
        if not is_literal_quantity(self.node):
            return ""
        return unit_of(self.node.evaluate(lambda name: quantity(1.0, name)))

    def evaluate(self, names: Callable[[str], Any]) -> Any:
        """Calculate.

        Only operators and NumPy's dispatch touch the values, so they may be
        numbers, arrays, quantities or traced values.

        Parameters
        ----------
        names
            Gives the value of a name.

        Raises
        ------
        UnitError
            If values of different dimensions are added or compared.
        """
        return self.node.evaluate(names)
