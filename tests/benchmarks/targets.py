"""What the engine is meant to reach, and whether it did in this run."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.contender import Contender
from benchmarks.ladder import Row
from benchmarks.startup import Startup

_JOINT = {"joint-4": 20.0, "joint-8": 45.0, "joint-32": 300.0}
# Seconds of a processor.
_REAL = {
    "real-training-9-throughput": 3.0,
    "real-training-9-dollars": 3.0,
    "real-training-11-dollars": 15.0,
    "real-training-11-infeasible": 15.0,
    "real-goodput-9-days": 1.5,
    "real-fleets-9-dollars": 4.0,
    "real-jobs-4-cost": 2.0,
    "real-jobs-8-cost": 8.0,
    "real-jobs-4-infeasible": 5.0,
}
_MEMORY_MEBIBYTES = 2048.0


@dataclass(frozen=True, kw_only=True)
class Target:
    """One number to reach.

    Parameters
    ----------
    text
        What is measured, and what it should be.
    value
        The worst of this run.
    limit
        What it should be at most, or at least.
    at_least
        Whether more is better.
    where
        The question with the worst value.
    """

    text: str
    value: float
    limit: float
    at_least: bool = False
    where: str = ""

    @property
    def met(self) -> bool:
        """Whether it was reached."""
        return self.value >= self.limit if self.at_least else self.value <= self.limit


def targets(rows: Sequence[Row], startup: Startup | None) -> Iterator[Target]:
    """Compare a run with its targets; what was not run is left out.

    Parameters
    ----------
    rows
        The measurements.
    startup
        What starting costs, if it was measured.
    """
    wrong = [row.question for row in rows if row.disagreements]
    yield Target(
        text="questions with another answer, or none",
        value=len(wrong),
        limit=0,
        where=", ".join(wrong),
    )
    yield from _times(rows)
    yield from _ratios(rows)
    memory = {row.question: row.engine.mebibytes for row in rows if row.engine.mebibytes}
    yield from _worst("peak memory in MiB", memory, _MEMORY_MEBIBYTES)
    if startup is not None:
        yield Target(text="import mlsysim in s", value=startup.import_mlsysim, limit=0.3)
        yield Target(text="tutorial search in s", value=startup.tutorial_search, limit=0.06)


def _times(rows: Sequence[Row]) -> Iterator[Target]:
    seconds = {row.question: row.engine.median for row in rows if row.engine.median is not None}

    def some(start: str, text: str, limit: float) -> Iterator[Target]:
        yield from _worst(
            f"{text} in s",
            {name: time for name, time in seconds.items() if name.startswith(start)},
            limit,
        )

    small = {name: time for name, time in seconds.items() if name.startswith(("1e2", "1e4"))}
    yield from _worst("up to 1e4 designs in s", small, 0.1)
    answered = {name: time for name, time in seconds.items() if "infeasible" not in name}
    for splits, limit in (("divisible", 10.0), ("uneven", 60.0)):
        found = {name: t for name, t in answered.items() if _is(name, "1e12", splits)}
        yield from _worst(f"1e12 designs, {splits}, in s", found, limit)
    infeasible = {
        name: time
        for name, time in seconds.items()
        if "infeasible" in name and not name.startswith("real")
    }
    yield from _worst("infeasible, with conflict and relaxations, in s", infeasible, 2.0)
    growth = {
        name: time / seconds[early]
        for name, time in seconds.items()
        if name.startswith("1e12") and (early := name.replace("1e12", "1e6")) in seconds
    }
    yield from _worst("growth of time from 1e6 to 1e12", growth, 30.0)
    for start, limit in _JOINT.items():
        exact = {name: time for name, time in seconds.items() if name == start}
        yield from _worst(f"{start} in s", exact, limit)
    yield from some("counting", "counting", 30.0)
    cpu = {row.question: row.engine.median_cpu for row in rows}
    for name, limit in _REAL.items():
        worked = cpu.get(name)
        if worked is not None:
            yield Target(text=f"{name} in processor s", value=worked, limit=limit)


def _is(name: str, size: str, splits: str) -> bool:
    return name.startswith(size) and name.endswith(splits)


def _ratios(rows: Sequence[Row]) -> Iterator[Target]:
    for size, limit in (("1e8", 10.0), ("1e10", 500.0)):
        found = _ratio(rows, Contender.REFERENCE, size)
        yield from _worst(f"times faster than the reference at {size}", found, limit, at_least=True)
    # Where SCIP was stopped by its limit, the ratio is a lower bound.
    scip = _ratio(rows, Contender.SCIP, "1e")
    yield from _worst("times faster than SCIP", scip, 1.0, at_least=True)
    by_hand = _ratio(rows, Contender.BY_HAND, "1e12")
    limits = {name: 1 / ratio for name, ratio in by_hand.items()}
    yield from _worst("times as long as by hand at 1e12", limits, 10.0)


def _ratio(rows: Sequence[Row], contender: Contender, start: str) -> dict[str, float]:
    found = {row.question: row.ratio(contender) for row in rows if row.question.startswith(start)}
    return {name: ratio for name, ratio in found.items() if ratio is not None}


def _worst(
    text: str, values: Mapping[str, float], limit: float, *, at_least: bool = False
) -> Iterator[Target]:
    if values:
        where = (min if at_least else max)(values, key=lambda name: values[name])
        yield Target(text=text, value=values[where], limit=limit, at_least=at_least, where=where)
