"""The predictions for a file of measured runs, summarised: how far off, and how well ranked."""

import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mlsysim.core.solver import DistributedModel
from mlsysim.validation.datasets import DatasetKind, kind_of, outcomes_of_table, unread_columns
from mlsysim.validation.outcome import Outcome
from mlsysim.validation.ranking import Ranking, rankings_of
from mlsysim.validation.statistics import RowTally, tallies, tally
from mlsysim.validation.table import read_table


@dataclass(frozen=True, kw_only=True)
class ValidationReport:
    """What became of the rows of a file.

    Parameters
    ----------
    file
        The file.
    kind
        What it is about.
    outcomes
        Its rows, measured and predicted, in their order.
    unread
        Which of its columns are not known, and what they may have meant.
    """

    file: str
    kind: DatasetKind
    outcomes: tuple[Outcome, ...]
    unread: tuple[str, ...] = ()

    @property
    def total(self) -> RowTally:
        """All rows together."""
        return tally("all", self.outcomes)

    @property
    def groups(self) -> tuple[RowTally, ...]:
        """The rows by source."""
        return tallies(self.outcomes, lambda outcome: outcome.group or "(no group)")

    @property
    def accelerators(self) -> tuple[RowTally, ...]:
        """The rows by accelerator, under its name in the catalogue."""
        return tallies(self.outcomes, lambda outcome: outcome.hardware or "(no accelerator)")

    @property
    def rankings(self) -> tuple[Ranking, ...]:
        """How well designs were ranked, by source."""
        return rankings_of(self.outcomes)

    @property
    def reasons(self) -> Mapping[str, int]:
        """How many rows were skipped for which reason, the most frequent first."""
        found = Counter(outcome.skipped for outcome in self.outcomes if outcome.skipped)
        return dict(found.most_common())

    def to_dict(self) -> dict[str, object]:
        """Give rows and summary as JSON has them."""
        rankings = self.rankings
        return {
            "rows": [outcome.to_dict() for outcome in self.outcomes],
            "summary": {
                "file": self.file,
                "kind": self.kind.value,
                "predicted": len(self.outcomes) - self.total.skipped,
                **self.total.to_dict(),
                "reasons": dict(self.reasons),
                "groups": {found.name: found.to_dict() for found in self.groups},
                "accelerators": {found.name: found.to_dict() for found in self.accelerators},
                "ranking": {
                    "mean_kendall_tau": mean_tau(rankings),
                    "mean_regret": mean_regret(rankings),
                    "groups": {found.group: found.to_dict() for found in rankings},
                },
            },
        }


def report_of(path: str | Path, stage: DistributedModel | None = None) -> ValidationReport:
    """Predict every row of a file.

    Parameters
    ----------
    path
        A CSV file.
    stage
        The training model; the one with the package's constants unless given.

    Raises
    ------
    MeasurementError
        If the file or one of its cells cannot be used.
    """
    table = read_table(path)
    return ValidationReport(
        file=str(path),
        kind=kind_of(table),
        outcomes=outcomes_of_table(table, stage),
        unread=unread_columns(table),
    )


def mean_tau(rankings: Sequence[Ranking]) -> float | None:
    """Average the rank correlations of the sources that have one."""
    found = [ranking.tau for ranking in rankings if ranking.tau is not None]
    return statistics.fmean(found) if found else None


def mean_regret(rankings: Sequence[Ranking]) -> float | None:
    """Average the regrets of the sources."""
    return statistics.fmean(ranking.regret for ranking in rankings) if rankings else None
