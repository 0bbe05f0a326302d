"""The plan in Python: `mlsysim.Plan`."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Self

from mlsysim.errors import ObjectiveError, ParameterError
from mlsysim.markup import table
from mlsysim.plans.answers.changes import changes_of, kept
from mlsysim.plans.answers.explaining import (
    Remedy,
    conflict_of,
    extra_nodes,
    joint_slip,
    relaxation_of,
)
from mlsysim.plans.answers.finding import Answered, answered, front_of
from mlsysim.plans.answers.front import PlanFront
from mlsysim.plans.answers.result import PlanResult
from mlsysim.plans.answers.wording import moment_text, requirement_text, span_text
from mlsysim.plans.records.fleet import Fleet, Site
from mlsysim.plans.records.goal import goal_of
from mlsysim.plans.records.job import Job
from mlsysim.plans.records.question import PlanQuestion
from mlsysim.plans.records.requirement import RequirementKind
from mlsysim.plans.replanning import replanned
from mlsysim.results.relaxation import Relaxation
from mlsysim.results.statistics import Statistics
from mlsysim.results.status import Status
from mlsysim.search.cpsat.solving.clock import Clock
from mlsysim.search.options import SearchOptions


class Plan:
    """Jobs that share nodes over time: which runs when, on how many nodes, in which layout.

    Parameters
    ----------
    jobs
        What has to be run, with the rows among which to choose.
    fleets
        On what, with calendar and prices.
    goals
        ``"minimize: makespan"``, ``tardiness``, ``max_tardiness``, ``late``, ``cost``,
        ``carbon``, ``nodes`` or ``changes``;
        several are reached one after the other.
    **given
        The other fields of `PlanQuestion`: sites, horizon, budget, slot.

    Raises
    ------
    ParameterError, ObjectiveError
        If something does not exist or is out of range.

    Examples
    --------
    >>> from mlsysim.plans.records.job import Row
    >>> jobs = [Job(name=name, rows=(Row(fleet="lab", nodes=2, seconds=7200),)) for name in "ab"]
    >>> plan = Plan(jobs, [Fleet(name="lab", nodes=3)], slot=3600)
    >>> plan.solve(workers=1).objectives
    (4.0,)
    """

    def __init__(
        self,
        jobs: Sequence[Job],
        fleets: Sequence[Fleet],
        goals: str | Sequence[str] = "minimize: makespan",
        *,
        sites: Sequence[Site] = (),
        **given: Any,
    ) -> None:
        texts = [goals] if isinstance(goals, str) else goals
        self.question = PlanQuestion(
            jobs=tuple(jobs),
            fleets=tuple(fleets),
            goals=tuple(map(goal_of, texts)),
            sites=tuple(sites),
            **given,
        )

    def _repr_html_(self) -> str:
        asked, header = self.question, ("job", "from", "until", "after", "ways to run it")
        rows = []
        for job in asked.jobs:
            first = moment_text(job.release, asked.origin)
            last = "" if job.deadline is None else moment_text(job.deadline, asked.origin)
            rows.append((job.name, first, last, ", ".join(job.after), f"{len(job.rows) or ''}"))
        return table(header, rows, f"minimize: {', '.join(asked.goals)}")

    @classmethod
    def of(cls, question: PlanQuestion) -> Self:
        """Make a plan of a question as it is.

        Parameters
        ----------
        question
            What is to be planned.
        """
        made = cls.__new__(cls)
        made.question = question
        return made

    def solve(self, **options: Any) -> PlanResult:
        """Find the best plan on slots, or prove that there is none at all.

        Parameters
        ----------
        **options
            ``time_limit``, ``workers`` and ``seed``, as for `DSE.search`.

        Raises
        ------
        ParameterError
            If an option is unknown or out of range.
        """
        clock = Clock(SearchOptions.of(**options))
        with clock.interruptible():
            found = answered(self.question, clock)
            why: dict[str, Any] = {}
            if found.status is Status.INFEASIBLE:
                why = _why(self.question, clock)
            elif found.schedule is not None and self.question.earlier is not None:
                why = {"worse": dict(_worse(self.question, found, clock))}
        return _result(self.question, found, clock, why)

    def replanned(self, earlier: PlanResult, now: int) -> Self:
        """Plan anew from what has happened, and change as little as possible.

        What has begun goes on as it runs; of what has not, the fewest starts and layouts change.
        The answer says of each change what keeping the job as it was would do.

        Parameters
        ----------
        earlier
            The answer that was carried out so far; it has the same begin.
        now
            Seconds from the begin.

        Raises
        ------
        ParameterError
            If the earlier answer has no plan.
        """
        if earlier.schedule is None:
            raise ParameterError("the earlier answer has no plan; there is nothing to go on from")
        return self.of(replanned(self.question, earlier.schedule, now, earlier.starts))

    def pareto(self, one: str, two: str, **options: Any) -> PlanFront:
        """Find every plan on slots that no other is better than by both of two goals.

        Each is proven; where a limit comes first, those that were found are spread over the front.

        Parameters
        ----------
        one, two
            The goals, such as ``"minimize: makespan"`` and ``"minimize: cost"``.
        **options
            Those of `solve`.

        Raises
        ------
        ObjectiveError
            If there is no such goal, or both are the same.
        ParameterError
            If an option is unknown or out of range.
        """
        goals = goal_of(one), goal_of(two)
        if goals[0] is goals[1]:
            raise ObjectiveError(f"{goals[0]} and {goals[1]}: a front is one of two goals")
        question = replace(self.question, goals=goals)
        clock = Clock(SearchOptions.of(**options))
        with clock.interruptible():
            status, found = front_of(question, clock)
            if status is Status.INFEASIBLE:
                whole = Plan.of(question).solve(**options)
                if whole.schedule is None:
                    return PlanFront(status=whole.status, goals=goals, points=(), excluded=whole)
                question = replace(question, slot=whole.slot)
                status, found = front_of(question, clock)
        points = tuple(_result(question, point, clock, {}) for point in found)
        return PlanFront(
            status=status if points or status is Status.INFEASIBLE else Status.UNKNOWN,
            goals=goals,
            points=points,
            stopped_by=clock.stopped_by,
        )


def _result(
    question: PlanQuestion, found: Answered, clock: Clock, why: Mapping[str, Any]
) -> PlanResult:
    is_open = found.status in {Status.FEASIBLE, Status.UNKNOWN} or why.get("unfinished")
    statistics = Statistics(
        grid_size=found.plans,
        seconds={**clock.seconds, "total": clock.elapsed},
        solver=dict(clock.counters),
        stopped_by=clock.stopped_by if is_open else None,
    )
    return PlanResult(
        status=found.status,
        method="cp-sat",
        statistics=statistics,
        question=question,
        schedule=found.schedule,
        slot=found.slot,
        bounds=found.bounds,
        values=found.values,
        starts=found.starts,
        **why,
    )


def _worse(question: PlanQuestion, found: Answered, clock: Clock) -> Iterator[tuple[str, str]]:
    """Say of each change of a plan what keeping the job as it was would do."""
    if found.schedule is None:
        return
    for change in changes_of(question, found.schedule):
        if clock.left > 0:
            yield change.job, kept(question, found, change, clock)


def _why(question: PlanQuestion, clock: Clock) -> dict[str, Any]:
    """Explain why there is no plan: conflict, relaxations, the joint slip, further nodes."""
    with clock.within(clock.left / 2):  # the rest is for what would do
        found = conflict_of(question, clock)
    relaxations: list[Relaxation] = []
    unfinished: list[str] = []
    for member in found.members:
        if clock.left <= 0:
            unfinished.append(f"the relaxation of {member.name}")
        else:
            relaxations.append(relaxation_of(question, member, clock))
    late = any(
        member.kind in {RequirementKind.DEADLINE, RequirementKind.HORIZON}
        for member in found.members
    )
    remedies = dict(_remedies(question, late, clock))
    unfinished += [name for name, told in remedies.items() if told is None]
    return {
        "conflict": tuple(member.name for member in found.members),
        "conflict_is_minimal": found.is_minimal,
        "conflict_reasons": {
            member.name: requirement_text(question, member) for member in found.members
        },
        "relaxations": tuple(relaxations),
        "unfinished": tuple(unfinished),
        "remedies": tuple(told for told in remedies.values() if told is not None),
    }


def _remedies(
    question: PlanQuestion,
    late: bool,  # noqa: FBT001
    clock: Clock,
) -> Iterator[tuple[str, str | None]]:
    """Say what would do where moving one requirement alone does not; nothing in time."""
    if late:
        slip = joint_slip(question, clock)
        told = _enough(slip, "no later time is enough", lambda found: f"{span_text(found)} later")
        together = "all deadlines and the horizon together"
        yield "what later deadlines would do", told and f"{together}: {told}"
    for fleet in question.fleets:
        extra = extra_nodes(question, fleet.name, clock)
        told = _enough(extra, "no number of nodes helps", str)
        name = f"more nodes of {fleet.name}"
        yield f"what {name} would do", told and f"{name}: {told}"


def _enough(found: Remedy | None, never: str, text: Callable[[int], str]) -> str | None:
    if found is None or found.amount == math.inf:
        return None if found is None else never
    open_end = "" if found.is_least else ", perhaps less"
    return f"{text(int(found.amount))} would do{open_end}"
