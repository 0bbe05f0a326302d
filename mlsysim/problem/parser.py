"""Parse an expression by recursive descent; nothing is ever evaluated by Python.

::

    sum      = product (("+" | "-") product)*
    product  = signed (("*" | "/" | "//" | "%") signed)*
    signed   = ("-" | "+") signed | power
    power    = atom ["**" signed]
    atom     = number [unit] | name | "text" | "(" sum ")" | function "(" sum ("," sum)* ")"

What NumPy prints for a number, ``np.float64(199.27)``, is that number.
"""

import math
import re
from contextlib import suppress

from mlsysim.errors import InputError, suggest
from mlsysim.printable import one_line
from mlsysim.problem.arithmetic import FUNCTIONS
from mlsysim.problem.nodes import (
    Binary,
    Call,
    Name,
    Negative,
    Node,
    NumberLiteral,
    TextLiteral,
    Truth,
)
from mlsysim.problem.source import Source
from mlsysim.problem.tokens import Token, TokenKind
from mlsysim.units import is_unit, near_units

_DEEPEST = 60
_MOST_OPERATIONS = 200
_MOST_STEPS = 16
_SHOWN = 40
# What Python prints for a number, a truth value or a text of NumPy.
_NUMPY = re.compile(r"(?:np|numpy)\.(?:float|longdouble|u?int|u?longlong|str|bool)\d*_?")
_NO_NUMBERS = {"nan", "inf", "infinity"}
_NUMPY_TRUTHS = {f"{module}.{word}_" for module in ("np", "numpy") for word in ("True", "False")}


class Parser:
    """Reads the words of one expression from left to right.

    Parameters
    ----------
    source
        The text, for messages.
    tokens
        Its words; the last one is an end.
    """

    def __init__(self, source: Source, tokens: list[Token]) -> None:
        self._source = source
        self._tokens = tokens
        self._position = 0
        self._depth = 0
        self._operations = 0

    def parse(self) -> Node:
        """Read the whole expression.

        Raises
        ------
        InputError
            If it is malformed; of the class that the source asks for.
        """
        node = self._sum()
        token = self._token
        if token.kind is not TokenKind.END:
            raise self._unexpected(token)
        return node

    @property
    def _token(self) -> Token:
        return self._tokens[self._position]

    def _next(self) -> Token:
        token = self._token
        self._position += 1
        return token

    def _at(self, *signs: str) -> bool:
        return self._token.kind is TokenKind.OPERATOR and self._token.text in signs

    def _sum(self) -> Node:
        node = self._product()
        while self._at("+", "-"):
            sign = self._next().text
            node = self._binary(sign, node, self._product())
        return node

    def _product(self) -> Node:
        node = self._signed()
        while self._at("*", "/", "//", "%"):
            operator = self._next()
            self._refuse_percent_sign(operator)
            node = self._binary(operator.text, node, self._signed())
        return node

    def _binary(self, sign: str, left: Node, right: Node) -> Node:
        """Join two operands; each may be as long as what has been read so far."""
        self._operations += 1
        if self._operations > _MOST_OPERATIONS:
            raise self._source.fault(
                f"it has more than {_MOST_OPERATIONS} operations; compute a part of it in a stage"
            )
        return Binary(sign=sign, left=left, right=right)

    def _signed(self) -> Node:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise self._source.fault(f"it is nested more than {_DEEPEST} levels deep")
        if self._at("-"):
            self._next()
            node: Node = Negative(operand=self._signed())
        elif self._at("+"):
            self._next()
            node = self._signed()
        else:
            node = self._power()
        self._depth -= 1
        return node

    def _power(self) -> Node:
        first = self._token
        base = self._atom()
        if not self._at("**"):
            return base
        operator = self._next()
        if first.kind is TokenKind.NUMBER and isinstance(base, NumberLiteral) and base.unit:
            start = first.start
            text = self._source.text[start : operator.start].strip()
            corrected = self._source.replaced(start, operator.start, f"({text}) ")
            raise self._source.fault("it is unclear what the power is of", corrected)
        return self._binary("**", base, self._signed())

    def _atom(self) -> Node:
        token = self._next()
        match token.kind:
            case TokenKind.NUMBER:
                return self._number(token)
            case TokenKind.TEXT:
                return TextLiteral(value=token.text[1:-1])
            case TokenKind.NAME:
                return self._named(token)
            case _:
                if token.text == "(":
                    node = self._sum()
                    self._close(token)
                    return node
                raise self._unexpected(token, wanted="a number or a name")

    def _named(self, token: Token) -> Node:
        """Read what begins with a name."""
        if self._at("("):
            return self._numpy(token) if _NUMPY.fullmatch(token.text) else self._call(token)
        if token.text in _NUMPY_TRUTHS or token.text.lower() in ("true", "false"):
            return Truth(value="true" in token.text.lower())
        if token.text.lower() in _NO_NUMBERS:
            raise self._source.fault(
                f"{token.text!r} is no number to calculate with; write one, or leave this out"
            )
        if token.text.count(".") >= _MOST_STEPS:
            raise self._source.fault(
                f"a name in it has more than {_MOST_STEPS} parts; no metric lies that deep"
            )
        return Name(path=token.text)

    def _numpy(self, name: Token) -> Node:
        """Read ``np.float64(199.27)``, which is how NumPy's numbers print in an f-string."""
        opening = self._next()
        negative = self._at("-") and self._next()
        token = self._next()
        node: Node
        if token.kind is TokenKind.NUMBER:
            self._close(opening)
            node = self._number(token)
        elif token.kind is TokenKind.TEXT and not negative:
            self._close(opening)
            node = TextLiteral(value=token.text[1:-1])
        else:
            inside = self._source.text[token.start : token.stop]
            raise self._source.fault(f"{name.text}({inside}...) holds no number; write one")
        return Negative(operand=node) if negative else node

    def _number(self, token: Token) -> Node:
        try:
            value = float(token.text)
        except ValueError:
            raise self._source.fault(f"{token.text!r} is not a number") from None
        if math.isinf(value):
            raise self._source.fault(f"the number {one_line(token.text, _SHOWN)} is too large")
        with suppress(ValueError):
            value = int(token.text)
        word = self._token
        if word.kind is not TokenKind.NAME:
            return NumberLiteral(text=token.text, value=value)
        self._next()
        if not is_unit(word.text):
            known = near_units(word.text)
            raise self._source.fault(
                f"{word.text!r} after {token.text} is not a unit{known}"
                if known
                else f"{token.text} and {word.text!r} need an operator between them, "
                f"e.g. '{token.text} * {word.text}'"
            )
        return NumberLiteral(text=token.text, value=value, unit=word.text)

    def _call(self, name: Token) -> Node:
        function = FUNCTIONS.get(name.text)
        if function is None:
            known = suggest(name.text, FUNCTIONS)
            raise self._source.fault(f"{name.text!r} is not a function{known}")
        opening = self._next()
        if self._at(")"):
            raise self._source.fault(f"{name.text}() needs something between the parentheses")
        arguments = [self._sum()]
        while self._at(","):
            self._next()
            arguments.append(self._sum())
        self._close(opening)
        if len(arguments) < function.least or (function.least == 1 and len(arguments) > 1):
            wanted = "at least two arguments" if function.least > 1 else "one argument"
            raise self._source.fault(f"{name.text} takes {wanted}, not {len(arguments)}")
        return Call(function=function, arguments=tuple(arguments))

    def _close(self, opening: Token) -> None:
        if not self._at(")"):
            token = self._token
            if token.kind is TokenKind.END:
                raise self._source.fault(
                    f"the parenthesis at position {opening.start + 1} is never closed"
                )
            raise self._unexpected(token)
        self._next()

    def _refuse_percent_sign(self, operator: Token) -> None:
        if operator.text == "%" and (self._token.kind is TokenKind.END or self._at(")", ",")):
            number = self._tokens[self._position - 2]
            corrected = self._source.replaced(number.stop, operator.stop, " percent")
            raise self._source.fault("'%' is the remainder of a division", corrected)

    def _unexpected(self, token: Token, wanted: str = "an operator") -> InputError:
        if token.kind is TokenKind.END:
            return self._source.fault(f"{wanted} is missing at the end")
        if token.kind is TokenKind.RELATION:
            return self._source.fault(f"{wanted} is missing before {token.text!r}")
        if token.text == ",":
            return self._source.fault(
                "',' separates the arguments of a function; write large numbers without it, "
                "e.g. 1_000"
            )
        if token.text == ")":
            return self._source.fault(f"the ')' at position {token.start + 1} was never opened")
        return self._source.fault(
            f"{wanted} is missing before {token.text!r} at position {token.start + 1}"
        )
