"""The parts of an expression: how each is evaluated and written."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from mlsysim.problem.arithmetic import Function, binary
from mlsysim.units import is_unit, quantity

Names = Callable[[str], Any]

# How tightly each form binds; an operand that binds less needs parentheses.
_SUM, _PRODUCT, _SIGN, _POWER, _ATOM = range(1, 6)
_LEVELS = {"+": _SUM, "-": _SUM, "*": _PRODUCT, "/": _PRODUCT, "//": _PRODUCT, "%": _PRODUCT}


@dataclass(frozen=True, kw_only=True)
class NumberLiteral:
    """A number, with a unit where one follows it."""

    text: str
    value: float
    unit: str = ""

    level = _ATOM

    @cached_property
    def constant(self) -> Any:
        """The number, or the quantity."""
        return quantity(self.value, self.unit) if self.unit else self.value

    def evaluate(self, names: Names) -> Any:  # noqa: ARG002 - the same for every node
        """Give the number."""
        return self.constant

    def __str__(self) -> str:
        return f"{self.text} {self.unit}" if self.unit else self.text


@dataclass(frozen=True, kw_only=True)
class Truth:
    """``true`` or ``false``."""

    value: bool

    level = _ATOM

    def evaluate(self, names: Names) -> Any:  # noqa: ARG002 - the same for every node
        """Give the truth value."""
        return self.value

    def __str__(self) -> str:
        return str(self.value).lower()


@dataclass(frozen=True, kw_only=True)
class TextLiteral:
    """A quoted text."""

    value: str

    level = _ATOM

    def evaluate(self, names: Names) -> Any:  # noqa: ARG002 - the same for every node
        """Give the text."""
        return self.value

    def __str__(self) -> str:
        return f'"{self.value}"' if "'" in self.value else f"'{self.value}'"


@dataclass(frozen=True, kw_only=True)
class Name:
    """A choice, a metric path, or a unit."""

    path: str

    level = _ATOM

    def evaluate(self, names: Names) -> Any:
        """Look the name up."""
        return names(self.path)

    def __str__(self) -> str:
        return self.path


@dataclass(frozen=True, kw_only=True)
class Negative:
    """A changed sign."""

    operand: "Node"

    level = _SIGN

    def evaluate(self, names: Names) -> Any:
        """Change the sign."""
        return binary("*", -1, self.operand.evaluate(names), str(self))

    def __str__(self) -> str:
        return f"-{_within(self.operand, _SIGN)}"


@dataclass(frozen=True, kw_only=True)
class Binary:
    """Two operands and the operator between them."""

    sign: str
    left: "Node"
    right: "Node"

    @property
    def level(self) -> int:
        """How tightly it binds."""
        return _LEVELS.get(self.sign, _POWER)

    def evaluate(self, names: Names) -> Any:
        """Apply the operator."""
        left, right = self.left.evaluate(names), self.right.evaluate(names)
        return binary(self.sign, left, right, str(self))

    def __str__(self) -> str:
        if self.sign == "**":
            base = f"({self.left})" if is_literal_quantity(self.left) else _within(self.left, _ATOM)
            return f"{base} ** {_within(self.right, _SIGN)}"
        if is_literal_quantity(self):  # 50 GB/s, as people write it
            return f"{self.left}{self.sign}{self.right}"
        left, right = _within(self.left, self.level), _within(self.right, self.level + 1)
        return f"{left} {self.sign} {right}"


@dataclass(frozen=True, kw_only=True)
class Call:
    """A function and its arguments."""

    function: Function
    arguments: tuple["Node", ...]

    level = _ATOM

    def evaluate(self, names: Names) -> Any:
        """Apply the function."""
        values = [argument.evaluate(names) for argument in self.arguments]
        return self.function(values, str(self))

    def __str__(self) -> str:
        return f"{self.function.name}({', '.join(str(argument) for argument in self.arguments)})"


Node = NumberLiteral | Truth | TextLiteral | Name | Negative | Binary | Call


def names_in(node: Node) -> Iterator[str]:
    """List the names that an expression mentions, in order of appearance."""
    match node:
        case Name():
            yield node.path
        case Negative():
            yield from names_in(node.operand)
        case Binary():
            yield from names_in(node.left)
            yield from names_in(node.right)
        case Call():
            for argument in node.arguments:
                yield from names_in(argument)
        case _:
            pass


def _within(node: Node, level: int) -> str:
    return str(node) if node.level >= level else f"({node})"


def is_literal_quantity(node: Node) -> bool:
    """Tell whether a node is a number with a unit, such as ``50 ms`` or ``50 GB/s``."""
    match node:
        case NumberLiteral():
            return bool(node.unit)
        case Binary(sign="/" | "*", left=left, right=Name(path=path)):
            return is_unit(path) and is_literal_quantity(left)
        case _:
            return False
