"""The joint question: training jobs that share accelerators, power and money.

Each job has its own model, tokens, deadline and about 2e10 designs; five kinds
of accelerators are short. What is asked: the least total cost.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from mlsysim import ceil, floor, maximum, minimum, select, where
from mlsysim.core.dse import DSE

_SECONDS_PER_DAY = 86_400.0
_ACCELERATORS_PER_NODE = 8
_SEQUENCE = 4096
_NIC_BANDWIDTH = 50e9


class Kind(NamedTuple):
    """A kind of node with eight accelerators.

    Parameters
    ----------
    flops
        What one accelerator achieves.
    memory
        Bytes of one accelerator.
    link
        Bytes per second between the accelerators of a node.
    kilowatts, usd_per_hour
        Of the node.
    nodes_per_job
        How many there are, per job of the question.
    """

    flops: float
    memory: float
    link: float
    kilowatts: float
    usd_per_hour: float
    nodes_per_job: float


KINDS: Mapping[str, Kind] = {
    "A100": Kind(0.45 * 312e12, 76e9, 250e9, 6.5, 10.4, 48),
    "H100": Kind(0.42 * 989e12, 76e9, 400e9, 10.2, 19.2, 24),
    "H200": Kind(0.42 * 989e12, 137e9, 400e9, 10.2, 23.2, 6),
    "MI300X": Kind(0.40 * 1307e12, 188e9, 350e9, 12.0, 25.6, 16),
    "B200": Kind(0.40 * 2250e12, 184e9, 800e9, 14.3, 39.2, 8),
}


class Job(NamedTuple):
    """What one job trains.

    Parameters
    ----------
    parameters
        Of the model.
    layers, hidden
        Its shape.
    tokens
        To train on.
    days
        The deadline.
    """

    parameters: float
    layers: int
    hidden: int
    tokens: float
    days: float


_MODELS = ((8.0e9, 32, 4096), (32.5e9, 64, 5120), (70.6e9, 80, 8192), (13.0e9, 40, 5120))


def job(number: int) -> Job:
    """Give one of the jobs; no two are the same."""
    parameters, layers, hidden = _MODELS[number % len(_MODELS)]
    # Work that keeps 30 to 60 nodes of the H100 kind busy until the deadline.
    days = 20.0 + 3 * (number % 5)
    nodes = 30 + 7 * (number % 4) + number % 3
    rate = nodes * _ACCELERATORS_PER_NODE * KINDS["H100"].flops * 0.9
    tokens = rate * days * _SECONDS_PER_DAY / (6 * parameters)
    return Job(parameters, layers, hidden, tokens, days)


@dataclass(frozen=True, kw_only=True)
class JointQuestion:
    """Some jobs, and the choices that each has.

    Parameters
    ----------
    jobs
        How many jobs there are.
    choices
        The values of each choice of one job.
    """

    jobs: int
    choices: Mapping[str, Sequence[Any]]

    @property
    def name(self) -> str:
        """What the tables call it."""
        return f"joint-{self.jobs}" + ("-narrow" if self.choices is NARROW else "")

    @property
    def space(self) -> dict[str, Sequence[Any]]:
        """The choices of all jobs."""
        return {
            f"{name}_{number}": values
            for number in range(self.jobs)
            for name, values in self.choices.items()
        }

    @property
    def constraints(self) -> dict[str, str]:
        """What each job needs, and what they share."""
        named = {}
        for number in range(self.jobs):
            named[f"memory {number}"] = f"jobs.j{number}.spare_memory >= 0"
            named[f"deadline {number}"] = f"jobs.j{number}.days <= {job(number).days!r}"
            named[f"layout {number}"] = f"jobs.j{number}.missing <= 0"
        for name, kind in KINDS.items():
            nodes = int(kind.nodes_per_job * self.jobs)
            named[f"inventory {name}"] = f"nodes.{name} <= {nodes}"
        named["power"] = f"kilowatts <= {470 * self.jobs}"
        named["budget"] = f"usd_per_hour <= {1000 * self.jobs}"
        return named

    def explorer(self) -> DSE:
        """Give the question to the engine."""
        return DSE(self.space, "minimize: usd", self.constraints)

    def evaluate(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Evaluate every job, and add up what they share."""
        totals: dict[str, Any] = {"usd": 0.0, "kilowatts": 0.0, "usd_per_hour": 0.0}
        nodes: dict[str, Any] = dict.fromkeys(KINDS, 0)
        jobs = {}
        for number in range(self.jobs):
            own = {name: params[f"{name}_{number}"] for name in self.choices}
            found = jobs[f"j{number}"] = evaluate_job(job(number), **own)
            totals = {name: total + found[name] for name, total in totals.items()}
            for name in KINDS:
                nodes[name] = nodes[name] + where(own["kind"] == name, own["nodes"], 0)
        return {**totals, "nodes": nodes, "jobs": jobs}


def evaluate_job(  # noqa: PLR0913, PLR0917
    task: Job,
    kind: Any,
    nodes: Any,
    batch: Any,
    tp: Any,
    pp: Any,
    micro: Any,
    zero: Any,
    recompute: Any,
) -> dict[str, Any]:
    """Evaluate one job."""

    def figure(name: str) -> Any:
        return select(kind, {at: getattr(each, name) for at, each in KINDS.items()})

    accelerators = nodes * _ACCELERATORS_PER_NODE
    replicas = maximum(floor(accelerators / (tp * pp)), 1)
    micro_batches = ceil(batch / (replicas * micro))
    layers = ceil(task.layers / pp)
    tokens = _SEQUENCE * micro
    work = select(recompute, {0: 6.0, 1: 6.4, 2: 8.0}) * task.parameters / task.layers
    ring = 8 * (tp - 1) / tp * tokens * (2.0 * task.hidden) / figure("link")
    stage = layers * (work * tokens / tp / figure("flops") + ring)
    share = task.parameters / (tp * pp)
    exchange = 4.0 / _NIC_BANDWIDTH * share * (1 - 1 / replicas) * where(zero == 3, 1.5, 1.0)
    step = (micro_batches + pp - 1) * stage + maximum(exchange - 0.5 * stage, 0.0) + 0.02
    # Larger batches learn less per token: half as fast at the critical batch of 2,000.
    days = task.tokens * (1 + batch / 2000.0) / (batch * _SEQUENCE) * step / _SECONDS_PER_DAY
    state = share * (
        where(zero == 3, 2.0 / replicas, 2.0)
        + where(zero >= 2, 4.0 / replicas, 4.0)
        + where(zero >= 1, 12.0 / replicas, 12.0)
    )
    saved = select(recompute, {0: 34.0, 1: 20.0, 2: 2.0})
    held = layers * minimum(micro_batches, pp) * saved * tokens * task.hidden / tp
    usd_per_hour = nodes * figure("usd_per_hour")
    return {
        "spare_memory": figure("memory") - state - held,
        "missing": tp * pp - accelerators,
        "days": days,
        "step": step,
        "usd": usd_per_hour * 24 * days,
        "usd_per_hour": usd_per_hour,
        "kilowatts": nodes * figure("kilowatts"),
    }


WIDE: Mapping[str, Sequence[Any]] = {
    "kind": tuple(KINDS),
    "nodes": range(1, 1_025),
    "batch": range(1, 4_097),
    "tp": (1, 2, 4, 8),
    "pp": (1, 2, 4, 8, 16),
    "micro": (1, 2, 4, 8),
    "zero": (0, 1, 2, 3),
    "recompute": (0, 1, 2),
}
# Few enough that brute force can walk the product of two or three jobs.
NARROW: Mapping[str, Sequence[Any]] = {
    "kind": ("H100", "MI300X", "B200"),
    "nodes": (21, 29, 30, 37, 45, 46, 55),
    "batch": (296, 360, 464),
    "tp": (2, 4, 8),
    "pp": (1, 2),
    "micro": (4,),
    "zero": (2,),
    "recompute": (0,),
}


def joint_question(jobs: int, *, narrow: bool = False) -> JointQuestion:
    """Give the question with 2e10 designs per job, or with 378."""
    return JointQuestion(jobs=jobs, choices=NARROW if narrow else WIDE)
