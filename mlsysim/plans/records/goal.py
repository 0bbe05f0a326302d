"""What a plan is to be best at."""

from enum import StrEnum

from mlsysim.errors import ObjectiveError, suggest


class Goal(StrEnum):
    """What is minimised; each value is its name in text."""

    MAKESPAN = "makespan"
    TARDINESS = "tardiness"
    MAX_TARDINESS = "max_tardiness"
    LATE = "late"
    COST = "cost"
    CARBON = "carbon"
    NODES = "nodes"
    CHANGES = "changes"

    @property
    def unit(self) -> str:
        """The unit in which it is told."""
        return _UNITS[self]

    @property
    def is_rounded(self) -> bool:
        """Whether its sum is one of rounded amounts."""
        return self in {Goal.COST, Goal.CARBON}

    @property
    def softens(self) -> bool:
        """Whether deadlines may slip, because lateness is what is minimised."""
        return self in {Goal.TARDINESS, Goal.MAX_TARDINESS, Goal.LATE}

    @property
    def is_maximum(self) -> bool:
        """Whether it is the largest of what single jobs reach, and so limits each of them."""
        return self in {Goal.MAKESPAN, Goal.MAX_TARDINESS}

    @property
    def is_time(self) -> bool:
        """Whether it is told in slots."""
        return self in {Goal.MAKESPAN, Goal.TARDINESS, Goal.MAX_TARDINESS}


PRICED = (Goal.COST, Goal.CARBON, Goal.CHANGES)
"""The goals that are sums of what each run adds."""

_UNITS = {
    Goal.MAKESPAN: "hour",
    Goal.TARDINESS: "hour",
    Goal.MAX_TARDINESS: "hour",
    Goal.LATE: "",
    Goal.COST: "USD",
    Goal.CARBON: "kg",
    Goal.NODES: "",
    Goal.CHANGES: "",
}


def goal_of(text: str) -> Goal:
    """Read a goal such as ``minimize: makespan``.

    Raises
    ------
    ObjectiveError
        If it is to be maximised, or there is no such goal.
    """
    sense, colon, name = (part.strip() for part in text.partition(":"))
    if not colon:
        sense, name = "minimize", sense
    known = [goal.value for goal in Goal]
    if sense != "minimize":
        raise ObjectiveError(f"{text!r}: a plan can only minimize; write e.g. minimize: makespan")
    if name not in known:
        raise ObjectiveError(
            f"{text!r}: there is no goal {name!r}{suggest(name, known)}; goals: {', '.join(known)}"
        )
    return Goal(name)
