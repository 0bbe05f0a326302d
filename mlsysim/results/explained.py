"""An answer explained: what binds the best design, or why nothing fits."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mlsysim.results.blocks import Block, Lines
from mlsysim.results.jsonable import JsonText
from mlsysim.results.markup import as_html
from mlsysim.results.plain import as_text
from mlsysim.results.result import SearchResult
from mlsysim.results.sensitivity import Sensitivity
from mlsysim.results.sensitivity_table import cost_table, notes


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Explanation(JsonText):
    """An answer, and what each requirement costs.

    Every number is the answer to a question that was solved anew; none is an
    estimate.  An infeasible result carries its own explanation: the conflict
    and the relaxations.

    Parameters
    ----------
    result
        The answer.
    requirements
        Each requirement at the best design: the constraints as the user
        ordered them, then the models' verdicts; empty where there is no design.
    solves
        How many variants of the question were solved.
    seconds
        The time that all of it took.
    """

    result: SearchResult
    requirements: tuple[Sensitivity, ...] = ()
    solves: int = 0
    seconds: float = 0.0

    @property
    def binding(self) -> tuple[Sensitivity, ...]:
        """The requirements without which a better design exists."""
        return tuple(item for item in self.requirements if item.binds)

    def to_dict(self) -> dict[str, Any]:
        """Give the explanation as data that JSON can hold."""
        return {
            "result": self.result.to_dict(),
            "requirements": [item.to_dict() for item in self.requirements],
            "solves": self.solves,
            "seconds": self.seconds,
        }

    def __repr__(self) -> str:
        names = ", ".join(item.label for item in self.binding) or "nothing"
        return f"<Explanation {self.result.status}: {names} binds>"

    def __str__(self) -> str:
        return as_text(self.blocks())

    def _repr_html_(self) -> str:
        return as_html(self.blocks())

    def blocks(self) -> Iterator[Block]:
        """Give what a reader is told: the answer, then what each requirement costs."""
        yield from self.result.blocks()
        if table := cost_table(self.requirements):
            yield table
        if more := notes(self.result, self.requirements):
            yield Lines(lines=tuple(more))
