"""Hold a question file to its word: solver, reference and the file's own answer have to agree."""

import json
from dataclasses import dataclass
from typing import Any

from mlsysim.files.comparison import (
    answer_differences,
    differences,
    front_differences,
)
from mlsysim.files.question import Question
from mlsysim.problem.domain import label
from mlsysim.results import SearchResult, Status
from mlsysim.search.comparison import Comparison, compare
from mlsysim.search.interruption import interruptible
from mlsysim.search.options import ProgressCallback

WALK = 10_000_000
"""The largest space that the reference evaluates whole unless told otherwise."""


@dataclass(frozen=True, kw_only=True)
class Verified:
    """What came of holding a question file to its word.

    Parameters
    ----------
    result
        The answer: CP-SAT's.
    was_walked
        Whether every design has been evaluated as well.
    agrees
        Whether the reference says the same, as far as it was asked.
    failures
        One line for each thing that is not as it should be.
    """

    result: SearchResult
    was_walked: bool
    agrees: bool
    failures: tuple[str, ...]


def verify(
    question: Question,
    *,
    walk: int | None = WALK,
    progress: ProgressCallback | None = None,
    executor: Any = None,
    **options: Any,
) -> Verified:
    """Answer a question by CP-SAT and by the reference; compare both, and with the file's answer.

    A file that states no answer promises one thing: that a design exists.  Asked for another
    framework than it is about, it promises nothing.

    Parameters
    ----------
    question
        The question.
    walk
        The largest number of designs that the reference is to evaluate; of a larger
        space CP-SAT's proof is compared with the file alone.  None for no limit.
    progress, executor
        Those of a search.
    **options
        The other options of `Question.solve`.
    """
    options |= {"progress": progress, "executor": executor}
    with interruptible():  # Ctrl-C ends both
        solved = question.solve(method="cp-sat", **options)
        if walk is not None and question.problem.space.size > walk:
            return _verified(question, solved, None)
        walked = question.solve(method="exhaustive", **options)
    return _verified(question, solved, compare(solved, walked))


def verify_front(
    question: Question, *, walk: int | None = WALK, executor: Any = None, **options: Any
) -> tuple[str, ...]:
    """Find the Pareto front of a question both ways; compare both, and with the file.

    Parameters
    ----------
    question
        The question.
    walk
        As for `verify`.
    executor
        That of a search.
    **options
        The other options of `Question.pareto`.

    Returns
    -------
    tuple of str
        One line for each thing that is not as it should be.
    """
    solved = question.pareto(method="cp-sat", **options)
    reference = solved
    if walk is None or question.problem.space.size <= walk:
        reference = question.pareto(method="exhaustive", executor=executor, **options)
    return tuple(front_differences(question.expected, solved, reference))


def _verified(question: Question, solved: SearchResult, both: Comparison | None) -> Verified:
    expected = question.expected
    failures = [] if both is None else list(both.differences)
    if expected is not None:
        failures = (
            answer_differences(expected, solved) if both is None else differences(expected, both)
        )
    elif not solved and not (question.is_overridden and solved.status is Status.INFEASIBLE):
        ended = {Status.INFEASIBLE: "no design meets all requirements"}
        failures.append(ended.get(solved.status, "no design was found within the limits"))
    return Verified(
        result=solved,
        was_walked=both is not None,
        agrees=both is None or both.agrees,
        failures=tuple(failures),
    )


def expected_block(result: SearchResult) -> str:
    """Write an answer as the ``[expected]`` block of a question file.

    Parameters
    ----------
    result
        The answer: a proven one.
    """
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
