"""Record what NumPy would do to arrays, instead of doing it.

A `Lane` stands for an array of numbers and takes part in NumPy's functions in its place; a rule
that is written for arrays, as those of `mlsysim.expr.ranges` are, is run on lanes once and has
left its instructions on a `Tape`.  So there is one version of every rule.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from mlsysim.expr.compiled.opcodes import Opcode

Operand = int
"""The place of an instruction on the tape."""


class UnrecordableError(Exception):
    """Something was done to a lane for which there is no instruction."""


@dataclass(frozen=True)
class Instruction:
    """One instruction.

    Parameters
    ----------
    opcode
        What it does; nothing for what is no business of the machine.
    operands
        The places of what it works on; of an input its row, and for a look-up the table.
    value
        The number that it is in every lane, without an opcode.
    function
        What NumPy does, without an opcode.
    """

    opcode: Opcode | None
    operands: tuple[Operand, ...] = ()
    value: float = 0.0
    function: np.ufunc | None = None

    @property
    def is_constant(self) -> bool:
        """Whether it is a number that is the same in every lane."""
        return self.opcode is None and self.function is None

    @property
    def is_number(self) -> bool:
        """Whether it is a row of numbers that the machine is given."""
        return self.opcode is Opcode.LOAD or self.function is not None


class Tape:
    """Instructions in the order in which they run; no two are the same.

    Attributes
    ----------
    instructions
        The instructions.
    """

    def __init__(self) -> None:
        self.instructions: list[Instruction] = []
        self._known: dict[Hashable, Operand] = {}

    def load(self, row: int) -> "Lane":
        """Read a row of numbers, one per lane."""
        return Lane(self, self._place((Opcode.LOAD, row), Opcode.LOAD, (row,)))

    def gather(self, row: int, table: int) -> "Lane":
        """Look up numbers in a table by a row of places."""
        key = (Opcode.GATHER, row, table)
        return Lane(self, self._place(key, Opcode.GATHER, (row, table)))

    def apply(self, opcode: Opcode, *inputs: Any) -> "Lane":
        """Record an instruction on lanes and numbers."""
        operands = tuple(map(self.operand, inputs))
        return Lane(self, self._place((opcode, *operands), opcode, operands))

    def call(self, function: np.ufunc, *inputs: Any) -> "Lane":
        """Record what NumPy has to do between two runs of the machine."""
        operands = tuple(map(self.operand, inputs))
        key = (function, *operands)
        if key not in self._known:
            self._known[key] = len(self.instructions)
            made = Instruction(opcode=None, operands=operands, function=function)
            self.instructions.append(made)
        return Lane(self, self._known[key])

    def operand(self, value: Any) -> Operand:
        """Give the place of a lane or of a number."""
        if isinstance(value, Lane):
            return value.place
        if np.ndim(value):
            raise UnrecordableError("an array of its own size meets lanes")
        number = float(value)
        key = (number.hex(),)
        if key not in self._known:
            self._known[key] = len(self.instructions)
            self.instructions.append(Instruction(opcode=None, value=number))
        return self._known[key]

    def _place(self, key: Hashable, opcode: Opcode, operands: tuple[int, ...]) -> Operand:
        if key not in self._known:
            self._known[key] = len(self.instructions)
            self.instructions.append(Instruction(opcode=opcode, operands=operands))
        return self._known[key]


class Lane(NDArrayOperatorsMixin):
    """An array that is not there yet.

    Parameters
    ----------
    tape
        Where its instructions go.
    place
        The instruction whose result it is.
    """

    # Of no size that anybody knows, as an array of one number per box has one.
    ndim = 1

    def __init__(self, tape: Tape, place: Operand) -> None:
        self.tape = tape
        self.place = place

    def __array_ufunc__(self, function: np.ufunc, method: str, *inputs: Any, **how: Any) -> Any:
        """Record a function of NumPy.

        The least of all lanes may be anything, and so may the greatest: rules then do what is
        right in every case.
        """
        if method == "reduce" and function in _LEAST_KNOWN:
            return _LEAST_KNOWN[function]
        if method != "__call__" or how or function.nout > 1:
            raise UnrecordableError(f"the machine has no {function.__name__} like that")
        record = _RECORDED.get(function.__name__)
        return record(self.tape, *inputs) if record else self.tape.call(function, *inputs)

    def __array_function__(self, function: Any, _: Any, inputs: Any, how: Any) -> "Lane":
        """Record a choice between two arrays."""
        if function is not np.where or how:
            raise UnrecordableError(f"the machine has no {function.__name__}")
        return self.tape.apply(Opcode.WHERE, *inputs)

    def astype(self, _: Any) -> "Lane":
        """Turn truth values into numbers, which they are here."""
        return self

    def min(self) -> float:
        """Give what is known of the least of all lanes."""
        return _LEAST_KNOWN[np.minimum]

    def max(self) -> float:
        """Give what is known of the greatest of all lanes."""
        return _LEAST_KNOWN[np.maximum]


def _swapped(opcode: Opcode) -> Callable[..., Lane]:
    return lambda tape, x, y: tape.apply(opcode, y, x)


def _plainly(opcode: Opcode) -> Callable[..., Lane]:
    return lambda tape, *inputs: tape.apply(opcode, *inputs)


def _other_than_nan(opcode: Opcode, end: float) -> Callable[..., Lane]:
    """Give the larger (smaller) of two numbers, of which one that is not a number does not count.

    Beside the end of all numbers the other one is it, where it is a number.
    """

    def record(tape: Tape, x: Any, y: Any) -> Lane:
        if isinstance(y, Lane) or y != end:
            both = tape.apply(opcode, x, y)
            one = tape.apply(Opcode.WHERE, tape.apply(Opcode.ISNAN, y), x, both)
        else:
            one = x
        return tape.apply(Opcode.WHERE, tape.apply(Opcode.ISNAN, x), y, one)

    return record


def _isfinite(tape: Tape, x: Any) -> Lane:
    return tape.apply(Opcode.LESS, tape.apply(Opcode.ABSOLUTE, x), np.inf)


def _square(tape: Tape, x: Any) -> Lane:
    return tape.apply(Opcode.MULTIPLY, x, x)


def _sign(tape: Tape, x: Any) -> Lane:
    below = tape.apply(Opcode.WHERE, tape.apply(Opcode.LESS, x, 0.0), -1.0, x)
    return tape.apply(Opcode.WHERE, tape.apply(Opcode.LESS, 0.0, x), 1.0, below)


def _is_across(tape: Tape, remainder: Any, divisor: Any) -> Lane:
    """Tell where what is left of a division is on the other side of zero than the divisor."""
    signs = [tape.apply(Opcode.LESS, side, 0.0) for side in (remainder, divisor)]
    return tape.apply(
        Opcode.LOGICAL_AND,
        tape.apply(Opcode.NOT_EQUAL, remainder, 0.0),
        tape.apply(Opcode.LOGICAL_XOR, *signs),
    )


def _remainder(tape: Tape, x: Any, y: Any) -> Lane:
    left = tape.apply(Opcode.FMOD, x, y)
    return tape.apply(
        Opcode.WHERE, _is_across(tape, left, y), tape.apply(Opcode.ADD, left, y), left
    )


def _floor_divide(tape: Tape, x: Any, y: Any) -> Lane:
    """Divide as NumPy does: the quotient of what is a multiple of the divisor, less one across."""
    left = tape.apply(Opcode.FMOD, x, y)
    quotient = tape.apply(Opcode.DIVIDE, tape.apply(Opcode.SUBTRACT, x, left), y)
    quotient = tape.apply(
        Opcode.WHERE,
        _is_across(tape, left, y),
        tape.apply(Opcode.SUBTRACT, quotient, 1.0),
        quotient,
    )
    whole = tape.apply(Opcode.FLOOR, quotient)
    short = tape.apply(Opcode.LESS, 0.5, tape.apply(Opcode.SUBTRACT, quotient, whole))
    rounded = tape.apply(Opcode.WHERE, short, tape.apply(Opcode.ADD, whole, 1.0), whole)
    by_zero = tape.apply(Opcode.EQUAL, y, 0.0)
    return tape.apply(Opcode.WHERE, by_zero, tape.apply(Opcode.DIVIDE, x, y), rounded)


# What is known of the extreme of all lanes, by NumPy's function.
_LEAST_KNOWN = {np.minimum: -np.inf, np.maximum: np.inf}
# NumPy's function -> what records it.
_RECORDED: dict[str, Callable[..., Lane]] = {
    **{
        opcode.value: _plainly(opcode)
        for opcode in Opcode
        if opcode not in {Opcode.GATHER, Opcode.LOAD, Opcode.WHERE}
    },
    "greater": _swapped(Opcode.LESS),
    "greater_equal": _swapped(Opcode.LESS_EQUAL),
    "bitwise_and": _plainly(Opcode.LOGICAL_AND),
    "bitwise_or": _plainly(Opcode.LOGICAL_OR),
    "bitwise_xor": _plainly(Opcode.LOGICAL_XOR),
    "invert": _plainly(Opcode.LOGICAL_NOT),
    "fmax": _other_than_nan(Opcode.MAXIMUM, -np.inf),
    "fmin": _other_than_nan(Opcode.MINIMUM, np.inf),
    "isfinite": _isfinite,
    "square": _square,
    "sign": _sign,
    "remainder": _remainder,
    "floor_divide": _floor_divide,
}
