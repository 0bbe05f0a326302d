"""What the exhaustive search is asked, in a form that can be sent to another process."""

from dataclasses import dataclass

from mlsysim.problem.problem import Problem
from mlsysim.search.arrays.leaders import Leaders
from mlsysim.search.arrays.others import Others
from mlsysim.search.goals import Goals
from mlsysim.search.options import SearchOptions
from mlsysim.search.verify import Evaluator

MARGIN = 16
"""How many more than asked for are kept: arrays may misplace a tie by its last bit."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """A question to be answered by evaluating every design.

    Parameters
    ----------
    problem
        What is asked.
    evaluate
        The user's evaluator.
    options
        What the caller wants.
    goals
        All objectives, where a front is asked for; `problem` has the first.
    """

    problem: Problem
    evaluate: Evaluator
    options: SearchOptions
    goals: Goals | None = None

    @property
    def signs(self) -> tuple[int, ...]:
        """The factors that make every objective one to be minimised."""
        return (self.problem.objective.sense.sign,) if self.goals is None else self.goals.signs

    def keeper(self, others: Others) -> Leaders:
        """Make what keeps the designs that are asked for."""
        return Leaders(self.signs, others, self.options.top + MARGIN)
