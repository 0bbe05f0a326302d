"""Find a partition of the space in which everything is excluded but the answer.

This is branch and bound by the arithmetic of the checker, from an answer that is known already:
what it excludes, the checker excludes.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from mlsysim.certificates.certificate import Certificate, CertifiedAnswer
from mlsysim.certificates.formulas import Formulas
from mlsysim.certificates.judging import BoxJudge, Judgement
from mlsysim.certificates.parts import Codes, OpenBoxes, Reasons, taken
from mlsysim.certificates.splitting import axes
from mlsysim.errors import CertificateError

MOST_PARTS = 10_000_000
"""A certificate has no more parts; that is at most 40 MB, before it is compressed."""

# A box this small costs less to list than to cut.
_LEAF = 16.0


def prove(
    formulas: Formulas,
    answer: CertifiedAnswer,
    *,
    version: str,
    go_on: Callable[[float], bool] = lambda _: True,
    most_parts: int = MOST_PARTS,
) -> Certificate:
    """Prove an answer.

    Parameters
    ----------
    formulas
        The question.
    answer
        The answer.
    version
        The version of mlsysim.
    go_on
        Told the share of the designs that is settled, now and then; whether to go on.
    most_parts
        How many parts there may be.

    Raises
    ------
    CertificateError
        If a design is left that may be better; if there are too many parts; or if it was not
        to go on.
    """
    judge, reasons = BoxJudge(formulas, answer.positions), Reasons.of(formulas)
    stack = OpenBoxes(list(formulas.lengths.values()))
    written: list[Codes] = []
    whole = float(stack.volume)
    boxes = 0
    while len(stack):
        some = stack.take()
        boxes += len(some)
        judgement = judge.boxes(some)
        codes = _reasons(judgement, reasons)
        small = np.flatnonzero((codes < 0) & (some.volumes <= _LEAF))
        if not np.all(judge.all_excluded(taken(some, small))):
            raise CertificateError(
                "a design is left whose last digit decides, or that is better than the answer"
            )
        codes[small] = reasons.designs
        left = np.flatnonzero(codes < 0)
        if len(left):
            codes[left] = axes(judge, taken(some, left))
            stack.put_halves(taken(some, left), codes[left])
        written.append(codes.astype(np.uint16))
        if boxes // 2 > most_parts:
            raise CertificateError(f"it would have more than {most_parts:,} parts")
        if not go_on(1.0 - stack.volume / whole):
            raise CertificateError(f"stopped after {boxes:,} boxes, with {len(stack):,} left")
    return Certificate(
        formulas=formulas, answer=answer, codes=np.concatenate(written), version=version
    )


def _reasons(judgement: Judgement, reasons: Reasons) -> NDArray[np.int64]:
    """Give the first reason that excludes each box; -1 where nothing does."""
    holds = np.concatenate([judgement.impossible, judgement.worse[:, None]], axis=1)
    return np.where(holds.any(axis=1), reasons.choices + holds.argmax(axis=1), -1)
