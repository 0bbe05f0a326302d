"""`mlsysim` itself: the engine, and the vectorised reference."""

from benchmarks.answer import TOP, Answer
from benchmarks.question import Question

from mlsysim.core.dse import Method


def by_engine(question: Question, time_limit: float) -> Answer:
    """Answer by CP-SAT.

    Parameters
    ----------
    question
        What is asked.
    time_limit
        In seconds.
    """
    return _answer(question, Method.CP_SAT, time_limit)


def by_reference(question: Question, time_limit: float) -> Answer:
    """Answer by evaluating every design in NumPy blocks."""
    return _answer(question, Method.EXHAUSTIVE, time_limit)


def _answer(question: Question, method: Method, time_limit: float) -> Answer:
    result = question.explorer().search(
        question.evaluate, method=method, top=TOP, time_limit=time_limit
    )
    return Answer.of(result)
