"""What every question of the benchmark can do, and how to find one by its name."""

from collections.abc import Mapping
from typing import Any, Protocol

from benchmarks.counting import CountingQuestion
from benchmarks.joint import joint_question
from benchmarks.questions import Objective, Splits, training_question
from benchmarks.real import real_question

from mlsysim.core.dse import DSE


class Question(Protocol):
    """Anything that can be asked of `mlsysim`."""

    @property
    def name(self) -> str:
        """What the tables call it."""

    def evaluate(self, params: Mapping[str, Any]) -> Any:
        """Evaluate one design, a block of designs, or a traced one."""

    def explorer(self) -> DSE:
        """Give the question to the engine."""


def question_named(name: str) -> Question:
    """Find a question.

    Parameters
    ----------
    name
        ``1e8-throughput-uneven``, ``joint-4``, ``joint-2-narrow``,
        ``counting-10000-linear`` or ``real-training-9-dollars``.
    """
    kind, *rest = name.split("-")
    if kind == "real":
        return real_question(name)
    if kind == "joint":
        return joint_question(int(rest[0]), narrow="narrow" in rest)
    if kind == "counting":
        return CountingQuestion(most=int(rest[0]), linear=rest[1] == "linear")
    objective, splits = rest
    return training_question(int(kind.removeprefix("1e")), Objective(objective), Splits(splits))
