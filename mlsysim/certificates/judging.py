"""Tell what excludes boxes, and single designs."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mlsysim.certificates.bounds import Bounds, BoxTable
from mlsysim.certificates.enclosure import Enclosure
from mlsysim.certificates.formulas import Formulas, Positions, Result
from mlsysim.certificates.parts import LARGEST, designs_of, pieces, taken
from mlsysim.certificates.rounding import Array, Mask
from mlsysim.certificates.rules import INEXACT
from mlsysim.errors import CertificateError

TOLERANCE = 1e-9
"""A design that is better by no more than this, relative, is no better."""


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """What is known of some boxes.

    Parameters
    ----------
    impossible
        For each requirement, the boxes in which no design meets it; one column each.
    least
        A lower bound on the objective, which is to be minimised, in each box.
    limit
        What a better design is below.
    read
        What encloses the steps that were asked for.
    """

    impossible: Mask
    least: Array
    limit: float
    read: Mapping[int, Enclosure]

    @property
    def worse(self) -> Mask:
        """The boxes in which no design is better."""
        return np.asarray(self.least >= self.limit)

    @property
    def excluded(self) -> Mask:
        """The boxes of which nothing is left."""
        return np.asarray(self.worse | self.impossible.any(axis=1))


class BoxJudge:
    """Judges boxes and designs of a question, given what is the best design.

    Parameters
    ----------
    formulas
        The question.
    best
        The positions of the best design; nothing where there is none.

    Raises
    ------
    CertificateError
        If the objective of that design is not finite.
    """

    def __init__(self, formulas: Formulas, best: tuple[int, ...] | None) -> None:
        self.formulas = formulas
        self._bounds = Bounds(formulas)
        self.limit = np.inf
        if best is not None:
            value = float(self._objectives(np.array([best], np.int64))[0])
            if not np.isfinite(value):
                raise CertificateError(f"the best design is worth {value!r}, which is no number")
            self.limit = value - TOLERANCE * abs(value)

    @property
    def sign(self) -> int:
        """The factor between the user's objective and the one that is minimised."""
        return 1 if self.formulas.sense == "minimize" else -1

    def boxes(self, boxes: BoxTable) -> Judgement:
        """Judge boxes by what encloses the formulas over them."""
        read = self._bounds.read(boxes)
        count = len(boxes)
        impossible = np.zeros((count, len(self.formulas.requirements)), np.bool_)
        for place, requirement in enumerate(self.formulas.requirements):
            impossible[:, place] = ~read[requirement.holds].may_be_true
        objective = read[self.formulas.objective]
        least = objective.low if self.sign > 0 else -objective.high
        return Judgement(
            impossible=impossible,
            least=np.broadcast_to(least, count),
            limit=self.limit,
            read=read,
        )

    def all_excluded(self, boxes: BoxTable) -> Mask:
        """Tell of which boxes every single design is excluded."""
        settled = np.ones(len(boxes), np.bool_)
        for group in pieces(boxes, LARGEST):
            designs, box = designs_of(taken(boxes, group))
            left = ~(
                self.boxes(BoxTable(first=designs, last=designs)).excluded | self._fails(designs)
            )
            settled[group[np.unique(box[left])]] = False
        return settled

    def broken(self, design: tuple[int, ...]) -> list[str]:
        """List the requirements that a design does not meet, beyond what libraries may round."""
        designs = np.array([design], np.int64)
        excluded = self.boxes(BoxTable(first=designs, last=designs)).impossible[0]
        return [
            requirement.name
            for place, requirement in enumerate(self.formulas.requirements)
            if excluded[place] or self._breaks(place, designs)[0]
        ]

    def objective(self, design: tuple[int, ...]) -> float:
        """Compute the objective of a design, in its own sense."""
        return float(self.sign * self._objectives(np.array([design], np.int64))[0])

    def _objectives(self, designs: Positions) -> Array:
        (value,) = self.formulas.at(designs, [self.formulas.objective])
        return np.asarray(self.sign * value)

    def _fails(self, designs: Positions) -> Mask:
        """Tell which designs fail in floats, where all libraries round alike."""
        failed = ~np.isfinite(self._objectives(designs))
        for place in range(len(self.formulas.requirements)):
            failed |= self._breaks(place, designs)
        return np.asarray(failed)

    def _breaks(self, place: int, designs: Positions) -> Mask:
        """Tell which designs break a requirement that is computed exactly."""
        requirement = self.formulas.requirements[place]
        holds, *sides = self.formulas.at(designs, [requirement.holds, *requirement.sides])
        broken = np.zeros(len(designs), np.bool_)
        for side in sides:
            broken |= ~np.isfinite(side)
        return np.asarray(broken | ((holds == 0) & self._exact[place]))

    @cached_property
    def _exact(self) -> list[bool]:
        """Whether each requirement is computed by operations alone that round alike everywhere."""
        exact = []
        for requirement in self.formulas.requirements:
            steps = (self.formulas.steps[p] for p in self.formulas.needed([requirement.holds]))
            exact.append(
                not any(isinstance(step, Result) and step.operation in INEXACT for step in steps)
            )
        return exact
