"""The long run: it counts what it holds, and tells what breaks a law."""

from collections.abc import Iterator

import pytest
from laws import long
from laws.designs import Design

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
