"""Multi-mode project scheduling: the problem class of which plans are a part, without calendars."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mlsysim.plans.model.instance import Activity, Instance, Mode, Resource
from mlsysim.plans.model.solving import SlotSolution, solve
from mlsysim.plans.records.goal import Goal
from mlsysim.search.cpsat.solving.clock import Clock
from mlsysim.search.options import SearchOptions


@dataclass(frozen=True, kw_only=True)
class Project:
    """A project.

    Parameters
    ----------
    renewable
        What there is of each resource at any time.
    stock
        What there is of each resource altogether.
    modes
        Task -> its modes: how long, how much of each renewable, how much of each stock.
    after
        Task -> the tasks that come before it.
    """

    renewable: Sequence[int]
    stock: Sequence[int]
    modes: Mapping[str, Sequence[tuple[int, Sequence[int], Sequence[int]]]]
    after: Mapping[str, Sequence[str]]

    @property
    def horizon(self) -> int:
        """By when all can be done, one after the other."""
        return sum(max(length for length, _, _ in modes) for modes in self.modes.values()) + 1

    def instance(self) -> Instance:
        """Give the problem that plans are solved as; a stock is a sum of fees."""
        activities = [
            Activity(
                name=name,
                modes=tuple(
                    Mode(
                        length=length,
                        first=0,
                        last=self.horizon - length,
                        demands={f"r{at}": need for at, need in enumerate(held) if need},
                        fees={f"s{at}": need for at, need in enumerate(used)},
                    )
                    for length, held, used in modes
                ),
                after=tuple(self.after.get(name, ())),
            )
            for name, modes in self.modes.items()
        ]
        return Instance(
            activities=tuple(activities),
            resources=tuple(
                Resource(name=f"r{at}", steps=((0, most),))
                for at, most in enumerate(self.renewable)
            ),
            horizon=self.horizon + 1,
            limits={f"s{at}": most for at, most in enumerate(self.stock)},
        )

    def solved(self, **options: int) -> SlotSolution:
        """Find the shortest way through the project."""
        clock = Clock(SearchOptions.of(**options))
        return solve(self.instance(), (Goal.MAKESPAN,), clock, ties=False)
