"""Hold a question file to its word: CP-SAT, a walk over every design and the file have to agree."""

import json
from dataclasses import dataclass
from typing import Any

from mlsysim.files.comparison import (
    differences,
    front_differences,
)
from mlsysim.files.question import Question
from mlsysim.problem.domain import label
from mlsysim.results import SearchResult, Status
from mlsysim.search.comparison import (
    ARRAYS,
    REFERENCE,
    SOLVER,
    Comparison,
    compare,
    is_stopped,
)
from mlsysim.search.interruption import interruptible
from mlsysim.search.options import ProgressCallback
from mlsysim.search.reference import FEW

WALK = 10_000_000
"""The largest space that is evaluated whole, in arrays, unless told otherwise."""

QUICKEST = "the quickest way"


@dataclass(frozen=True, kw_only=True)
class Verified:
    """What came of holding a question file to its word.

    Parameters
    ----------
    result
        The answer: CP-SAT's, or for a large space that of the quickest way.
    was_walked
        Whether every design has been evaluated as well.
    agrees
        Whether who evaluated every design says the same.
    failures
        One line for each thing that is not as it should be; one that was stopped is not.
    stopped
        One line for each answer that was stopped before it could be compared.
    """

    result: SearchResult
    was_walked: bool
    agrees: bool
    failures: tuple[str, ...]
    stopped: tuple[str, ...]

    @property
    def differs(self) -> bool:
        """Whether something is wrong, rather than not finished."""
        return len(self.failures) > len(self.stopped)


def verify(
    question: Question,
    *,
    walk: int | None = WALK,
    progress: ProgressCallback | None = None,
    executor: Any = None,
    **options: Any,
) -> Verified:
    """Answer a question by CP-SAT and by evaluating every design; compare, also with the file.

    A file that states no answer promises one thing: that a design exists.  Asked for another
    framework than it is about, it promises nothing.

    Parameters
    ----------
    question
        The question.
    walk
        The largest number of designs that are all to be evaluated; a larger space is answered
        by the quickest way, and its proof compared with the file alone.  None for no limit.
    progress, executor
        Those of a search.
    **options
        The other options of `Question.solve`.
    """
    options |= {"progress": progress, "executor": executor}
    with interruptible():  # Ctrl-C ends both
        answers = {
            who: question.solve(method=method, **options) for who, method in _ways(question, walk)
        }
    return _verified(question, compare(answers))


def verify_front(
    question: Question, *, walk: int | None = WALK, executor: Any = None, **options: Any
) -> tuple[str, ...]:
    """Find the Pareto front of a question each way; compare, also with the file.

    Returns
    -------
    tuple of str
        One line for each thing that is not as it should be.
    """
    fronts = {
        who: question.pareto(method=method, executor=executor, **options)
        for who, method in _ways(question, walk)
    }
    return tuple(front_differences(question.expected, fronts))


def _ways(question: Question, walk: int | None) -> list[tuple[str, str]]:
    """List who answers, and by which method: CP-SAT, and whoever evaluates every design.

    A space too large for the latter is left to the quickest way: nothing else would hold
    CP-SAT's answer, and it alone may take hours.
    """
    size = question.problem.space.size
    if walk is not None and size > walk:
        return [(QUICKEST, "auto")]
    ways = [(SOLVER, "cp-sat"), (ARRAYS, "exhaustive"), (REFERENCE, "reference")]
    return ways if size <= FEW else ways[:2]


def _verified(question: Question, found: Comparison) -> Verified:
    expected, solved = question.expected, found.solved
    failures = list(found.differences)
    if expected is not None:
        failures = differences(expected, found)
    elif not solved and not (question.is_overridden and solved.status is Status.INFEASIBLE):
        ended = {Status.INFEASIBLE: "no design meets all requirements"}
        failures.append(ended.get(solved.status, "no design was found within the limits"))
    stopped = tuple(
        f"not compared: {who} was stopped by {answer.statistics.stopped_by}, {answer.status} so far"
        for who, answer in found.answers.items()
        if is_stopped(answer)
    )
    return Verified(
        result=solved,
        was_walked=len(found.answers) > 1,
        agrees=found.agrees,
        failures=(*failures, *stopped),
        stopped=stopped,
    )


def expected_block(result: SearchResult) -> str:
    """Write an answer as the ``[expected]`` block of a question file."""
    lines = ["[expected]", f'status = "{result.status.value}"']
    if result:
        chosen = (f"{name} = {_toml(value)}" for name, value in result.best_params.items())
        lines += [
            f"objective = {result.best_objective!r}",
            f"parameters = {{ {', '.join(chosen)} }}",
        ]
    if result.conflict:
        lines.append(f"conflict = {json.dumps(list(result.conflict))}")
    return "\n".join(lines)


def _toml(value: Any) -> str:
    """Write a value of a choice in TOML; catalogue entries by their names."""
    plain = value if isinstance(value, (bool, int, float)) else label(value)
    return json.dumps(plain, ensure_ascii=False)
