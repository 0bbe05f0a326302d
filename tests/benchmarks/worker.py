"""One contender answers one question, some times over, in a process of its own.

Run by `measure`: ``python -m benchmarks.worker QUESTION CONTENDER REPEATS SECONDS``
writes one line of JSON. A process of its own gives the peak memory, and keeps
what one contender loads out of the others' times.
"""

import json
import resource
import sys
import time
from dataclasses import asdict
from typing import Any

from benchmarks.contender import Contender
from benchmarks.optional import MissingPackageError
from benchmarks.question import question_named
from benchmarks.questions import Objective, Splits, training_question

# A contender may stop a little later than it is told to.
_STOPPED = 0.9
_WARM_UP_SECONDS = 0.2


def main(name: str, contender: str, repeats: str, limit: str) -> None:
    """Answer, and write the times, the answer and the peak memory.

    Parameters
    ----------
    name
        The question.
    contender
        Who answers it.
    repeats
        How often.
    limit
        How many seconds each time may take.
    """
    who, question = Contender(contender), question_named(name)
    solve = who.load()
    seconds: list[float] = []
    cpu: list[float] = []
    report: dict[str, Any]
    try:
        # Imports and compilation are paid once per process, not once per question.
        solve(training_question(2, Objective.DOLLARS, Splits.UNEVEN), _WARM_UP_SECONDS)
        for _ in range(int(repeats)):
            start, worked = time.perf_counter(), time.process_time()
            answer = solve(question, float(limit))
            seconds.append(time.perf_counter() - start)
            cpu.append(time.process_time() - worked)
            if not answer.proven and seconds[-1] > _STOPPED * float(limit):
                break  # what the limit stopped would be stopped again
    except MissingPackageError as reason:
        report = {"error": str(reason)}
    else:
        kibibytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        report = {
            "seconds": seconds,
            "cpu": cpu,
            "mebibytes": kibibytes / 1024,
            "answer": asdict(answer),
        }
    sys.stdout.write(json.dumps(report) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
