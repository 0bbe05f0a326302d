"""What all answers have in common: status, statistics, and why no design exists."""

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from mlsysim.results.blocks import Block, Headline, table_of
from mlsysim.results.explanation import explain
from mlsysim.results.jsonable import JsonText, jsonable
from mlsysim.results.markup import as_html
from mlsysim.results.plain import as_text
from mlsysim.results.relaxation import Relaxation
from mlsysim.results.rendering import remarks
from mlsysim.results.statistics import Statistics
from mlsysim.results.status import Status


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Answer(JsonText):
    """An answer with its proof; `SearchResult` and `ParetoFront` say what was found.

    Parameters
    ----------
    status
        How the search ended.
    method
        ``"cp-sat"``, ``"branch-and-bound"``, ``"exhaustive"`` or ``"reference"``.
    statistics
        What the search did.
    conflict
        Of an infeasible result: a minimal set of requirements that exclude every design.
    conflict_is_minimal
        Whether it is known that no member of the conflict can be left out.
    conflict_reasons
        Member of the conflict -> the constraint's text, or the verdict's reasons.
    relaxations
        What each member of the conflict would have to become.
    unfinished
        What a limit has cut short, in words; `statistics` has which limit.
    designs_of
        What the designs are of that were counted, where that is a part of what was asked for:
        ``"a replica for chat"``.
    """

    status: Status
    method: str
    statistics: Statistics
    conflict: tuple[str, ...] = ()
    conflict_is_minimal: bool = True
    conflict_reasons: Mapping[str, str] = field(default_factory=dict)
    relaxations: tuple[Relaxation, ...] = ()
    unfinished: tuple[str, ...] = ()
    designs_of: str = ""

    @property
    def explanation(self) -> str:
        """Why no design exists; empty unless the result is infeasible."""
        if self.status is not Status.INFEASIBLE:
            return ""
        size = self.statistics.grid_size
        return explain(
            size,
            self.conflict,
            self.conflict_reasons,
            self.relaxations,
            is_minimal=self.conflict_is_minimal,
            designs_of=self.designs_of,
        )

    @abstractmethod
    def headline(self) -> Headline:
        """Write the first line: status, what was found, proof, effort, method."""

    @abstractmethod
    def _rows(self) -> list[list[str]]:
        """Give the header and a row per design; nothing where there are none."""

    def remarks(self) -> list[str]:
        """Write what follows the verdict: the account, the explanation, what is not finished."""
        return remarks(self)

    def blocks(self) -> Iterator[Block]:
        """Give what a reader is told: the first lines, and the designs as a table."""
        yield replace(self.headline(), more=tuple(self.remarks()))
        if rows := self._rows():
            yield table_of(rows)

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """Give the answer as data that JSON can hold; quantities keep their units."""

    def _common(self) -> dict[str, Any]:
        return {
            "method": self.method,
            "statistics": jsonable(self.statistics),
            "conflict": list(self.conflict),
            "conflict_is_minimal": self.conflict_is_minimal,
            "conflict_reasons": dict(self.conflict_reasons),
            "relaxations": [item.to_dict() for item in self.relaxations],
            "unfinished": list(self.unfinished),
        }

    def __str__(self) -> str:
        return as_text(self.blocks())

    def _repr_html_(self) -> str:
        return as_html(self.blocks())
