"""Hold a plan's file to its word: the proof, its replay, the durations of its rows, the file."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mlsysim.files.plans.plan_file import FiledPlan
from mlsysim.files.plans.schema import PlanExpected
from mlsysim.plans.answers.result import PlanResult
from mlsysim.plans.checking import violations
from mlsysim.results.formatting import count
from mlsysim.results.status import Status


@dataclass(frozen=True, kw_only=True)
class VerifiedPlan:
    """What came of holding a plan's file to its word.

    Parameters
    ----------
    result
        The answer.
    failures
        One line for each thing that is not as it should be.
    stopped
        Whether a limit came before the answer could be compared.
    """

    result: PlanResult
    failures: tuple[str, ...]
    stopped: bool


def verify_plan(plan: FiledPlan, **options: Any) -> VerifiedPlan:
    """Answer a plan's file, replay the plan, time its designs anew, and compare with the file."""
    result = plan.solve(**options)
    failures = [*_replayed(plan, result)]
    stopped = result.status in {Status.FEASIBLE, Status.UNKNOWN}
    if stopped:
        by = result.statistics.stopped_by
        failures.append(f"not compared: stopped by {by}, {result.status} so far")
    elif plan.expected is not None:
        failures += _differences(plan.expected, result)
    return VerifiedPlan(result=result, failures=tuple(failures), stopped=stopped)


def _replayed(plan: FiledPlan, result: PlanResult) -> Iterator[str]:
    """Replay a plan on exact times, and evaluate each of its designs on plain numbers."""
    if result.schedule is None:
        return
    yield from violations(result.question, result.schedule)
    for item in plan.served:
        row = result.schedule.run(item.job.name).row
        needed = item.nodes(row, plan.nodes)
        if needed != row.nodes:
            takes = count(needed, "node")
            yield f"{item.job.name}: its design takes {takes}, and the plan has {row.nodes}"
    jobs = {item.job.name: item for item in plan.jobs}
    for run in result.schedule:
        if run.job not in jobs:
            continue
        seconds = jobs[run.job].seconds(run.row)
        if not math.isclose(seconds, run.row.seconds, abs_tol=1.0):
            yield f"{run.job}: its design takes {seconds:.0f} s, and the plan {run.row.seconds} s"


def _differences(expected: PlanExpected, result: PlanResult) -> Iterator[str]:
    if result.status != expected.status:
        yield f"expected.status: {expected.status}, but the answer is {result.status}"
        return
    wanted, found = expected.objectives, result.values
    if wanted and not (
        len(wanted) == len(found)
        and all(
            math.isclose(one, other, rel_tol=expected.tolerance, abs_tol=1e-9)
            for one, other in zip(wanted, found, strict=True)
        )
    ):
        yield f"expected.objectives: {[*wanted]}, but the plan has {[*found]}"
    if expected.conflict and {*expected.conflict} != {*result.conflict}:
        yield (
            f"expected.conflict: {', '.join(sorted(expected.conflict))}, but found is "
            f"{', '.join(sorted(result.conflict))}"
        )


def expected_block(result: PlanResult) -> str:
    """Write an answer as the ``[expected]`` block of a plan's file."""
    lines = ["[expected]", f'status = "{result.status.value}"']
    if result.schedule is not None:
        lines.append(f"objectives = {[*result.values]}")
    if result.conflict:
        lines.append(f"conflict = {[*result.conflict]}".replace("'", '"'))
    return "\n".join(lines)
