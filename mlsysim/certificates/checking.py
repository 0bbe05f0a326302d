"""Check a certificate: that its parts cover the space, and that each is excluded."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from mlsysim.certificates.bounds import BoxTable
from mlsysim.certificates.certificate import Certificate
from mlsysim.certificates.judging import TOLERANCE, BoxJudge
from mlsysim.certificates.parts import LARGEST, Codes, OpenBoxes, Reasons, taken
from mlsysim.errors import CertificateError


@dataclass(frozen=True, kw_only=True)
class CheckedProof:
    """What a check has found: the answer is right.

    Parameters
    ----------
    certificate
        What was checked.
    designs
        The number of designs in the space.
    seconds
        How long it took.
    """

    certificate: Certificate
    designs: float
    seconds: float

    @property
    def parts(self) -> int:
        """The number of parts of the space, all of which are excluded."""
        return self.certificate.parts

    @property
    def exclusions(self) -> Mapping[str, int]:
        """What excludes parts -> how many of them."""
        return self.certificate.exclusions


def check(certificate: Certificate) -> CheckedProof:
    """Check a certificate, from its formulas on.

    That the best design meets every requirement and is worth what is told; that the parts cover
    the space; and that in each of them some requirement cannot hold, or no design is better than
    the answer by more than 1e-9, relative.

    Raises
    ------
    CertificateError
        If one of that is not so.
    """
    start = time.perf_counter()
    formulas, answer = certificate.formulas, certificate.answer
    judge, reasons = BoxJudge(formulas, answer.positions), Reasons.of(formulas)
    if answer.positions is not None:
        _check_answer(judge, answer.positions, answer.objective)
    stack, codes = OpenBoxes(list(formulas.lengths.values())), certificate.codes
    while len(stack):
        boxes = stack.take()
        if len(codes) < len(boxes):
            raise CertificateError("the parts do not cover the space: there are too few of them")
        mine, codes = codes[: len(boxes)], codes[len(boxes) :]
        _check_parts(judge, reasons, boxes, mine)
        cut = np.flatnonzero(mine < reasons.choices)
        stack.put_halves(taken(boxes, cut), mine[cut].astype(np.int64))
    if len(codes):
        raise CertificateError(f"the parts cover the space more than once: {len(codes):,} are left")
    return CheckedProof(
        certificate=certificate,
        designs=float(np.prod([float(length) for length in formulas.lengths.values()])),
        seconds=time.perf_counter() - start,
    )


def _check_answer(judge: BoxJudge, design: tuple[int, ...], told: float | None) -> None:
    broken = judge.broken(design)
    if broken:
        raise CertificateError(f"the best design does not meet {broken[0]!r}")
    value = judge.objective(design)
    close = told is not None and np.isfinite(value) and abs(value - told) <= TOLERANCE * abs(value)
    if not close:
        raise CertificateError(f"the best design is worth {value!r}, not {told!r}")


def _check_parts(judge: BoxJudge, reasons: Reasons, boxes: BoxTable, codes: Codes) -> None:
    """Check what is said of some boxes."""
    if np.any(codes > reasons.designs):
        raise CertificateError(f"{int(codes.max())} is not the number of any reason")
    _check_cuts(boxes, codes, np.flatnonzero(codes < reasons.choices))
    judgement = judge.boxes(boxes)
    blamed = np.flatnonzero((codes >= reasons.choices) & (codes < reasons.worse))
    held = ~judgement.impossible[blamed, codes[blamed].astype(np.int64) - reasons.choices]
    _refuse(boxes, blamed[held], "the requirement that is said to exclude it may hold")
    worse = np.flatnonzero(codes == reasons.worse)
    _refuse(boxes, worse[~judgement.worse[worse]], "a design in it may be better than the answer")
    listed = np.flatnonzero(codes == reasons.designs)
    _refuse(boxes, listed[boxes.volumes[listed] > LARGEST], "it has too many designs to list")
    left = ~judge.all_excluded(taken(boxes, listed))
    _refuse(boxes, listed[left], "a design in it is not excluded")


def _check_cuts(
    boxes: BoxTable, codes: Codes, cut: np.ndarray[tuple[int], np.dtype[np.intp]]
) -> None:
    axis = codes[cut].astype(np.int64)
    single = boxes.first[cut, axis] == boxes.last[cut, axis]
    _refuse(boxes, cut[single], "it is cut along a choice of which it has one value")


def _refuse(boxes: BoxTable, which: np.ndarray[tuple[int], np.dtype[np.intp]], why: str) -> None:
    if len(which):
        first, last = boxes.first[which[0]].tolist(), boxes.last[which[0]].tolist()
        raise CertificateError(f"the part from positions {first} to {last}: {why}")
