"""What crosses to another process arrives as it was: quantities, records, questions, answers."""

import copy
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from question_files import MODELS, QUESTIONS

import mlsysim
from mlsysim.catalog.builtin import TREES
from mlsysim.catalog.record import Record
from mlsysim.errors import InfeasibleError, UnknownNameError
from mlsysim.files.question import load
from mlsysim.units import as_unit, quantity

TUTORIAL = MODELS / "training" / "tutorial.toml"
RECORDS = [record for tree in TREES.values() for record in tree.values()]

# In a process of its own, so that nothing is left over from the one that wrote the pickle.
READER = """
import pickle, sys
question, speed = pickle.loads(sys.stdin.buffer.read())
from mlsysim.units import quantity
answer = question.solve(method="exhaustive", top=2)
sys.stdout.buffer.write(pickle.dumps((answer, speed * quantity(2, "s"))))
"""


def sent(value: Any) -> Any:
    """Write a pickle and read it back."""
    return pickle.loads(pickle.dumps(value))  # noqa: S301 - our own


@pytest.mark.parametrize(
    "value",
    [quantity(3, "GB/s"), quantity(0.5, "USD/kWh"), quantity(7.0), quantity(2.0, "s**0.5")],
    ids=str,
)
def test_a_quantity_stays_in_its_registry(value: Any) -> None:
    """A quantity read from a pickle can be added to others, and is the same."""
    assert (sent(value) + value).magnitude == 2 * value.magnitude
    assert sent(value) == copy.deepcopy(value) == value
    assert sent(value.units) == value.units


def test_a_quantity_may_hold_an_array() -> None:
    """The array comes along with its unit: 1000 ms to the second."""
    held = sent(quantity(np.array([1.0, 2.0]), "s"))
    assert held.m_as("ms").tolist() == [1000.0, 2000.0]


def test_a_unit_stays_in_its_registry() -> None:
    """A unit read from a pickle can be attached to a number."""
    assert (3 * sent(as_unit("GB/s"))).m_as("MB/s") == 3000


@pytest.mark.parametrize("record", RECORDS, ids=repr)
def test_a_record_arrives_whole(record: Record) -> None:
    """Each entry of the catalogue is equal to its copy, with figures and their support."""
    again = sent(record)
    assert again == record
    assert hash(again) == hash(record)
    assert {name: figure.source for name, figure in again.figures.items()} == {
        name: figure.source for name, figure in record.figures.items()
    }
    assert sent(record) == record  # also after its figures have been looked at


def test_the_trees_of_a_catalogue_can_be_sent(tmp_path: Path) -> None:
    """The package's own tree, and one that was read from a file, hold what they held."""
    chips = mlsysim.Systems.Accelerators
    assert sent(chips)["H100_SXM"] == chips.H100_SXM
    file = tmp_path / "mine.toml"
    file.write_text('[fabrics.Mine]\nbandwidth = "50 GB/s"\nlatency = "2 us"\n')
    mine = mlsysim.load_catalog(file).fabrics
    assert sent(mine).Mine == mine.Mine


@pytest.mark.parametrize("file", QUESTIONS, ids=lambda file: file.stem)
def test_a_question_can_be_sent(file: Path) -> None:
    """A question file read from a pickle asks the same and evaluates the same."""
    question = load(file)
    again = sent(question)
    assert again.problem == question.problem
    assert again.reasons == question.reasons
    first = question.problem.space.point(0)
    assert repr(again.evaluate(first)) == repr(question.evaluate(first))


def test_another_process_answers() -> None:
    """A question goes to a new process, and its answer comes back: the tutorial's 409,524/s."""
    question = load(TUTORIAL)
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", READER],
        input=pickle.dumps((question, quantity(3.0, "GB/s"))),
        capture_output=True,
        check=True,
    )
    answer, volume = pickle.loads(done.stdout)  # noqa: S301 - our own
    here = question.solve(method="exhaustive", top=2)
    assert volume == quantity(6.0, "GB")
    assert answer.best_params == here.best_params
    assert answer.best_objective == here.best_objective
    ours, theirs = (found.best_result["DistributedModel"] for found in (here, answer))
    assert theirs.step_latency_total == ours.step_latency_total


def test_answers_of_every_kind_can_be_sent() -> None:
    """Explanations, fronts and proofs that nothing fits read the same on arrival."""
    question = load(MODELS / "training" / "step_within_1s.toml")
    explained = question.explain()
    assert str(sent(explained)) == str(explained)
    front = load(MODELS / "fleet" / "choice_of_fleet.toml").pareto()
    assert str(sent(front)) == str(front)
    nothing = load(MODELS / "infeasible" / "step_50ms.toml").solve()
    assert sent(nothing).explanation == nothing.explanation
    with pytest.raises(InfeasibleError, match="sla"):
        sent(nothing).best.params  # noqa: B018 - asking is the test


def test_errors_can_be_sent() -> None:
    """An error arrives with its message and its notes."""
    error = UnknownNameError("there is no 'x'")
    error.add_note("at the design a=1")
    again = sent(error)
    assert isinstance(again, UnknownNameError)
    assert (str(again), again.__notes__) == ("there is no 'x'", ["at the design a=1"])
