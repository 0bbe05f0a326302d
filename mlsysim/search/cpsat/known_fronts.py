"""Fronts of programs, kept for other programs over the same designs: explanations ask many."""

from dataclasses import dataclass

import numpy as np

from mlsysim.expr.graph import Constant
from mlsysim.search.cpsat.program.program import Program
from mlsysim.search.cpsat.program.rows import Rows


@dataclass(frozen=True, kw_only=True)
class _Front:
    """The designs of a program that fewer than so many others dominate.

    Parameters
    ----------
    program
        The program.
    keep
        How many.
    rows
        The designs.
    """

    program: Program
    keep: int
    rows: Rows

    def of(self, program: Program, keep: int) -> Rows | None:
        """Give the front of a program, if it has the same designs and is about no other number.

        Whoever dominates a design in all numbers does so in some of them, so that fewer
        dominate it in all.
        """
        columns = {node.position: place for place, node in enumerate(self.program.objectives)}
        wanted = [node for node in program.objectives if not isinstance(node, Constant)]
        if not (
            keep <= self.keep
            and program.designs == self.program.designs
            and columns.keys() >= {node.position for node in wanted}
        ):
            return None
        values = np.zeros((len(self.rows), len(program.objectives)))
        for place, node in enumerate(program.objectives):
            if isinstance(node, Constant):
                values[:, place] = node.value
            else:
                values[:, place] = self.rows.values[:, columns[node.position]]
        return Rows(designs=self.rows.designs, values=values).undominated(keep)


class KnownFronts:
    """The fronts that were found so far."""

    def __init__(self) -> None:
        self._fronts: list[_Front] = []

    def add(self, program: Program, keep: int, rows: Rows) -> None:
        """Keep the designs of a program that fewer than `keep` others dominate."""
        self._fronts.append(_Front(program=program, keep=keep, rows=rows))

    def of(self, program: Program, keep: int) -> Rows | None:
        """Give the front of a program, if one of those known tells it."""
        fronts = (front.of(program, keep) for front in self._fronts)
        return next((rows for rows in fronts if rows is not None), None)
