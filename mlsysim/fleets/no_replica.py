"""Why no replica keeps the limits of a class of requests: an answer like any other."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from mlsysim.core.dse import DSE
from mlsysim.errors import InfeasibleError
from mlsysim.fleets.preferences import Requirement
from mlsysim.results.result import SearchResult
from mlsysim.search.method import Method
from mlsysim.search.options import SearchOptions

_CHOICE = "replica"


class NoReplicaError(InfeasibleError):
    """No design of a replica keeps the limits of a class of requests; `answer` says why.

    Parameters
    ----------
    answer
        Which of the limits exclude them all, and what each would have to become.
    """

    def __init__(self, answer: SearchResult) -> None:
        super().__init__(answer)
        self.answer = answer

    def __str__(self) -> str:
        return self.answer.explanation


def why_none(
    request_class: str,
    limits: Sequence[str | Requirement],
    replicas: Mapping[str, Mapping[str, Any]],
    evaluate: Callable[[Mapping[str, Any]], Any],
    objective: str,
    options: SearchOptions,
) -> SearchResult:
    """Find which limits of a class exclude the replicas of all kinds, and by how much.

    Parameters
    ----------
    request_class, limits
        The class, and what a replica has to keep.
    replicas
        Name of each replica that is tried -> its arguments.
    evaluate
        Evaluates one.
    objective
        What a replica is judged by, of those that are equally near.
    options
        The time that it may take.

    Returns
    -------
    SearchResult
        Its constraints are called ``"limit of chat"``, or where there are several ``"limit 1 of
        chat"``, as they stand in the file.
    """
    counts = [""] if len(limits) == 1 else [f" {place}" for place in range(1, len(limits) + 1)]
    named = {
        f"limit{count} of {request_class}": text
        for count, text in zip(counts, limits, strict=False)
    }
    found = DSE({_CHOICE: list(replicas)}, objective, named).search(
        lambda params: evaluate(replicas[params[_CHOICE]]),
        method=Method.REFERENCE,
        time_limit=options.time_limit,
    )
    # What a replica would be worth is not what the fleet is asked for.
    nearest = tuple(replace(item, objective=None) for item in found.relaxations)
    return replace(found, relaxations=nearest, designs_of=f"a replica for {request_class}")
