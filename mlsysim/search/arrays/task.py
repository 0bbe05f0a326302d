"""What the exhaustive search is asked, in a form that can be sent to another process."""

from dataclasses import dataclass

from mlsysim.problem.problem import Problem
from mlsysim.search.arrays.front_leaders import FrontLeaders
from mlsysim.search.arrays.leaders import Leaders
from mlsysim.search.arrays.others import Others
from mlsysim.search.arrays.tally import Keeper
from mlsysim.search.goals import Goals
from mlsysim.search.options import SearchOptions
from mlsysim.search.verify import Evaluator


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

    def keeper(self, others: Others) -> Keeper:
        """Make what keeps the designs that are asked for.

        Parameters
        ----------
        others
            Reads the objectives besides the first.
        """
        if self.goals is not None:
            return FrontLeaders(self.goals.signs, others)
        return Leaders(self.options.top, self.problem.objective.sense.sign)
