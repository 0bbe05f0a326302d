"""Plans that are built and improved in a moment: where CP-SAT starts from, and what it has to beat.

Each activity takes the mode and the start that look best beside what is there (serial schedule
generation).  Then some are taken out and put anew, in another order and by another taste, and what
comes of it is kept where it is no worse (large neighbourhood search).  Nothing here is a proof: a
plan that is found meets every requirement, and may be far from the best.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from mlsysim.plans.model.aims import PlacingAim
from mlsysim.plans.model.board import Board
from mlsysim.plans.model.bounding import tails
from mlsysim.plans.model.grid import ActivityGrid
from mlsysim.plans.model.instance import Instance
from mlsysim.plans.model.neighbourhoods import Chance, Worth, search
from mlsysim.plans.model.peaks import peaks_of, totals_of
from mlsysim.plans.model.valuing import Chosen, valued
from mlsysim.plans.records.goal import Goal
from mlsysim.search.cpsat.solving.clock import Clock

_SHARE = 0.25
"""Which part of the time that is left one search may take."""

_PARTS = 2
"""Nodes are saved by this power of two's part of the steps that the bound leaves at first."""

_LARGEST = 6_000_000
"""Modes times slots beyond which nothing is built."""


@dataclass(frozen=True, kw_only=True)
class BuiltPlan:
    """A plan in slots.

    Parameters
    ----------
    chosen
        Activity -> its mode and its start.
    lots
        Option -> how many lots are taken.
    value
        What it is worth by the last goal.
    """

    chosen: Chosen
    lots: Mapping[tuple[str, str], int]
    value: int


class PlanSearch:
    """Builds and improves plans of one problem.

    Parameters
    ----------
    instance
        The problem.
    goals
        What is minimised, one after the other; none for any plan.
    clock
        The time, and the seed.
    bound
        What no plan is below by the last goal.
    turn
        How often the problem was searched before: each search draws anew.
    seconds
        How long it may take at most.
    """

    def __init__(
        self,
        instance: Instance,
        goals: Sequence[Goal],
        clock: Clock,
        bound: float = 0,
        turn: int = 0,
        seconds: float = math.inf,
    ) -> None:
        self.instance, self.goals, self.clock, self.bound = instance, tuple(goals), clock, bound
        self.chance = Chance.of(clock.seed + turn)
        self.until = clock.elapsed + min(_SHARE * clock.left, seconds)
        self.tails = tails(instance)
        self.step = 1 << 30
        self.totals: Sequence[int] = ()
        self.peaks: Mapping[str, Sequence[int]] = {}
        if self.goals[-1:] == (Goal.NODES,):
            self.totals = totals_of(instance)
            self.peaks = {item.name: peaks_of(instance, item) for item in instance.resources}

    @property
    def is_over(self) -> bool:
        """Whether its time is up."""
        return self.clock.elapsed > self.until or self.clock.left <= 0

    def plan(self, known: Chosen | None = None) -> BuiltPlan | None:
        """Find a good plan; nothing if none was found.

        Parameters
        ----------
        known
            A plan to begin with: activity -> its mode and its start.
        """
        if any(mode.slack for item in self.instance.activities for mode in item.modes):
            return None  # only a relaxation has that
        if Goal.NODES in self.goals[:-1]:
            return None  # what they reached is no cap of one resource
        if known:
            if self.goals[-1:] == (Goal.NODES,):
                # Nodes are saved by caps, beside which what was reached before is a limit.
                reached = {goal: self._valued(goal, known) for goal in self.goals[:-1]}
                self.instance = replace(self.instance, most={**self.instance.most, **reached})
            return self._improved(dict(known))
        chosen = self._first()
        if chosen is None or not self.goals:
            return None if chosen is None else self._built(chosen)
        return self._improved(chosen)

    def _first(self) -> dict[str, tuple[int, int]] | None:
        """Place everything, on few slots first: a long axis is seldom needed, and slow."""
        horizon = min(self._guess(), self.instance.horizon)
        while True:
            grids = self._grids(horizon)
            if grids is None:
                return None
            aim = PlacingAim([goal for goal in self.goals if not goal.is_maximum])
            board = Board(self.instance, grids)
            if not any(self._searched(board, aim, _is_whole)[:2]):
                return board.chosen
            if horizon == self.instance.horizon or self.is_over:
                return None
            horizon = min(2 * horizon, self.instance.horizon)

    def _guess(self) -> int:
        """Guess by when everything can have ended."""
        latest = max(min(mode.first for mode in item.modes) for item in self.instance.activities)
        shortest = [min(mode.length for mode in item.modes) for item in self.instance.activities]
        return latest + sum(shortest) + 1

    def _grids(self, horizon: int) -> dict[str, ActivityGrid] | None:
        modes = sum(len(item.modes) for item in self.instance.activities)
        if modes * horizon > _LARGEST:
            return None
        return {item.name: ActivityGrid(item, horizon) for item in self.instance.activities}

    def _improved(self, chosen: dict[str, tuple[int, int]]) -> BuiltPlan:
        """Make a plan better, as long as that goes on."""
        best = self._built(chosen)
        ends = [
            start + item.modes[place].length
            for item in self.instance.activities
            for place, start in [chosen[item.name]]
        ]
        # A plan that ends sooner needs no slots after the end of this one; others may wait longer.
        makespan = self.goals == (Goal.MAKESPAN,)
        horizon = max(ends) if makespan else min(2 * max(ends), self.instance.horizon)
        grids = self._grids(horizon)
        if grids is None:
            return best
        while best.value > self.bound and not self.is_over:
            better = self._better(best, grids)
            if better is None:
                return best
            best = better
        return best

    def _better(self, best: BuiltPlan, grids: Mapping[str, ActivityGrid]) -> BuiltPlan | None:
        """Find a plan that is better by the last goal, and as good by those before."""
        goal = self.goals[-1]
        if goal is Goal.NODES:
            return self._fewer(best, grids)
        board = self._loaded(best.chosen, grids)
        dues = {
            each: self._due(each, self._valued(each, best.chosen) - (each is goal))
            for each in self.goals
            if each.is_maximum
        }
        aimed = 0 if goal.is_maximum else self.bound
        self._searched(
            board,
            PlacingAim(self.goals, dues),
            lambda worth: _is_whole(worth) and worth[-1] <= aimed,
        )
        if board.missing or board.excess():
            return None
        found = self._built(board.chosen)
        return found if found.value < best.value else None

    def _due(self, goal: Goal, most: int) -> dict[str, int]:
        """Say by when each activity has to have ended for the value of a goal."""
        if goal is Goal.MAKESPAN:
            return {
                item.name: most - self.tails[item.name]
                for item in self.instance.activities
                if item.is_work
            }
        return {
            item.name: item.due + most for item in self.instance.activities if item.due is not None
        }

    def _fewer(self, best: BuiltPlan, grids: Mapping[str, ActivityGrid]) -> BuiltPlan | None:
        """Look for a plan on fewer nodes: a part of the room at once, less where that fails."""
        fewer = [most for most in self.totals if self.bound <= most < best.value]
        self.step = min(self.step, max(len(fewer) >> _PARTS, 1))
        while fewer:
            for caps in self._caps(fewer[-min(self.step, len(fewer))]):
                board = self._loaded(best.chosen, grids, caps)
                self._searched(board, PlacingAim(()), _is_whole)
                if not board.missing and not board.excess():
                    return self._built(board.chosen)
                if self.is_over:
                    return None
            if self.step == 1:
                break
            self.step >>= 1
        return None

    def _caps(self, most: int) -> list[dict[str, int]]:
        """Split nodes among the resources: by what there is of each, and by chance."""
        peaked = [item for item in self.instance.resources if item.peaks]
        total = sum(item.most for item in peaked)
        found = []
        for attempt in range(1 if len(peaked) == 1 else 3):
            left, caps = most, {}
            self.chance.random.shuffle(peaked)
            for place, item in enumerate(peaked):
                rest = sum(other.most for other in peaked[place + 1 :])
                share = left * item.most // max(item.most + rest, 1)
                if attempt:
                    share = self.chance.random.choice([0, item.most])
                share = min(max(share, left - rest), item.most, left)
                caps[item.name] = max(peak for peak in self.peaks[item.name] if peak <= share)
                left -= caps[item.name]
            found.append(caps)
        return found if total > most else []

    def _loaded(
        self,
        chosen: Chosen,
        grids: Mapping[str, ActivityGrid],
        caps: Mapping[str, int] | None = None,
    ) -> Board:
        """Put on a board what of a plan has room there."""
        board = Board(self.instance, grids, caps)
        for name, (place, start) in chosen.items():
            if board.fits(name, place, start):
                board.put(name, place, start)
        return board

    def _searched(self, board: Board, aim: PlacingAim, is_enough: Callable[[Worth], bool]) -> Worth:
        return search(board, aim, self.chance, is_enough=is_enough, is_over=lambda: self.is_over)

    def _valued(self, goal: Goal, chosen: Chosen) -> int:
        return valued(self.instance, goal, chosen, self._board(chosen).lots())

    def _board(self, chosen: Chosen) -> Board:
        board = Board(self.instance, {})
        for name, (place, start) in chosen.items():
            board.put(name, place, start)
        return board

    def _built(self, chosen: Chosen) -> BuiltPlan:
        value = self._valued(self.goals[-1], chosen) if self.goals else 0
        return BuiltPlan(chosen=dict(chosen), lots=self._board(chosen).lots(), value=value)


def _is_whole(worth: Worth) -> bool:
    """Tell whether nothing is missing, and nothing beyond a limit."""
    return not any(worth[:2])
