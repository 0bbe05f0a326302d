"""Tell why a question is infeasible, as far as there is time to prove it."""

from typing import Any

from mlsysim.search.cpsat.conflict import Solve, find_conflict
from mlsysim.search.cpsat.minimize import Minimum
from mlsysim.search.cpsat.program import Program
from mlsysim.search.cpsat.question import Question


class _OutOfTimeError(Exception):
    """A limit came before the proof."""


def why_infeasible(question: Question, solve: Solve) -> dict[str, Any]:
    """Give the conflict and the relaxations of an infeasible question.

    A conflict is minimal and a relaxation the best there is, or they are not
    told at all: a stopped search must not claim what it has not proven.

    Parameters
    ----------
    question
        The question, which is known to be infeasible.
    solve
        Finds the best design of a program.

    Returns
    -------
    dict
        The fields of a `SearchResult`; empty where a limit came first.
    """

    def prove(form: Program) -> Minimum:
        minimum = solve(form)
        if not minimum.proven:
            raise _OutOfTimeError
        return minimum

    try:
        conflict = find_conflict(question, prove)
    except _OutOfTimeError:
        return {}
    return {
        "conflict": conflict.names,
        "conflict_reasons": conflict.reasons,
        "relaxations": conflict.relaxations,
    }
