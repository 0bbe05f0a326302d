"""Walk the ladder: every question, every contender, and whether they agree."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.answer import TOLERANCE, TOP, disagreement, gap
from benchmarks.contender import Contender
from benchmarks.contenders.scip import TOLERANCE as SCIP_TOLERANCE
from benchmarks.measure import Measurement, measure
from benchmarks.question import question_named
from benchmarks.questions import SPACES, Objective, Splits

_WALKERS = tuple(who for who in Contender if who.walks_everything)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is run.

    Parameters
    ----------
    sizes
        Exponents of the training questions.
    jobs
        Numbers of jobs of the joint questions.
    most
        Replicas per kind of the counting questions.
    real
        The names of the questions of the real stages.
    contenders
        Who answers, besides the engine.
    repeats
        How often.
    seconds
        The limit of the engine and of the reference.
    scip_seconds
        The limit of SCIP.
    walk
        The largest exponent that the reference and brute force walk.
    """

    sizes: Sequence[int]
    jobs: Sequence[int]
    most: Sequence[int]
    real: Sequence[str]
    contenders: Sequence[Contender]
    repeats: int
    seconds: float
    scip_seconds: float
    walk: int


@dataclass(frozen=True, kw_only=True)
class Row:
    """All measurements of one question.

    Parameters
    ----------
    question
        Its name.
    size
        Its number of designs.
    measurements
        By contender.
    """

    question: str
    size: int
    measurements: Mapping[Contender, Measurement]

    @property
    def engine(self) -> Measurement:
        """How the engine did."""
        return self.measurements[Contender.ENGINE]

    def ratio(self, contender: Contender) -> float | None:
        """How many times as long as the engine a contender took."""
        ours, theirs = self.engine.median, None
        if contender in self.measurements:
            theirs = self.measurements[contender].median
        return theirs / ours if ours and theirs is not None else None

    @property
    def optuna_gap(self) -> float | None:
        """How far Optuna's best falls short; `None` if it found nothing."""
        theirs = self.measurements.get(Contender.OPTUNA)
        if theirs is None or theirs.answer is None or self.engine.answer is None:
            return None
        return gap(theirs.answer, self.engine.answer)

    @property
    def disagreements(self) -> list[str]:
        """What differs from the engine's answer among the others' proven ones."""
        ours = self.engine.answer
        if ours is None:
            return [f"engine: {self.engine.error}"]
        if not ours.proven:
            return [f"engine: {ours.status}"]
        found = []
        for who, measurement in self.measurements.items():
            if measurement.answer is None or not measurement.answer.proven:
                continue
            tolerance, top = (SCIP_TOLERANCE, 1) if who is Contender.SCIP else (TOLERANCE, TOP)
            difference = disagreement(ours, measurement.answer, tolerance=tolerance, top=top)
            if difference:
                found.append(f"{who}: {difference}")
        return found

    @property
    def checked_by(self) -> list[Contender]:
        """Whose proven answers the engine's was compared with."""
        return [
            who
            for who, measurement in self.measurements.items()
            if who is not Contender.ENGINE
            and measurement.answer is not None
            and measurement.answer.proven
        ]

    def to_dict(self) -> dict[str, Any]:
        """Give it as data for JSON."""
        return {
            "question": self.question,
            "size": float(self.size) if self.size < 10**300 else str(self.size),
            "ratios": {who.value: self.ratio(who) for who in self.measurements},
            "optuna_gap": self.optuna_gap,
            "checked_by": [who.value for who in self.checked_by],
            "disagreements": self.disagreements,
            "measurements": {
                who.value: measurement.to_dict() for who, measurement in self.measurements.items()
            },
        }


def names(plan: Plan) -> Iterator[str]:
    """Name the questions of a plan, small ones first."""
    for exponent in plan.sizes:
        for objective in Objective:
            for splits in Splits:
                yield f"1e{exponent}-{objective}-{splits}"
    # The product of a few narrow jobs is what the reference can walk.
    yield from ("joint-2-narrow", "joint-3-narrow")
    yield from (f"joint-{jobs}" for jobs in plan.jobs)
    for most in plan.most:
        yield from (f"counting-{most}-linear", f"counting-{most}-nonlinear")
    yield from plan.real


def climb(plan: Plan, questions: Iterable[str], tell: Callable[[str], None]) -> Iterator[Row]:
    """Measure question after question.

    Parameters
    ----------
    plan
        What is run.
    questions
        The names of the questions.
    tell
        Called with what is about to run.
    """
    walked: dict[tuple[str, Contender], tuple[str, float]] = {}
    for name in questions:
        size = question_named(name).explorer().problem.space.size
        measurements: dict[Contender, Measurement] = {}
        for who in (Contender.ENGINE, *plan.contenders):
            if not _takes_part(plan, who, name, size):
                continue
            kind = name.partition("-")[2]
            if who in _WALKERS and size > 2 * 10**plan.walk:
                if (kind, who) in walked:
                    measurements[who] = _extrapolated(who, size, *walked[kind, who])
                continue
            tell(f"{name}: {who}")
            limit = _limit(plan, who, measurements)
            measurements[who] = measure(name, who, repeats=plan.repeats, limit=limit)
            median = measurements[who].median
            if who in _WALKERS and median is not None:
                walked[kind, who] = (name, median / size)
        yield Row(question=name, size=size, measurements=measurements)


def _takes_part(plan: Plan, who: Contender, name: str, size: int) -> bool:
    if who is Contender.OPTUNA and Objective.INFEASIBLE in name:
        return False
    if name.startswith("real") and who is Contender.OPTUNA:
        return True
    if name.startswith("1e"):
        return True
    return who.answers_anything and (who is Contender.ENGINE or size <= 10**plan.walk)


def _limit(plan: Plan, who: Contender, measurements: Mapping[Contender, Measurement]) -> float:
    if who is Contender.SCIP:
        return plan.scip_seconds
    if who is Contender.OPTUNA:
        return measurements[Contender.ENGINE].median or plan.seconds
    return plan.seconds


def _extrapolated(who: Contender, size: int, name: str, per_design: float) -> Measurement:
    return Measurement(contender=who, seconds=(per_design * size,), extrapolated_from=name)


ALL_SIZES = tuple(SPACES)
