"""The contenders by name; each is loaded when it is asked."""

from collections.abc import Callable
from enum import StrEnum
from typing import Any, assert_never

from benchmarks.answer import Answer

Solve = Callable[[Any, float], Answer]


class Contender(StrEnum):
    """Who answers."""

    ENGINE = "engine"
    REFERENCE = "reference"
    BRUTE_FORCE = "brute-force"
    SCIP = "scip"
    OPTUNA = "optuna"
    BY_HAND = "by-hand"

    @property
    def answers_anything(self) -> bool:
        """Whether it takes every question; the others know the training question only."""
        return self in {Contender.ENGINE, Contender.REFERENCE}

    @property
    def walks_everything(self) -> bool:
        """Whether its time grows as the number of designs."""
        return self in {Contender.REFERENCE, Contender.BRUTE_FORCE}

    def load(self) -> Solve:
        """Give the function that takes a question and a time limit in seconds.

        Raises
        ------
        MissingPackageError
            When the function is called, if the rival's package is not installed.
        """
        # Each import pulls in a rival, which the others must not pay for.
        match self:
            case Contender.ENGINE:
                from benchmarks.contenders.ours import by_engine  # noqa: PLC0415

                return by_engine
            case Contender.REFERENCE:
                from benchmarks.contenders.ours import by_reference  # noqa: PLC0415

                return by_reference
            case Contender.BRUTE_FORCE:
                from benchmarks.contenders import brute_force  # noqa: PLC0415

                return lambda question, _: brute_force.solve(question)
            case Contender.BY_HAND:
                from benchmarks.contenders import by_hand  # noqa: PLC0415

                return lambda question, _: by_hand.solve(question)
            case Contender.SCIP:
                from benchmarks.contenders import scip  # noqa: PLC0415

                return scip.solve
            case Contender.OPTUNA:
                from benchmarks.contenders import sampling  # noqa: PLC0415

                return sampling.solve
            case _:
                assert_never(self)
