"""The report: one record that holds an answer with all that explains it, in many forms."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from mlsysim.files.launching import Launched
from mlsysim.report.cloud import Cloud
from mlsysim.report.data import as_csv, as_data
from mlsysim.report.layout import blocks_of
from mlsysim.report.markup import as_fragment
from mlsysim.report.page import as_page
from mlsysim.report.records import ConflictMember, ReportedDesign
from mlsysim.results import Explanation, Relaxation, Sensitivity, Statistics, Status
from mlsysim.results.blocks import Block, Headline
from mlsysim.results.jsonable import JsonText
from mlsysim.results.plain import as_text
from mlsysim.stages.economics.prices import Price


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Report(JsonText):
    """An answer, told whole; `mlsysim.report.report_of` builds it.

    Every form is written from these fields: text (``str``), a notebook's
    HTML, `to_json`, `to_csv`, and the page of `to_page`.

    Parameters
    ----------
    question, source
        What was asked in prose, and where it comes from; may be empty.
    text
        The question file; may be empty.
    status
        How the search ended.
    objectives
        The objectives in text: one, or those of a Pareto front.
    units
        Their units.
    method
        ``"cp-sat"``, ``"branch-and-bound"``, ``"exhaustive"``, ``"reference"``, or
        ``"evaluated"`` for a single design.
    statistics
        What the search did.
    bound, gap
        No design is better than the bound; how far the best one is from it.
    accuracy
        How exact the models are, by those that say so.
    evidence
        The same as data: the kinds of predictions behind the best design, with the errors of the
        measured runs of each.
    inert
        The choices that make no difference to the best design; each has its first value.
    prices
        Which prices stand behind the costs of the best design.
    launched
        Which frameworks can run the best design, of those that run such designs.
    designs
        The best designs, best first; or the points of a front.
    requirements
        What the best design meets, with the room that is left.
    explanation
        What each requirement costs, where that was asked.
    conflict, relaxations
        Why nothing fits, and what would have to give.
    reasons
        Constraint -> why the planner insists on it.
    answer
        The result in the form of `SearchResult.to_dict` or `ParetoFront.to_dict`.
    headline
        The first line: what was found, and how sure it is.
    account
        What else the search has to say, line by line.
    versions
        Program -> version.
    title
        What the first design is.
    against
        The best design, where the report is about another one.
    is_search
        Whether designs were searched for; otherwise one was given.
    """

    headline: Headline
    status: Status
    objectives: tuple[str, ...]
    units: tuple[str, ...]
    method: str
    statistics: Statistics
    question: str = ""
    source: str = ""
    text: str = ""
    launched: tuple[Launched, ...] = ()
    prices: tuple[Price, ...] = ()
    inert: tuple[str, ...] = ()
    bound: float | None = None
    gap: float | None = None
    accuracy: tuple[str, ...] = ()
    evidence: tuple[Mapping[str, Any], ...] = ()
    designs: tuple[ReportedDesign, ...] = ()
    requirements: tuple[Sensitivity, ...] = ()
    explanation: Explanation | None = None
    conflict: tuple[ConflictMember, ...] = ()
    relaxations: tuple[Relaxation, ...] = ()
    reasons: Mapping[str, str] = field(default_factory=dict)
    answer: Mapping[str, Any] = field(default_factory=dict)
    account: tuple[str, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    title: str = "The best design"
    against: ReportedDesign | None = None
    is_search: bool = True

    @property
    def verdict(self) -> str:
        """The first line as text."""
        return str(self.headline)

    @property
    def is_front(self) -> bool:
        """Whether it tells of a Pareto front."""
        return len(self.objectives) > 1

    @property
    def shown(self) -> tuple[ReportedDesign, ...]:
        """The designs that can be looked at: the best one first, then the others."""
        return self.designs if self.against is None else (self.against, *self.designs)

    def __repr__(self) -> str:
        return f"<Report {self.status} of {len(self.designs)} designs by {self.method}>"

    def __str__(self) -> str:
        return self.to_text()

    def blocks(self, *, full: bool = False) -> Iterator[Block]:
        """Give what a reader is told: the verdict, the best design, what limits it, the others.

        Parameters
        ----------
        full
            Whether with the source of each price, the errors of each model, the interval of each
            figure, every condition of the models, and what each framework objects to.
        """
        return blocks_of(self, full=full)

    def to_text(self, *, full: bool = False) -> str:
        """Write the report as text."""
        return as_text(self.blocks(full=full))

    def _repr_html_(self) -> str:
        return as_fragment(self)

    def to_dict(self) -> dict[str, Any]:
        """Give the report as data that JSON can hold; `mlsysim.report.schema` describes it."""
        return as_data(self)

    def to_csv(self) -> str:
        """Give the designs as a table; where nothing fits, what would have to give."""
        return as_csv(self)

    def to_page(self, cloud: Cloud | None = None) -> str:
        """Give the report as one page of HTML that needs no network."""
        return as_page(self, cloud)
