"""`mlsysim` itself: the engine, and the vectorised reference."""

import time

from benchmarks.answer import TOP, Answer
from benchmarks.question import Question
from benchmarks.real import RealQuestion

from mlsysim.core.dse import Method
from mlsysim.search.options import Progress

# An answer is good once it is this close to the best.
_GOOD = 0.005


def by_engine(question: Question, time_limit: float) -> Answer:
    """Answer by CP-SAT; a real question by what answers it unasked.

    Parameters
    ----------
    question
        What is asked.
    time_limit
        In seconds.
    """
    real = isinstance(question, RealQuestion)
    return _answer(question, Method.AUTO if real else Method.CP_SAT, time_limit)


def by_reference(question: Question, time_limit: float) -> Answer:
    """Answer by evaluating every design in NumPy blocks."""
    return _answer(question, Method.EXHAUSTIVE, time_limit)


def _answer(question: Question, method: Method, time_limit: float) -> Answer:
    began = time.process_time()
    told: list[tuple[float, float]] = []

    def note(state: Progress) -> None:
        if state.best is not None and (not told or told[-1][1] != state.best):
            told.append((time.process_time() - began, state.best))

    result = question.explorer().search(
        question.evaluate, method=method, top=TOP, time_limit=time_limit, progress=note
    )
    answer = Answer.of(result)
    if answer.objectives:
        best = answer.objectives[0]
        good = (at for at, value in told if abs(value - best) <= _GOOD * abs(best))
        answer.details["good_after"] = next(good, time.process_time() - began)
    return answer
