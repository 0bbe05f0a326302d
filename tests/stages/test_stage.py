"""What a stage is: arguments in, a result with a verdict out."""

from typing import Any

import numpy as np
import pytest

from mlsysim.errors import ParameterError
from mlsysim.problem.verdict import Check
from mlsysim.stages.stage import ForwardModel, StageResult


class Doubler(ForwardModel):
    """A stage with one required and one optional argument."""

    produces = ("doubled",)

    def solve(self, value: float, *, offset: float = 0.0) -> dict[str, float]:
        """Double."""
        return {"doubled": 2 * value + offset}


def test_a_stage_stands_alone() -> None:
    """A stage is called directly, by position or by name."""
    assert Doubler().solve(3) == Doubler().solve(value=3) == {"doubled": 6}
    assert Doubler().name == "Doubler"
    assert list(Doubler.inputs()) == ["value", "offset"]


def test_an_unknown_argument_is_refused_with_the_nearest_names() -> None:
    """A misspelt argument is never ignored."""
    with pytest.raises(ParameterError, match=r"Doubler has no argument 'ofset'.*'offset'"):
        Doubler().solve(value=1, ofset=2)  # type: ignore[call-arg]


def test_a_missing_argument_is_named() -> None:
    """A required argument that is not given is named."""
    with pytest.raises(ParameterError, match="Doubler needs 'value'"):
        Doubler().solve()  # type: ignore[call-arg]


def test_a_subclass_inherits_solve() -> None:
    """A stage without a solve of its own keeps the checked one."""

    class Renamed(Doubler):
        """The same under another name."""

    assert Renamed().solve(value=1) == {"doubled": 2}
    assert Renamed().name == "Renamed"


@pytest.mark.parametrize(
    ("checks", "feasible"),
    [
        ({}, True),
        ({"a": Check.that(True), "b": Check.at_most(1, 2)}, True),  # noqa: FBT003
        ({"a": Check.that(True), "b": Check.at_most(3, 2)}, False),  # noqa: FBT003
    ],
)
def test_feasible_means_that_all_checks_hold(checks: dict[str, Any], feasible: object) -> None:
    """A result without checks rules nothing out; one failing check rules it out."""
    assert StageResult(checks=checks).feasible is feasible


def test_verdicts_of_arrays_are_arrays() -> None:
    """Checks on blocks of designs combine element by element."""
    memory, limit = np.array([1.0, 3.0]), 2.0
    result = StageResult(checks={"m": Check.at_most(memory, limit), "x": Check.that(True)})  # noqa: FBT003
    assert np.asarray(result.feasible).tolist() == [True, False]
