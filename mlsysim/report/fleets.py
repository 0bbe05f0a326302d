"""A mixed fleet, pool by pool: which requests, on what, how many, how fast, for how much."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlsysim.problem.domain import label
from mlsysim.results.blocks import TableBlock, table_of
from mlsysim.results.formatting import design, number
from mlsysim.results.interval import Interval
from mlsysim.stages.fleets.mixed_fleet import ReplicaDesign, ReplicaLatency, pools_of

if TYPE_CHECKING:
    from mlsysim.report.records import ReportedDesign


@dataclass(frozen=True, kw_only=True)
class ReportedPool:
    """Replicas of one design that serve one class of requests.

    Parameters
    ----------
    choice
        The choice of the question that counts them.
    request_class
        Whom they serve.
    design
        What each of them is.
    replicas
        How many there are.
    """

    choice: str
    request_class: str
    design: ReplicaDesign
    replicas: int

    @property
    def latency(self) -> ReplicaLatency:
        """How long a request of the class waits on them."""
        return self.design.latencies.get(self.request_class, ReplicaLatency())

    @property
    def rate(self) -> float:
        """Requests per second that they can serve."""
        return self.replicas * self.design.rates[self.request_class]

    def to_dict(self) -> dict[str, Any]:
        """Give it as JSON has it."""
        return {
            "choice": self.choice,
            "class": self.request_class,
            "design": self.design.name,
            "kind": self.design.kind,
            "replicas": self.replicas,
            "accelerators": self.replicas * self.design.accelerators,
            "request_rate": self.rate,
            "cost_per_hour": self.replicas * self.design.price,
            **self.latency.to_dict(),
        }


def pools_behind(result: Any) -> tuple[ReportedPool, ...]:
    """List the pools of a mixed fleet that hold replicas, by class; nothing of other results.

    Parameters
    ----------
    result
        What the pipeline returned for the fleet.
    """
    given = getattr(result, "arguments", {})
    counts, designs = given.get("replicas"), given.get("designs")
    if not isinstance(counts, Mapping) or not designs:
        return ()
    pools = pools_of(designs)
    found = [
        ReportedPool(choice=name, design=pools[name][0], request_class=pools[name][1], replicas=n)
        for name, n in counts.items()
        if n
    ]
    order = list(dict.fromkeys(name for _, name in pools.values()))
    return tuple(sorted(found, key=lambda pool: order.index(pool.request_class)))


def fleet_table(pools: Sequence[ReportedPool]) -> TableBlock:
    """Write the pools as a table; choices that all of them share are told once.

    Parameters
    ----------
    pools
        At least one.
    """
    designs = [pool.design.params for pool in pools]
    choices = [
        name
        for name in dict.fromkeys(name for params in designs for name in params)
        if any(params.get(name) != designs[0].get(name) for params in designs)
    ]
    same = {name: value for name, value in designs[0].items() if name not in choices}
    shared = f" (all with {design(same)})" if same else ""
    header = ["class", "accelerators", *choices, "requests/s", "USD/h", "first token", "per token"]
    rows = [
        [
            pool.request_class,
            f"{number(pool.replicas * pool.design.accelerators)} {pool.design.kind}",
            *(label(pool.design.params.get(name, "-")) for name in choices),
            number(round(pool.rate, 1)),
            number(round(pool.replicas * pool.design.price, 2)),
            _milliseconds(pool.latency.first_token),
            _milliseconds(pool.latency.per_token),
        ]
        for pool in pools
    ]
    title = f"The fleet, pool by pool{shared}:"
    return table_of([header, *rows], title=title, words=frozenset({0, 1}))


def waits_table(pools: Sequence[ReportedPool], title: str) -> Iterator[TableBlock]:
    """Tell between what the waits on each pool are expected to be; nothing where that is not known.

    Parameters
    ----------
    pools
        At least one.
    title
        What the intervals are.
    """
    rows = [
        [
            pool.request_class,
            f"{number(pool.replicas * pool.design.accelerators)} {pool.design.kind}",
            _between(pool.latency.first_token_within),
            _between(pool.latency.per_token_within),
        ]
        for pool in pools
        if pool.latency.first_token_within or pool.latency.per_token_within
    ]
    if rows:
        header = ["class", "accelerators", "first token", "per token"]
        yield table_of([header, *rows], title=title, words=frozenset({0, 1}))


def _between(ends: tuple[float, float] | None) -> str:
    return "-" if ends is None else str(Interval(low=1e3 * ends[0], high=1e3 * ends[1], unit="ms"))


def pool_changes(best: "ReportedDesign", other: "ReportedDesign") -> str:
    """Say in words which pools of a fleet differ from those of the best.

    Parameters
    ----------
    best, other
        Two fleets of one question.
    """
    return ", ".join(_changes(best.params, other.params)) or "-"


def _changes(best: Mapping[str, Any], other: Mapping[str, Any]) -> Iterator[str]:
    for name, count in other.items():
        if count != best[name]:
            yield f"{count - best[name]:+,} {name}"


def _milliseconds(value: float | None) -> str:
    return "-" if value is None else f"{1e3 * value:,.4g} ms"
