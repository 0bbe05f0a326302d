"""The long run: it counts what it holds, and tells what breaks a law."""

from collections.abc import Iterator

import pytest
from hypothesis.errors import UnsatisfiedAssumption
from laws import long
from laws.designs import Design
from laws.test_same_thing_said_twice import DESIGNS

from mlsysim.core.solver import GoodputModel


def test_every_law_is_held_against_as_many_designs_as_asked_for() -> None:
    """No law of a stage is passed over, and none is broken."""
    tally = long.run(GoodputModel, 5, 1)
    laws = {*long.about(long.OF_ANY, GoodputModel), *long.about(long.OF_FEASIBLE, GoodputModel)}
    assert laws < tally.held.keys()
    assert set(tally.held.values()) == {5}
    assert not tally.broken


def test_what_breaks_a_law_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A statement that fails, or cannot be evaluated, is told with the design."""

    def never(_: Design) -> Iterator[str]:
        raise ZeroDivisionError

    monkeypatch.setattr(long, "OF_ANY", {"never": ([GoodputModel], never)})
    tally = long.run(GoodputModel, 2, 1)
    assert len(tally.broken["never"]) == 2
    assert "GoodputModel().solve(" in tally.broken["never"][0]


def test_spaces_and_questions_count_by_their_designs() -> None:
    """Arrays, tracing and optima are held against as many designs as asked for, too."""
    in_spaces = long.run_spaces(GoodputModel, 7, 1)
    assert set(in_spaces.held) == set(long.OF_SPACES)
    assert set(in_spaces.held.values()) == {-(-7 // DESIGNS) * DESIGNS}
    asked = long.run_questions(GoodputModel, 7, 1)
    assert set(asked.held) == set(long.about(long.OF_QUESTIONS, GoodputModel))
    assert all(count >= 7 for count in asked.held.values())
    assert not in_spaces.broken | asked.broken


def test_what_a_law_says_nothing_of_does_not_count() -> None:
    """A question without limits is none that looser limits could break."""
    tally = long.Tally(3)

    def silent() -> Iterator[str]:
        raise UnsatisfiedAssumption
        yield ""

    tally.hold("silent", "anything", silent)
    tally.hold("told", "anything", lambda: iter(["broken"]), 2)
    assert not tally.full(["silent"])
    assert tally.held == {"told": 2}
    assert tally.broken == {"told": ["broken\n      in 'anything'"]}
