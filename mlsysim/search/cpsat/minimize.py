"""Find the best designs of a program, with proof.

There are two ways.  CP-SAT solves the model of the formulas; branch and bound cuts
boxes of designs until few enough are left to be evaluated.  Whoever asks for one of them
gets it: only formulas that have no encoding are left to boxes, and the answer says why.
Unasked, where neither is quickest for certain, they take turns, and each starts from what
the other has found.
"""

import math
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from mlsysim.numeric import TOLERANCE
from mlsysim.search.cpsat.blocks.joint import Blocks
from mlsysim.search.cpsat.blocks.product import RowProduct
from mlsysim.search.cpsat.known_fronts import KnownFronts
from mlsysim.search.cpsat.lowering.not_lowerable import NotLowerableError
from mlsysim.search.cpsat.presolve import WALK, Presolve
from mlsysim.search.cpsat.program.boxes import Boxes, Tables
from mlsysim.search.cpsat.program.program import Program, UndefinedError
from mlsysim.search.cpsat.program.rows import Rows, no_rows
from mlsysim.search.cpsat.scouting import Scout
from mlsysim.search.cpsat.solving.clock import Clock

if TYPE_CHECKING:
    from mlsysim.search.cpsat.lowering.refine import LoweredSearch

# Boxes to bound before the formulas are tried as constraints.
_PATIENCE = 200_000
# The formulas get so much of the time that boxes have taken: it rarely is well spent.
_SHARE = 0.25
_NO_LIMIT = 1 << 62
# Up to here CP-SAT is tried unasked: its model is built and solved in some ten milliseconds.
QUICK = 1 << 10
# Seconds that are kept, of no more than half of those left, to find designs without the blocks.
_IN_PASSING = 0.5
# Seconds after which boxes answer such a question.
_BUDGET = 2.0


class Way(StrEnum):
    """How designs are found and proven to be the best."""

    AUTO = "auto"
    CP_SAT = "cp-sat"
    BRANCH_AND_BOUND = "branch-and-bound"


@dataclass(frozen=True, kw_only=True)
class Minimum:
    """The best designs of a program.

    Parameters
    ----------
    best
        The best designs found, in order.
    proven
        Whether they are proven to be the best.
    bound
        No design that is not among them has a lower objective.
    way
        What has proven it, or come closest.
    reason
        Why it is another way than the one asked for.
    lone
        The places of the conditions that some design was seen to break alone.
    """

    best: Rows
    proven: bool
    bound: float
    way: Way
    reason: str | None = None
    lone: frozenset[int] = frozenset()

    @property
    def placed(self) -> int:
        """How many of the best designs are proven to be where they stand."""
        if self.proven:
            return len(self.best)
        values = self.best.values[:, 0]
        return int(np.count_nonzero(values <= self.bound + TOLERANCE * np.abs(values)))


class Minimizer:
    """Minimises programs of one question, one after the other.

    Parameters
    ----------
    clock
        The time that there is.
    progress
        Told the state of a presolve now and then.
    way
        How.
    """

    def __init__(
        self, clock: Clock, progress: Callable[[Presolve], None], way: Way = Way.AUTO
    ) -> None:
        self._clock = clock
        self._progress = progress
        self._way = way
        self._fronts = KnownFronts()
        self._reason: str | None = None
        self._lowerable = True

    def minimize(self, program: Program, top: int) -> Minimum:
        """Find the best designs."""
        self._reason, self._lowerable = None, True
        size = math.prod(program.lengths.values())
        if self._way is not Way.BRANCH_AND_BOUND and size > WALK:
            with suppress(UndefinedError):
                joint = self._by_blocks(program, top)
                if joint is not None:
                    return joint
        if self._way is Way.CP_SAT or (self._way is Way.AUTO and size <= QUICK):
            found = self._by_formulas_alone(program, top)
            if found is not None:
                return found
        return self._by_boxes(program, top)

    def front(self, program: Program, keep: int = 1) -> Rows | None:
        """Find every design that fewer than `keep` others dominate; nothing if time runs out."""
        known = self._fronts.of(program, keep)
        return self._reduced(self._presolve(program, keep)) if known is None else known

    def _reduced(self, presolve: Presolve) -> Rows | None:
        """Find the front of a presolve; nothing if time runs out."""
        with self._clock.phase("presolve"):
            finished = presolve.run(_NO_LIMIT) and self._clock.left > 0
        if finished:
            with self._clock.phase("tabulate"):
                finished = presolve.finish(presolve.keep)
        self._count(presolve)
        if not finished:
            return None
        self._fronts.add(presolve.program, presolve.keep, presolve.found)
        return presolve.found

    def _by_blocks(self, program: Program, top: int) -> Minimum | None:
        """Treat a question of several blocks as such; give nothing where it is none."""
        blocks = Blocks(program)
        if len(blocks) < 2:  # noqa: PLR2004 - one block has no interface
            return None
        # A design that is excluded must not displace those it dominates.
        keep = top + len(program.excluded)
        programs = list(blocks.programs())
        known = {block.names: self._fronts.of(block, keep) for block in programs}
        presolves = [
            self._presolve(block, keep) for block in programs if known[block.names] is None
        ]
        kept = min(_IN_PASSING, max(self._clock.left, 0.0) / 2)
        with self._clock.keeping(kept):
            known |= self._reduced_all(presolves)
        fronts = {names: rows for names, rows in known.items() if rows is not None}
        if not all(map(len, fronts.values())):
            return _proven(no_rows(len(program.names), 1), Way.BRANCH_AND_BOUND)
        tables = {names: rows.designs for names, rows in fronts.items()}
        unfinished = {
            presolve.program.names: presolve.found.designs
            for presolve in presolves
            if presolve.program.names not in fronts
        }
        product = RowProduct(program=blocks.program, tables=tables | unfinished)
        if unfinished:
            best = self._in_passing(product, top)
            return Minimum(best=best, proven=False, bound=-math.inf, way=Way.BRANCH_AND_BOUND)
        self._clock.counters["rows"] += sum(map(len, tables.values()))
        if self._way is Way.AUTO and product.is_small:
            return self._walked(product, top)
        return self._by_formulas_alone(blocks.program, top, tables)

    def _reduced_all(self, presolves: Sequence[Presolve]) -> dict[tuple[str, ...], Rows]:
        """Find the fronts of blocks, as long as there is time; none after one without designs."""
        fronts: dict[tuple[str, ...], Rows] = {}
        rest = sorted(presolves, key=lambda presolve: not presolve.fits)  # quick ones first
        while rest:
            if not rest[0].fits:
                self._scout(presolves)
            presolve = rest.pop(0)
            rows = self._reduced(presolve)
            if rows is not None:
                fronts[presolve.program.names] = rows
            if not rows:  # out of time, or nothing else matters any more
                break
        for presolve in rest:
            self._count(presolve)
        return fronts

    def _scout(self, presolves: Collection[Presolve]) -> None:
        """Find good designs of every block, in turn, before any of them is reduced."""
        try:
            with self._clock.phase("presolve"):
                while sum(presolve.scout(rounds=1) for presolve in presolves):
                    pass
        except KeyboardInterrupt:
            self._clock.interrupt()

    def _in_passing(self, product: RowProduct, top: int) -> Rows:
        """Find what designs there is time for where it ended before all blocks were reduced.

        What was found of the blocks is put together first; from there it goes on by descents.
        """
        until = self._clock.elapsed + min(self._clock.respite, _IN_PASSING)

        def is_over() -> bool:
            return self._clock.elapsed > until

        scout = Scout(program=product.program, keep=top, seed=self._clock.seed, is_over=is_over)
        with suppress(KeyboardInterrupt):
            if all(map(len, product.tables.values())):
                scout.found, _ = product.thinned().best(top, self._clock, is_over)
            scout.run()
        self._clock.counters["designs"] += scout.evaluated
        return scout.found

    def _walked(self, product: RowProduct, top: int) -> Minimum:
        """Evaluate every combination of what blocks leave."""
        with self._clock.phase("tabulate"):
            best, done = product.best(top, self._clock)
        if done:
            return _proven(best, Way.BRANCH_AND_BOUND)
        return Minimum(best=best, proven=False, bound=-math.inf, way=Way.BRANCH_AND_BOUND)

    def _by_formulas_alone(
        self, program: Program, top: int, tables: Tables | None = None
    ) -> Minimum | None:
        """Leave a question to CP-SAT; give nothing where its formulas have no encoding."""
        nothing = no_rows(len(program.names), 1)
        search = self._lowered(program, top, nothing, tables=tables)
        # Unasked it has as long as boxes would take; those of joint blocks never end.
        budget = _BUDGET if self._way is Way.AUTO and tables is None else math.inf
        try:
            proven = search.run(min(budget, self._clock.left))
        except NotLowerableError as reason:
            self._reason, self._lowerable = str(reason), False
            return None
        except KeyboardInterrupt:
            self._clock.interrupt()
            proven = False
        if proven:
            return _proven(search.found, Way.CP_SAT)
        if math.isfinite(budget) and self._clock.left > 0:
            self._reason = f"CP-SAT was not done within {budget:g} s"
            return None
        bound = min(search.bound, search.cutoff)
        return Minimum(best=search.found, proven=False, bound=bound, way=Way.CP_SAT)

    def _lowered(
        self,
        program: Program,
        top: int,
        found: Rows,
        *,
        box: Boxes | None = None,
        tables: Tables | None = None,
    ) -> "LoweredSearch":
        """Make a search by CP-SAT."""
        from mlsysim.search.cpsat.lowering.refine import (  # noqa: PLC0415 - 0.7 s to import
            LoweredSearch,
        )

        return LoweredSearch(program, top, found, self._clock, box=box, tables=tables)

    def _by_boxes(self, program: Program, top: int) -> Minimum:
        """Shrink a question by boxes, and by its formulas where that is slow."""
        presolve = self._presolve(program, top)
        try:
            return self._alternating(presolve, top)
        except KeyboardInterrupt:
            self._clock.interrupt()
            return self._stopped(presolve)

    def _alternating(self, presolve: Presolve, top: int) -> Minimum:
        """Let boxes and formulas take turns until one of them is done."""
        patience = _PATIENCE
        lowerable = self._way is Way.AUTO and self._lowerable
        while True:
            with self._clock.phase("presolve"):
                finished = presolve.run(patience)
            if lowerable and not finished and len(presolve.open) and self._clock.left > 0:
                try:
                    if self._by_formulas(presolve, top):
                        self._count(presolve)
                        return _proven(presolve.found, Way.CP_SAT)
                except NotLowerableError as reason:
                    self._reason = str(reason)
                    lowerable = False
            if finished and self._clock.left > 0:
                with self._clock.phase("tabulate"):
                    finished = presolve.finish(top)
                if finished:
                    self._count(presolve)
                    minimum = _proven(presolve.found, Way.BRANCH_AND_BOUND, self._reason)
                    return replace(minimum, lone=presolve.lone)
            if self._clock.left <= 0:
                self._count(presolve)
                return self._stopped(presolve)
            patience *= 2

    def _by_formulas(self, presolve: Presolve, top: int) -> bool:
        """Try the formulas for a part of what presolve has taken; tell if that settled it."""
        search = self._lowered(presolve.program, top, presolve.found, box=presolve.open.hull)
        try:
            return search.run(_SHARE * self._clock.seconds["presolve"])
        finally:
            presolve.adopt(search.found, search.bound)

    def _presolve(self, program: Program, keep: int) -> Presolve:
        return Presolve(program=program, keep=keep, clock=self._clock, on_progress=self._progress)

    def _count(self, presolve: Presolve) -> None:
        self._clock.counters["boxes"] += presolve.bounded
        self._clock.counters["designs"] += presolve.evaluated

    def _stopped(self, presolve: Presolve) -> Minimum:
        """Give what a presolve that ran out of time has found."""
        found = presolve.found
        last = float(found.values[-1, 0]) if len(found) >= presolve.keep else math.inf
        return Minimum(
            best=found,
            proven=False,
            bound=min(presolve.bound, last),
            way=Way.BRANCH_AND_BOUND,
            reason=self._reason,
        )


def _proven(best: Rows, way: Way, reason: str | None = None) -> Minimum:
    bound = float(best.values[0, 0]) if len(best) else math.inf
    return Minimum(best=best, proven=True, bound=bound, way=way, reason=reason)
