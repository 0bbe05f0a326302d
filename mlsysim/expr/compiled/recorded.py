"""A tape made ready for the machine: only what is needed, in as little memory as it needs."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlsysim.expr.compiled.assembly import FIELDS
from mlsysim.expr.compiled.machine import VectorMachine
from mlsysim.expr.compiled.opcodes import LANES, Opcode
from mlsysim.expr.compiled.tape import Operand, Tape

_NUMBERS = {opcode: number for number, opcode in enumerate(Opcode)}
# What the operands of these say is no place on the tape, or one that this run does not see.
_INPUTS = {None, Opcode.LOAD, Opcode.GATHER}


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """Instructions with their slots.

    Parameters
    ----------
    machine
        What runs them.
    code
        One instruction per row.
    constants
        The values of the first slots.
    slots
        How many slots there are.
    wanted
        The slots that are asked for.
    tables
        What is looked up, one table after the other.
    numbers
        The places on the tape of the rows of numbers that are read.
    places
        Which rows of places are read.
    sizes
        For each of these rows of places what all its numbers have to be below.
    """

    machine: VectorMachine
    code: NDArray[np.int32]
    constants: NDArray[np.float64]
    slots: int
    wanted: NDArray[np.int32]
    tables: NDArray[np.float64]
    numbers: tuple[int, ...]
    places: tuple[int, ...]
    sizes: NDArray[np.int64]

    def run(
        self, places: NDArray[np.int64], numbers: NDArray[np.float64], lanes: int
    ) -> NDArray[np.float64]:
        """Find what is wanted, one row for each.

        Parameters
        ----------
        places, numbers
            The inputs, one per row.
        lanes
            How many columns they have, as `padded` counts them.

        Raises
        ------
        IndexError
            If a place lies outside its tables.
        """
        if places.size and (places.min() < 0 or np.any(places.max(axis=1) >= self.sizes)):
            raise IndexError("a place lies outside the table that is looked up")
        room = np.empty((self.slots, LANES))
        room[: len(self.constants)] = self.constants[:, None]
        return self.machine.run(
            code=self.code,
            tables=self.tables,
            places=places,
            numbers=numbers,
            lanes=lanes,
            slots=room,
            wanted=self.wanted,
        )


def padded(lanes: int) -> int:
    """Give the number of lanes in whole blocks."""
    return -(-lanes // LANES) * LANES


class _Slots:
    """Deals out slots, those first that nothing needs any more."""

    def __init__(self, taken: int) -> None:
        self.count = taken
        self._free: list[int] = []

    def take(self) -> int:
        if not self._free:
            self._free.append(self.count)
            self.count += 1
        return self._free.pop()

    def free(self, slot: int) -> None:
        self._free.append(slot)


class _Rows:
    """Numbers what is used in the order in which it is first used."""

    def __init__(self) -> None:
        self.used: dict[int, int] = {}

    def __call__(self, item: int) -> int:
        return self.used.setdefault(item, len(self.used))


def recorded(
    machine: VectorMachine,
    tape: Tape,
    wanted: Sequence[Operand],
    tables: Sequence[NDArray[np.float64]],
) -> Recorded:
    """Leave out what nothing needs, and let results share slots where no one reads them again."""
    instructions = tape.instructions
    last = _last_uses(tape, wanted)
    needed = sorted(last)
    constants = [at for at in needed if instructions[at].is_constant]
    slot = {at: place for place, at in enumerate(constants)}
    slots = _Slots(len(constants))
    numbers, places, looked_up = _Rows(), _Rows(), _Rows()
    offsets: list[int] = []
    sizes: dict[int, int] = {}
    end = 0
    rows = []
    for at in needed:
        instruction = instructions[at]
        opcode, operands = instruction.opcode or Opcode.LOAD, instruction.operands
        if instruction.is_constant:
            continue
        match opcode:
            case Opcode.LOAD:
                read = [numbers(at)]
            case Opcode.GATHER:
                table = looked_up(operands[1])
                if table == len(offsets):
                    offsets.append(end)
                    end += tables[operands[1]].size
                row = places(operands[0])
                sizes[row] = tables[operands[1]].size
                read = [row, offsets[table]]
            case _:
                read = [slot[operand] for operand in operands]
                # A result may take the place of what is read for it: lane by lane that is first.
                for operand in dict.fromkeys(operands):
                    if last[operand] == at and not instructions[operand].is_constant:
                        slots.free(slot[operand])
        slot[at] = slots.take()
        row_of = [_NUMBERS[opcode], slot[at], *read]
        rows.append(row_of + [0] * (FIELDS - len(row_of)))
    return Recorded(
        machine=machine,
        code=np.array(rows, np.int32).reshape(-1, FIELDS),
        constants=np.array([instructions[at].value for at in constants], np.float64),
        slots=max(1, slots.count),
        wanted=np.array([slot[at] for at in wanted], np.int32),
        tables=np.concatenate([*(tables[table] for table in looked_up.used), np.zeros(1)]),
        numbers=tuple(numbers.used),
        places=tuple(places.used),
        sizes=np.array(list(sizes.values()), np.int64),
    )


def _last_uses(tape: Tape, wanted: Sequence[Operand]) -> dict[Operand, Operand]:
    """Tell for what is needed which instruction is the last to read it: none for what is wanted."""
    instructions = tape.instructions
    last: dict[Operand, Operand] = dict.fromkeys(wanted, len(instructions))
    for at in reversed(range(len(instructions))):
        instruction = instructions[at]
        if at in last and instruction.opcode not in _INPUTS:
            for operand in instruction.operands:
                last.setdefault(operand, at)
    return last
