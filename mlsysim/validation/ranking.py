"""Whether the models pick the right design: rank correlation and regret.

A planner does not need the time of a design so much as to know which of
several is fastest.  Where a source measured several designs that a planner
could choose between, their predicted order is compared with the measured one.
Rows of one design are one measurement, their mean.
"""

import itertools
import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mlsysim.validation.outcome import Outcome


@dataclass(frozen=True, kw_only=True)
class Alternative:
    """One of several designs to choose between.

    Parameters
    ----------
    ids
        The rows that measured it.
    measured, predicted
        Its speed.
    """

    ids: tuple[str, ...]
    measured: float
    predicted: float


@dataclass(frozen=True, kw_only=True)
class Contest:
    """The designs between which one choice was to be made.

    Parameters
    ----------
    group
        The source.
    designs
        Two or more.
    """

    group: str
    designs: tuple[Alternative, ...]

    @property
    def regret(self) -> float:
        """How much slower the design that we pick was than the fastest: ``1 - v_pick / v_best``."""
        picked = max(self.designs, key=lambda design: design.predicted)
        return 1 - picked.measured / max(design.measured for design in self.designs)


@dataclass(frozen=True, kw_only=True)
class Ranking:
    """How well one source's designs were ranked.

    Parameters
    ----------
    group
        The source.
    contests, designs
        How many choices there were, and how many designs in them.
    tau
        Kendall's rank correlation over all pairs within a contest; None where all are tied.
    regret, worst_regret
        Mean and largest regret of the contests.
    """

    group: str
    contests: int
    designs: int
    tau: float | None
    regret: float
    worst_regret: float

    def to_dict(self) -> dict[str, object]:
        """Give the figures by name."""
        return {
            "contests": self.contests,
            "designs": self.designs,
            "kendall_tau": self.tau,
            "regret": self.regret,
            "worst_regret": self.worst_regret,
        }


def contests_of(outcomes: Iterable[Outcome]) -> tuple[Contest, ...]:
    """Gather the designs between which there is a choice."""
    gathered: dict[object, dict[object, list[Outcome]]] = {}
    for outcome in outcomes:
        if outcome.rivals is None or outcome.speed_measured is None:
            continue
        gathered.setdefault(outcome.rivals, {}).setdefault(outcome.design, []).append(outcome)
    return tuple(
        Contest(
            group=next(iter(designs.values()))[0].group,
            designs=tuple(_design(found) for found in designs.values()),
        )
        for designs in gathered.values()
        if len(designs) > 1
    )


def _design(outcomes: Sequence[Outcome]) -> Alternative:
    return Alternative(
        ids=tuple(outcome.id for outcome in outcomes),
        measured=statistics.fmean(outcome.speed_measured or 0.0 for outcome in outcomes),
        predicted=statistics.fmean(outcome.speed_predicted or 0.0 for outcome in outcomes),
    )


def kendall_tau(contests: Iterable[Contest]) -> float | None:
    """Correlate the orders of designs, pairs within a contest only.

    ``(C - D) / sqrt((C + D + T_m) (C + D + T_p))`` with C pairs in the same
    order, D in the opposite one, and T tied in the prediction alone or in the
    measurement alone: Kendall 1945, tau-b.

    Returns
    -------
    float or None
        None where no pair can be told apart.

    Examples
    --------
    >>> designs = tuple(
    ...     Alternative(ids=(), measured=m, predicted=p) for m, p in [(1, 1), (2, 3), (3, 2)]
    ... )
    >>> round(kendall_tau([Contest(group="", designs=designs)]), 3)  # two pairs right, one wrong
    0.333
    """
    balance = measured_pairs = predicted_pairs = 0
    for contest in contests:
        for one, other in itertools.combinations(contest.designs, 2):
            measured = _sign(one.measured - other.measured)
            predicted = _sign(one.predicted - other.predicted)
            balance += measured * predicted
            measured_pairs += measured != 0
            predicted_pairs += predicted != 0
    if not (measured_pairs and predicted_pairs):
        return None
    return balance / math.sqrt(measured_pairs * predicted_pairs)


def _sign(difference: float) -> int:
    return (difference > 0) - (difference < 0)


def rankings_of(outcomes: Iterable[Outcome]) -> tuple[Ranking, ...]:
    """Judge the ranking of every source that measured several designs."""
    by_group: dict[str, list[Contest]] = {}
    for contest in contests_of(outcomes):
        by_group.setdefault(contest.group, []).append(contest)
    return tuple(
        Ranking(
            group=group,
            contests=len(contests),
            designs=sum(len(contest.designs) for contest in contests),
            tau=kendall_tau(contests),
            regret=statistics.fmean(contest.regret for contest in contests),
            worst_regret=max(contest.regret for contest in contests),
        )
        for group, contests in by_group.items()
    )
