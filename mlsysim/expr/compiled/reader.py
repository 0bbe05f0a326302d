"""Read formulas by the machine: rows of inputs, a tape, rows of results."""

from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlsysim.expr.collecting import uncollected
from mlsysim.expr.compiled.machine import VectorMachine, is_loaded, machine
from mlsysim.expr.compiled.opcodes import Opcode
from mlsysim.expr.compiled.recorded import Recorded, padded, recorded
from mlsysim.expr.compiled.tape import Lane, Operand, Tape, UnrecordableError

# A pass of NumPy costs for each step as much as so many rows.
_OVERHEAD = 500
# To record a step for the machine takes as long as NumPy takes for so many rows of it; to load the
# machine first, as for so many rows of single steps.
_RECORDING = 1_000
_LOADING = 2_500_000

Array = NDArray[np.float64]


class Inputs:
    """What formulas are read from: lanes that stand for it, as they are asked for.

    Attributes
    ----------
    tape
        The instructions.
    numbers, places
        What the rows of numbers and of places are, in order.
    tables
        What is looked up, in order.
    """

    def __init__(self) -> None:
        self.tape = Tape()
        self.numbers: dict[Hashable, int] = {}
        self.places: dict[Hashable, int] = {}
        self.tables: list[Array] = []
        self._known: dict[int, int] = {}

    def number(self, key: Hashable) -> Lane:
        """Give a row of numbers."""
        return self.tape.load(self.numbers.setdefault(key, len(self.numbers)))

    def entry(self, key: Hashable, table: Array) -> Lane:
        """Look a row of places up in a table.

        Parameters
        ----------
        key
            Whose places: the same ones for all tables of this size.
        table
            The entries, flat.
        """
        row = self.places.setdefault(key, len(self.places))
        if id(table) not in self._known:
            self._known[id(table)] = len(self.tables)
            self.tables.append(table)
        return self.tape.gather(row, self._known[id(table)])


class Effort:
    """What NumPy has done for a reader, against what it would take to start the machine.

    Parameters
    ----------
    steps
        How many operations a pass has.
    """

    def __init__(self, steps: int) -> None:
        self._steps = steps
        self._rows = 0

    def pays(self, rows: int) -> bool:
        """Tell before a pass over so many rows whether to leave it to the machine."""
        spent = self._rows
        self._rows += rows + _OVERHEAD
        if spent < _RECORDING:
            return False
        return is_loaded() or spent * self._steps >= _LOADING


class CompiledReader:
    """Reads formulas over many boxes or designs.

    What only NumPy can do stands between runs of the machine: each run computes all that the
    calls of its stage need, and the last one what is wanted.

    Parameters
    ----------
    machine
        What computes.
    inputs
        What the formulas are made of.
    wanted
        The lanes, or numbers, that are asked for.
    """

    def __init__(self, machine: VectorMachine, inputs: Inputs, wanted: Sequence[Any]) -> None:
        tape, tables = inputs.tape, inputs.tables
        operands = [tape.operand(value) for value in wanted]
        self._tape = tape
        self._numbers, self._places = list(inputs.numbers), list(inputs.places)
        self._stages = [
            (calls, recorded(machine, tape, _arguments(tape, calls), tables))
            for calls in _stages(tape, operands)
        ]
        self._last = recorded(machine, tape, operands, tables)

    def read(
        self,
        count: int,
        number: Callable[[Any], Array],
        places: Callable[[Any], NDArray[np.int64]],
    ) -> Array:
        """Read every formula, one row for each."""
        found: dict[Operand, Array] = {}

        def run(stage: Recorded) -> Array:
            lanes = padded(count)
            numbers = np.zeros((len(stage.numbers), lanes))
            for row, at in enumerate(stage.numbers):
                if at not in found:
                    found[at] = number(self._numbers[self._tape.instructions[at].operands[0]])
                numbers[row, :count] = found[at]
            looked_up = np.zeros((len(stage.places), lanes), np.int64)
            for row, key in enumerate(stage.places):
                looked_up[row, :count] = places(self._places[key])
            return stage.run(looked_up, numbers, lanes)[:, :count]

        for calls, stage in self._stages:
            found |= self._called(calls, iter(run(stage)))
        return run(self._last)

    def _called(self, calls: Sequence[Operand], arguments: Iterator[Array]) -> dict[Operand, Array]:
        """Do what is left to NumPy."""
        found = {}
        with np.errstate(all="ignore"):
            for at in calls:
                call = self._tape.instructions[at]
                given = [next(arguments) for _ in call.operands]
                if call.function is not None:
                    found[at] = call.function(*given)
        return found


def _arguments(tape: Tape, calls: Sequence[Operand]) -> list[Operand]:
    return [operand for at in calls for operand in tape.instructions[at].operands]


def _stages(tape: Tape, wanted: Sequence[Operand]) -> list[list[Operand]]:
    """Part the calls of NumPy that something needs by how many of them come one after another."""
    needed = set(wanted)
    depth: dict[Operand, int] = {}
    for at in reversed(range(len(tape.instructions))):
        instruction = tape.instructions[at]
        if at in needed and instruction.opcode not in {Opcode.LOAD, Opcode.GATHER}:
            needed.update(instruction.operands)
    stages: list[list[Operand]] = []
    for at in sorted(needed):
        instruction = tape.instructions[at]
        own = 0
        if instruction.opcode not in {Opcode.LOAD, Opcode.GATHER}:
            own = max((depth[operand] for operand in instruction.operands), default=0)
        if instruction.function is not None:
            if own == len(stages):
                stages.append([])
            stages[own].append(at)
            own += 1
        depth[at] = own
    return stages


def compiled(inputs: Inputs, record: Callable[[], Sequence[Any]]) -> CompiledReader | None:
    """Make a reader of what computes on lanes; nothing where the machine cannot do that."""
    loaded = machine()
    if loaded is None:
        return None
    try:
        with uncollected():
            return CompiledReader(loaded, inputs, record())
    except UnrecordableError:
        return None
