"""SEMANTICS 1: where the solver and the evaluator on plain numbers differ, nothing is answered."""

from typing import Any

import pytest

from mlsysim.core.dse import DSE
from mlsysim.errors import DisagreementError, TracingError

Params = dict[str, Any]
QUESTION = DSE({"x": range(10)}, "maximize: gain", ["gain >= 1"])


def two_faced(at: int) -> Any:
    """Make an evaluator that is worth a millionth more at one design if it is asked for that alone.

    Traced values are no whole numbers, so that the trace knows nothing of it.
    """

    def evaluate(params: Params) -> Params:
        x = params["x"]
        more = 1e-6 if isinstance(x, int) and x == at else 0.0
        return {"gain": x * (9 - x) + more, "x": x}

    return evaluate


@pytest.mark.parametrize("method", ["cp-sat", "branch-and-bound"])
def test_a_best_design_that_is_worth_something_else_is_no_answer(method: str) -> None:
    """The product x (9 - x) is best at 4 with 20, or so the trace says."""
    with pytest.raises(DisagreementError, match=r"the objectives are \[-20\.0\] by the trace, but"):
        QUESTION.search(two_faced(4), method=method, top=1)


def test_a_point_of_a_front_that_is_worth_something_else_is_no_answer() -> None:
    """The same for several objectives."""
    with pytest.raises(DisagreementError, match="by the trace, but"):
        QUESTION.pareto(two_faced(3), ["maximize: gain", "minimize: x"], method="cp-sat")


def test_a_trace_that_is_wrong_at_an_extreme_is_none() -> None:
    """The first and the last value of a choice are tried before anything is solved."""
    free = DSE({"x": range(10)}, "maximize: gain")
    with pytest.raises(TracingError, match="or on their type"):
        free.search(two_faced(9), method="cp-sat")
    assert free.search(two_faced(9), method="auto").method == "exhaustive"
