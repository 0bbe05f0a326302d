"""The machine says what NumPy says: over designs, over boxes, and in the answers of searches."""

import sys
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from random_graphs import graphs
from real_questions import QUESTIONS, traced
from strategies import Case, cases, examples

from mlsysim.core.methods import search
from mlsysim.expr.columns import Column
from mlsysim.expr.compiled import machine as loading
from mlsysim.expr.compiled import reader
from mlsysim.expr.compiled.machine import VectorMachine
from mlsysim.expr.compiled.opcodes import LANES, Opcode
from mlsysim.expr.compiled.reader import Inputs, compiled
from mlsysim.expr.compiled.tape import UnrecordableError
from mlsysim.expr.ends import EndReader, Ends
from mlsysim.expr.evaluate import DesignReader
from mlsysim.expr.graph import Graph, GraphNode
from mlsysim.expr.operations import OPERATIONS
from mlsysim.expr.ranges import Range
from mlsysim.search.cpsat.presolve import Presolve
from mlsysim.search.cpsat.solving.clock import Clock
from mlsysim.search.options import SearchOptions

pytest.importorskip("llvmlite", reason="the extra fast is not installed")

NUMBERS = np.array(
    [
        *[0.0, -0.0, 1.0, -1.0, 0.5, -2.5, 3.0, 7.0, 0.3, 1e-300, 1e300, -1e300],
        *[2.0**51, 2.0**53, 5e-324, np.inf, -np.inf, np.nan],
    ]
)


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Use the machine from the first pass on."""
    monkeypatch.delenv(loading.SWITCH, raising=False)
    monkeypatch.setattr(reader, "_RECORDING", 0)
    monkeypatch.setattr(reader, "_LOADING", 0)


@pytest.fixture(autouse=True)
def within_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Check before every run that no instruction reads or writes outside the arrays it is given."""
    run = VectorMachine.run
    gather, load = (list(Opcode).index(opcode) for opcode in (Opcode.GATHER, Opcode.LOAD))

    def checked(machine: VectorMachine, **given: Any) -> Any:
        code, slots, lanes = given["code"], given["slots"], given["lanes"]
        opcodes, slot, read = code[:, 0], code[:, 1], code[:, 2:]
        assert all(value.flags.c_contiguous for value in given.values() if np.ndim(value))
        assert code.dtype == given["wanted"].dtype == np.int32
        assert slots.shape[1] == LANES
        assert lanes % LANES == 0
        assert np.all((opcodes >= 0) & (opcodes < len(Opcode)))
        for places in (slot, read[(opcodes != gather) & (opcodes != load)], given["wanted"]):
            assert np.all((places >= 0) & (places < len(slots)))
        for opcode, rows in ((gather, given["places"]), (load, given["numbers"])):
            assert np.all(read[opcodes == opcode, 0] >= 0)
            assert np.all(read[opcodes == opcode, 0] < len(rows))
            assert not len(rows) or rows.shape == (len(rows), lanes)
        for row, offset in read[opcodes == gather, :2].tolist():
            at = offset + given["places"][row]
            assert 0 <= at.min() <= at.max() < len(given["tables"])
        return run(machine, **given)

    monkeypatch.setattr(VectorMachine, "run", checked)


@pytest.fixture
def fresh() -> Iterator[None]:
    """Load the machine anew, and again when the test is over."""
    loading._loaded.cache_clear()
    yield
    loading._loaded.cache_clear()


def same(one: Any, other: Any) -> bool:
    """Tell whether two arrays are equal, not-a-numbers included."""
    one, other = np.broadcast_arrays(one, other)
    return bool(np.array_equal(one, other, equal_nan=True))


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_is_numpys(name: str) -> None:
    """On every pair of nasty numbers each operation is what NumPy makes of it."""
    operation = OPERATIONS[name]
    grid = np.meshgrid(*[NUMBERS] * operation.arity, indexing="ij")
    rows = [axis.ravel() for axis in grid]
    inputs = Inputs()
    lanes = [inputs.number(place) for place in range(len(rows))]
    made = compiled(inputs, lambda: [operation.compute(*lanes)])
    assert made is not None
    (found,) = made.read(len(rows[0]), lambda place: rows[place], lambda _: rows[0])
    with np.errstate(all="ignore"):
        assert same(found, operation.compute(*rows))


@given(graphs())
@examples(300)
def test_designs_are_read_alike(drawn: tuple[Graph, dict[str, Column], GraphNode]) -> None:
    """Every design of a random graph has the value that NumPy gives it."""
    graph, columns, root = drawn
    grid = np.indices([graph.lengths[name] for name in "xyz"]).reshape(3, -1)
    at = dict(zip("xyz", grid, strict=True))
    reader = DesignReader([root], columns)
    assert same(reader.read(at)[0], reader._run({}, at)[0])


@given(graphs(), st.data())
@examples(300)
def test_boxes_are_bounded_alike(
    drawn: tuple[Graph, dict[str, Column], GraphNode], data: st.DataObject
) -> None:
    """Both ends of a random graph over random boxes are NumPy's, and enclose every design."""
    graph, columns, root = drawn
    first, last = {}, {}
    for name, length in graph.lengths.items():
        drawn_ends = [data.draw(st.tuples(*[st.integers(0, length - 1)] * 2)) for _ in range(3)]
        first[name], last[name] = np.sort(np.array(drawn_ends), axis=1).T
    wanted = [(root, False), (root, True)]
    found = EndReader(wanted, Ends(columns, graph.lengths)).read(first, last)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(loading.SWITCH, "0")
        expected = EndReader(wanted, Ends(columns, graph.lengths)).read(first, last)
    assert all(map(same, found, expected))
    for box, (low, high) in enumerate(zip(*found, strict=True)):
        axes = [np.arange(first[name][box], last[name][box] + 1) for name in "xyz"]
        at = dict(zip("xyz", np.meshgrid(*axes, indexing="ij"), strict=True))
        (values,) = DesignReader([root], columns).read(at)
        inside = (low <= values) & (values <= high)
        assert np.all(inside | (np.isneginf(low) and np.isposinf(high)))


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_proof_takes_the_same_boxes(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A question of the real stages is proven by as many boxes, and with the same designs."""

    def proof() -> tuple[int, int, list[Any], list[Any]]:
        clock = Clock(SearchOptions())
        presolve = Presolve(program=traced(name), keep=3, clock=clock, on_progress=lambda _: None)
        assert presolve.run(10**6)
        assert presolve.finish(3)
        found = presolve.found
        return presolve.bounded, presolve.evaluated, found.values.tolist(), found.designs.tolist()

    with_machine = proof()
    monkeypatch.setenv(loading.SWITCH, "0")
    assert proof() == with_machine


@given(cases())
@examples(60)
def test_searches_answer_alike(case: Case) -> None:
    """Random questions have the same answer, the same list and the same conflict."""
    options = SearchOptions(top=3)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mlsysim.search.cpsat.presolve.WALK", 0)
        patch.setattr("mlsysim.search.cpsat.minimize.QUICK", 0)
        found = search("branch-and-bound", case.problem, case, options)
        patch.setenv(loading.SWITCH, "0")
        expected = search("branch-and-bound", case.problem, case, options)
    assert found.status == expected.status
    assert found.conflict == expected.conflict
    assert [one.params for one in found.top_candidates] == [
        one.params for one in expected.top_candidates
    ]


def test_a_place_outside_its_table_is_refused() -> None:
    """Memory beyond a table is never read: the machine is not even started."""
    inputs = Inputs()
    made = compiled(inputs, lambda: [inputs.entry("x", np.arange(4.0))])
    assert made is not None
    assert made.read(2, lambda _: np.zeros(2), lambda _: np.array([0, 3]))[0].tolist() == [0.0, 3.0]
    for places in (np.array([0, -1]), np.array([0, 4])):
        with pytest.raises(IndexError, match="outside the table"):
            made.read(2, lambda _: np.zeros(2), {"x": places}.__getitem__)


@pytest.mark.parametrize(
    "do",
    [
        np.modf,
        np.add.reduce,
        lambda x: np.clip(x, 0, 1),
        lambda x: x + np.arange(3.0),
    ],
    ids=["modf", "reduce", "clip", "array"],
)
def test_what_has_no_instruction_is_left_to_numpy(do: Any) -> None:
    """What is no function of single numbers makes no reader, and no error."""
    inputs = Inputs()
    with pytest.raises(UnrecordableError):
        do(inputs.number("x"))
    assert compiled(inputs, lambda: [do(inputs.number("x"))]) is None


def test_every_rule_of_ranges_can_be_recorded() -> None:
    """The interval rule of no operation does what the machine has no instruction for."""
    for operation in OPERATIONS.values():
        inputs = Inputs()
        ends = [
            Range(inputs.number((place, "low")), inputs.number((place, "high")))  # type: ignore[arg-type]
            for place in range(operation.arity)
        ]
        assert compiled(inputs, partial(operation.bound, *ends)) is not None, operation.name


@pytest.mark.usefixtures("fresh")
@pytest.mark.parametrize("broken", ["missing", "too old", "no such processor"])
def test_without_llvm_everything_works(broken: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where llvmlite is missing, too old or fails, nothing is said and NumPy answers."""
    if broken == "missing":
        monkeypatch.setitem(sys.modules, "llvmlite.binding", None)
    else:
        import llvmlite.binding as llvm  # noqa: PLC0415 - only where it is installed

        def fail(*_: Any) -> Any:
            raise RuntimeError("LLVM IR parsing error")

        name = "parse_assembly" if broken == "too old" else "get_host_cpu_name"
        monkeypatch.setattr(llvm, name, fail)
    assert loading.machine() is None
    graph = Graph({"x": 3})
    root = graph.apply("square", graph.choice("x"))
    (values,) = DesignReader([root], {"x": Column([1, 2, 3])}).read({"x": np.arange(3)})
    assert values.tolist() == [1.0, 4.0, 9.0]


def test_the_machine_can_be_turned_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """MLSYSIM_COMPILED=0 leaves everything to NumPy."""
    assert loading.machine() is not None
    monkeypatch.setenv("MLSYSIM_COMPILED", "0")
    assert loading.machine() is None
