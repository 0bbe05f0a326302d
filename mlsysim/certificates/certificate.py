"""What a certificate says."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from mlsysim.certificates.formulas import Formulas
from mlsysim.certificates.parts import Codes, Reasons


@dataclass(frozen=True, kw_only=True)
class CertifiedAnswer:
    """The best design; or that there is none, where it is left out.

    Parameters
    ----------
    positions
        For each choice the position of its value.
    objective
        What it is worth, in the unit of the question.
    """

    positions: tuple[int, ...] | None = None
    objective: float | None = None

    @property
    def status(self) -> str:
        """How the search ended."""
        return "INFEASIBLE" if self.positions is None else "OPTIMAL"


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """A proof of an answer.

    Parameters
    ----------
    formulas
        The question.
    answer
        The answer.
    codes
        The partition of the space (see `mlsysim.certificates.parts`).
    version
        The version of mlsysim that traced the question.
    """

    formulas: Formulas
    answer: CertifiedAnswer
    codes: Codes
    version: str

    @property
    def parts(self) -> int:
        """The number of parts."""
        return int(np.count_nonzero(self.codes >= len(self.formulas.choices)))

    @property
    def exclusions(self) -> Mapping[str, int]:
        """What excludes parts -> how many of them; the most frequent first."""
        reasons = Reasons.of(self.formulas)
        found = np.bincount(self.codes, minlength=reasons.designs + 1)
        named = {
            "no better than the answer": int(found[reasons.worse]),
            "design by design": int(found[reasons.designs]),
        }
        for place, requirement in enumerate(self.formulas.requirements):
            count = int(found[reasons.choices + place])
            named[requirement.name] = named.get(requirement.name, 0) + count
        ranked = sorted(named.items(), key=lambda item: -item[1])
        return {name: count for name, count in ranked if count}

    @property
    def design(self) -> dict[str, float | str] | None:
        """The best design, by the names of the choices."""
        if self.answer.positions is None:
            return None
        pairs = zip(self.formulas.choices, self.answer.positions, strict=True)
        return {choice.name: choice.values[position] for choice, position in pairs}
