"""Random designs of every stage, over all its arguments and the whole catalogue.

The stages are found by reflection, and so are their arguments.  What values an
argument takes is in `ARGUMENTS`; one that is not there fails every law by name,
so that a new argument is under the laws from its first day.
"""

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from strategies import examples

from mlsysim.catalog import Infrastructure, Models, Systems
from mlsysim.catalog.accelerator import Accelerator
from mlsysim.catalog.builtin import TREES
from mlsysim.catalog.cluster import Cluster
from mlsysim.catalog.language_model import LanguageModel
from mlsysim.catalog.node import Node
from mlsysim.catalog.record import Record
from mlsysim.core import solver
from mlsysim.core.stage import ForwardModel, StageResult
from mlsysim.core.stages import distributed
from mlsysim.core.stages.mixed_fleet import ReplicaDesign, pools_of
from mlsysim.core.stages.serving_calibration import ServingCalibration
from mlsysim.core.stages.serving_hardware import Purchase
from mlsysim.core.stages.serving_machine import accelerator_of
from mlsysim.errors import Infeasible, MissingFigureError
from mlsysim.units import is_quantity, magnitude

Drawn = Mapping[str, Any]
Values = st.SearchStrategy[Any]


def _stages(parent: type[ForwardModel] = ForwardModel) -> Iterator[type[ForwardModel]]:
    for child in parent.__subclasses__():
        yield from _stages(child)
        if child.__module__.startswith("mlsysim."):
            yield child


assert solver.__all__  # imports every stage
STAGES = sorted(set(_stages()), key=lambda stage: stage.__name__)
SERVING = [
    stage
    for stage in STAGES
    if "batch_size" in stage.inputs() and any(name in stage.inputs() for name in ("output_tokens",))
]


@dataclass(frozen=True)
class Design:
    """The arguments of one stage; it prints as the call that evaluates it."""

    stage: type[ForwardModel]
    arguments: Mapping[str, Any]

    def __getitem__(self, name: str) -> Any:
        return self.arguments[name]

    def but(self, **changes: Any) -> "Design":
        """Change some arguments."""
        return Design(self.stage, {**self.arguments, **changes})

    def solve(self) -> Any:
        """Evaluate it on plain numbers."""
        return self.stage().solve(**self.arguments)

    def outcome(self) -> Any:
        """Evaluate it; `None` where the stage refuses it or the catalogue lacks a figure."""
        try:
            return self.solve()
        except (Infeasible, MissingFigureError):
            return None

    def __repr__(self) -> str:
        listed = ", ".join(f"{name}={shown(value)}" for name, value in self.arguments.items())
        return f"{self.stage.__name__}().solve({listed})"

    @property
    def fleets(self) -> dict[str, Any]:
        """The arguments that say on what it runs."""
        ends = ("fleet", "accelerator")
        return {name: value for name, value in self.arguments.items() if name.endswith(ends)}


def shown(value: Any) -> str:
    """Write a value so that it can be pasted."""
    if isinstance(value, Record):
        tree = TREES[type(value)]
        if value.name in tree and tree[value.name] == value:
            return f"{tree.path}.{value.name}"
        if isinstance(value, Cluster):
            parts = f"node={shown(value.node)}, nodes={value.nodes}, fabric={shown(value.fabric)}"
            return f"Cluster(name={value.name!r}, {parts})"
    return repr(value)


def numbers(result: StageResult) -> dict[str, float]:
    """Give every metric without its unit, and every verdict; `None` is left out."""
    found: dict[str, Any] = {}
    for item in dataclasses.fields(result):
        value = getattr(result, item.name)
        if item.name == "checks":
            found |= {f"check {reason}": check.holds for reason, check in value.items()}
        elif isinstance(value, Mapping):
            found |= {f"{item.name}.{key}": part for key, part in value.items()}
        else:
            found[item.name] = value
    bare = {name: value.magnitude if is_quantity(value) else value for name, value in found.items()}
    return {name: value for name, value in bare.items() if value is not None}


# ---------------------------------------------------------------- values of the arguments


def _powers(most: int) -> Values:
    return st.integers(0, most).map(lambda power: 2**power)


def _log(low: float, high: float) -> Values:
    """Draw a number of three digits whose logarithm is spread evenly."""
    ratio = high / low
    return st.integers(0, 1000).map(lambda k: float(f"{low * ratio ** (k / 1000):.3g}"))


def _records(tree: Mapping[str, Any]) -> Values:
    return st.sampled_from(sorted(tree)).map(tree.__getitem__)


def _or(first: Values, other: Values, weight: int = 3) -> Values:
    """Draw from the first so many times as often as from the other."""
    return st.integers(0, weight).flatmap(lambda k: first if k < weight else other)


def _maybe(values: Values) -> Values:
    return st.none() | values


@st.composite
def _clusters(draw: st.DrawFn) -> Cluster:
    """Draw a cluster of the catalogue, or one of any node."""
    if draw(st.booleans()):
        return draw(_records(Systems.Clusters))
    node = draw(_records({k: n for k, n in Systems.Nodes.items() if n.has("nic_bandwidth")}))
    nodes = draw(st.sampled_from([1, 2, 3, 4, 16, 64]))
    fabric = draw(st.sampled_from([Systems.Fabrics.IB_NDR, Systems.Fabrics.RoCE_100]))
    return Cluster(name=f"{node.name}_x{nodes}", node=node, nodes=nodes, fabric=fabric)


_FLEETS = st.one_of(_records(Systems.Accelerators), _records(Systems.Nodes), _clusters())


def _fleet(stage: type[ForwardModel], name: str, drawn: Drawn) -> Values:
    kinds = str(stage.inputs()[name].annotation)
    return _FLEETS if "Accelerator" in kinds else _clusters()


def _near(name: str, drawn: Drawn) -> tuple[str, Any]:
    """Find the prefix of an argument that a stage has once for every pool, and its fleet."""
    for prefix in ("prefill_", "decode_"):
        if name.startswith(prefix):
            return prefix, drawn[f"{prefix}fleet"]
    return "", drawn.get("fleet", drawn.get("decode_fleet"))


def _divisors(number: int, most: int) -> list[int]:
    return [size for size in range(1, most + 1) if number % size == 0]


def _room(fleet: Any) -> int:
    """Count the accelerators among which a replica may lie."""
    return fleet.scale_up_domain if isinstance(fleet, Accelerator) else fleet.accelerators


def _model(stage: type[ForwardModel], name: str, drawn: Drawn) -> Values:
    """Draw a model that fits what was drawn to run it, most of the time."""
    fleets = [value for key, value in drawn.items() if key.endswith(("fleet", "accelerator"))]
    place = min(
        min(_room(fleet), 16) * magnitude(accelerator_of(fleet).memory_capacity, "byte")
        for fleet in fleets
    )
    fitting = {
        name: model
        for name, model in Models.Language.items()
        if 2.6 * model.parameters < place or name == "GPT2"
    }
    return _or(_records(fitting), _records(Models.Language), 8)


def _tensor(stage: type[ForwardModel], name: str, drawn: Drawn) -> Values:
    model, (_, fleet) = drawn["model"], _near(name, drawn)
    capacity = magnitude(accelerator_of(fleet).memory_capacity, "byte")
    allowed = [
        size
        for size in (1, 2, 4, 5, 8, 16)
        if size <= _room(fleet)
        and model.heads % size == 0
        and model.kv_heads % min(size, model.kv_heads) == 0
    ]
    large = [size for size in allowed if size * 0.8 * capacity > 2 * model.parameters]
    return _or(st.sampled_from(large or allowed[-1:]), st.sampled_from([1, 2, 3, 4, 6, 8, 16]), 9)


def _pipeline(stage: type[ForwardModel], name: str, drawn: Drawn) -> Values:
    prefix, fleet = _near(name, drawn)
    room = max(_room(fleet) // drawn[f"{prefix}tp_size"], 1)
    return _or(st.integers(1, min(drawn["model"].layers, room, 8)), st.integers(1, 8), 9)


def _groups(stage: type[ForwardModel], name: str, drawn: Drawn) -> Values:
    prefix, fleet = _near(name, drawn)
    used = drawn[f"{prefix}tp_size"] * drawn[f"{prefix}pp_size"]
    fitting = [size for size in (1, 1, 1, 2, 3, 4, 8) if size * used <= _room(fleet)]
    return _or(st.sampled_from(fitting or [1]), st.sampled_from([1, 2, 3, 8]), 9)


def _virtual(stage: type[ForwardModel], name: str, drawn: Drawn) -> Values:
    some = st.sampled_from([2, 3, 5])
    return _or(some, st.just(1), 1) if drawn["pp_size"] > 1 else _or(st.just(1), some, 20)


def _schedule(stage: type[ForwardModel], name: str, drawn: Drawn) -> Values:
    fitting = ("1f1b", "zero-bubble" if drawn["virtual_stages"] == 1 else "interleaved")
    return _or(st.sampled_from(fitting), st.sampled_from(distributed.SCHEDULES), 6)


def _length(most: int) -> Callable[[type[ForwardModel], str, Drawn], Values]:
    def values(stage: type[ForwardModel], name: str, drawn: Drawn) -> Values:
        context = getattr(drawn["model"], "max_context", most)
        inside = st.sampled_from(
            [
                size
                for size in (1, 128, 512, 1000, 2048, 4096, 8192)
                if size <= min(most, context / 2)
            ]
        )
        return _or(inside, st.integers(1, most), 3)

    return values


def _expert(stage: type[ForwardModel], name: str, drawn: Drawn) -> Values:
    experts = drawn["model"].experts
    if not experts:
        return _or(st.just(1), st.sampled_from([2, 8]), 12)
    prefix, _ = _near(name, drawn)
    group = drawn[f"{prefix}tp_size"] * drawn.get(f"{prefix}attention_dp_size", 8)
    sizes = [size for size in _divisors(experts, 64) if group % size == 0]
    return _or(st.sampled_from(sizes), st.sampled_from([1, 2, 4, 8]), 9)


def _precision(stage: type[ForwardModel], name: str, drawn: Drawn) -> Values:
    fleets = [value for key, value in drawn.items() if key.endswith(("fleet", "accelerator"))]
    known = set.intersection(*(set(accelerator_of(fleet).precisions) for fleet in fleets))
    options = (
        set(stage.OPTIONS[name]) if hasattr(stage, "OPTIONS") else set(_PRECISIONS[stage.__name__])
    )
    return st.sampled_from(sorted(known & options) or ["fp16"])


def _nodes(stage: type[ForwardModel], name: str, drawn: Drawn) -> Values:
    return st.none() | st.integers(1, min(drawn["fleet"].nodes, 128))


def _replicas_of(stage: type[ForwardModel], name: str, drawn: Drawn) -> Values:
    pools = sorted(pools_of(drawn["designs"]))
    return st.fixed_dictionaries({pool: st.integers(0, 40) for pool in pools})


@st.composite
def _replica_designs(draw: st.DrawFn) -> list[ReplicaDesign]:
    """Draw two or three designs of two kinds, for one or two classes."""
    made = []
    for name in "ABC"[: draw(st.integers(1, 3))]:
        classes = draw(st.sampled_from([["chat"], ["code"], ["chat", "code"]]))
        made.append(
            ReplicaDesign(
                name=name,
                kind=draw(st.sampled_from(["L4", "H100"])),
                accelerators=draw(st.sampled_from([1, 2, 8])),
                rates={item: draw(_log(0.1, 50)) for item in classes},
                price=draw(_log(0.5, 50)),
                watts=draw(_maybe(_log(100, 10_000))),
            )
        )
    return made


def _prefill_share(stage: type[ForwardModel], name: str, drawn: Drawn) -> Values:
    return _SHARE.map(lambda share: 0.9 * share * drawn["utilization"])


def _constant(values: Values) -> Callable[[type[ForwardModel], str, Drawn], Values]:
    return lambda stage, name, drawn: values


_SHARE = st.integers(0, 20).map(lambda k: k / 20)
_POSITIVE_SHARE = st.integers(1, 20).map(lambda k: k / 20)
_KEPT = st.sampled_from(["bf16", "fp8", "int8", "int4", "fp4"])
_GRIDS = sorted(Infrastructure.Grids)
_PRECISIONS = {
    "DistributedModel": ["bf16", "fp16", "fp8", "fp32"],
    "SingleNodeModel": ["bf16", "fp16", "fp8", "fp32", "int8"],
    "ServingModel": ["bf16", "fp16", "fp8", "int8", "fp4"],
    "ContinuousBatchingModel": ["bf16", "fp16", "fp8", "int8", "fp4"],
    "DisaggregatedModel": ["bf16", "fp16", "fp8", "int8", "fp4"],
}

ARGUMENTS: dict[str, Callable[[type[ForwardModel], str, Drawn], Values]] = {
    "model": _model,
    "fleet": _fleet,
    "accelerator": _constant(_records(Systems.Accelerators)),
    "batch_size": _constant(_or(_powers(9), st.integers(1, 600), 1)),
    "input_tokens": _length(8192),
    "output_tokens": _length(1024),
    "request_rate": _constant(_log(0.01, 100)),
    "utilization_limit": _constant(_POSITIVE_SHARE),
    "tp_size": _tensor,
    "pp_size": _pipeline,
    "cp_size": _constant(_or(st.just(1), st.sampled_from([2, 3, 4]), 3)),
    "ep_size": _expert,
    "attention_dp_size": _groups,
    "replicas": _constant(_or(st.just(1), st.integers(1, 12), 2)),
    "precision": _precision,
    "weight_precision": _constant(_maybe(_KEPT)),
    "attention_precision": lambda stage, name, drawn: _maybe(_precision(stage, name, drawn)),
    "kv_precision": _constant(st.sampled_from(["bf16", "fp8", "int4"])),
    "page_tokens": _constant(st.sampled_from([1, 16, 64])),
    "chunk_tokens": _constant(st.sampled_from([256, 1000, 2048, 8192])),
    "prefix_hit_rate": _constant(_SHARE),
    "draft_tokens": _constant(st.integers(0, 5)),
    "draft_acceptance": _constant(_SHARE),
    "draft_layers": _constant(st.integers(1, 3)),
    "memory_fraction": _constant(st.sampled_from([0.5, 0.8, 0.9, 0.95])),
    "runtime": _constant(st.sampled_from(sorted(ServingCalibration.built_in().runtimes))),
    "transfer_bandwidth": _constant(_log(0.1, 400)),
    "efficiency": _constant(st.none() | st.integers(20, 90).map(lambda k: k / 100)),
    "seq_len": _length(8192),
    "micro_batch_size": _constant(_or(st.just(1), _powers(2), 1)),
    "virtual_stages": _virtual,
    "schedule": _schedule,
    "overlap": _constant(st.sampled_from(distributed.OVERLAPS)),
    "attention": _constant(st.sampled_from(distributed.ATTENTIONS)),
    "recompute": _constant(st.sampled_from(distributed.RECOMPUTE)),
    "zero_stage": _constant(_or(st.integers(1, 3), st.just(0), 5)),
    "sequence_parallel": _constant(st.booleans()),
    "scatter_gather": _constant(st.booleans()),
    "fused_loss": _constant(st.booleans()),
    "optimizer_offload": _constant(st.booleans()),
    "gradient_bytes": _constant(st.sampled_from([2, 4, 6])),
    "nodes": _nodes,
    "duration_days": _constant(_log(0.1, 400)),
    "region": _constant(st.sampled_from(_GRIDS)),
    "electricity_price": _constant(_log(0.01, 0.5)),
    "pue": _constant(_maybe(st.integers(100, 200).map(lambda k: k / 100))),
    "utilization": _constant(_POSITIVE_SHARE),
    "effective_throughput": _constant(_log(1e3, 1e8)),
    "lifetime_years": _constant(_log(1, 10)),
    "maintenance_rate": _constant(_SHARE),
    "idle_power_share": _constant(_SHARE),
    "server_factor": _constant(st.sampled_from([1.0, 1.3, 1.5, 2.0])),
    "server_power_factor": _constant(st.sampled_from([1.0, 1.5, 1.8])),
    "accelerators": _constant(st.integers(1, 600)),
    "tokens_per_second": _constant(_log(10, 1e6)),
    "input_tokens_per_second": _constant(_log(10, 1e6)),
    "prefill_share": _prefill_share,
    "demand": _constant(_log(0.01, 100)),
    "purchase": _constant(st.sampled_from([str(item) for item in Purchase])),
    "rental_price": _constant(_log(0.5, 10)),
    "tokens": _constant(_log(1e9, 2e13)),
    "checkpoint_interval": _constant(_maybe(_log(60, 2e4))),
    "checkpoint_bandwidth": _constant(_log(0.1, 50)),
    "state_bytes_per_parameter": _constant(st.sampled_from([2, 12, 14, 18])),
    "restart_time": _constant(_log(1, 3600)),
    "accelerator_mtbf": _constant(_log(1e4, 1e6)),
    "node_mtbf": _constant(_log(5e3, 1e6)),
    "accelerator_hour_price": _constant(_log(0.5, 10)),
    "designs": _constant(_replica_designs()),
}
"""Argument -> what values it takes, given the stage and what was drawn before it."""

_SPECIAL: dict[tuple[str, str], Callable[[type[ForwardModel], str, Drawn], Values]] = {
    ("SingleNodeModel", "model"): _constant(
        _or(_records(Models.Language), _records(Models.Vision), 2)
    ),
    ("MixedFleetModel", "replicas"): _replicas_of,
}

# What a planner leaves out most of the time: what another stage or the catalogue gives.
_OFTEN_LEFT = {
    "request_rate", "transfer_bandwidth", "rental_price", "demand",
    "accelerator_hour_price", "effective_throughput", "tokens_per_second",
    "input_tokens_per_second", "prefill_share",
}  # fmt: skip


def values_of(stage: type[ForwardModel], name: str, drawn: Drawn) -> Values:
    """Give the values that an argument takes.

    Raises
    ------
    AssertionError
        If nobody has said which.
    """
    plain = name.removeprefix("prefill_").removeprefix("decode_")
    if name == "prefill_share":
        plain = name
    found = _SPECIAL.get((stage.__name__, name), ARGUMENTS.get(plain))
    assert found is not None, (
        f"{stage.__name__}.solve has an argument {name!r} that tests/laws/designs.py does not "
        "know: add its values to ARGUMENTS, so that the laws hold for it"
    )
    return found(stage, name, drawn)


@st.composite
def designs(draw: st.DrawFn, stage: type[ForwardModel]) -> Design:
    """Draw all arguments of a stage; optional ones are now and then left out."""
    drawn: dict[str, Any] = {}
    whole: dict[str, Any] = {}
    # What it runs on first, so that the model can fit; what is a part of something after it.
    last = ("ep_size", "prefill_share")
    order = sorted(
        stage.inputs(),
        key=lambda name: (not name.endswith(("fleet", "accelerator")), name.endswith(last)),
    )
    for name in order:
        item = stage.inputs()[name]
        value = draw(values_of(stage, name, whole))
        whole[name] = value
        optional = item.default is not item.empty
        if optional and name in _OFTEN_LEFT and draw(st.booleans()):
            whole[name] = item.default
            continue
        drawn[name] = value
    return Design(stage, {name: drawn[name] for name in stage.inputs() if name in drawn})


class Complete(dict[str, object]):
    """The arguments of a design with the defaults of those left out."""

    def __init__(self, stage: type[ForwardModel], design: Design) -> None:
        defaults = {name: item.default for name, item in stage.inputs().items()}
        super().__init__({**defaults, **design.arguments})


def together(design: Design) -> set[str]:
    """Name the arguments that cannot be chosen each on its own."""
    names = {"designs", "replicas"} if "designs" in design.arguments else set()
    return names | ({"prefill_share", "utilization"} & design.arguments.keys())


def feasible(stage: type[ForwardModel]) -> Values:
    """Draw designs that the stage finds feasible."""

    def fits(design: Design) -> bool:
        result = design.outcome()
        return result is not None and bool(result.feasible)

    return designs(stage).filter(fits)


def law(count: int = 25) -> settings:
    """Give the settings of a law; 200 times as many designs with ``MLSYSIM_LONG=200``."""
    return settings(
        examples(count),
        suppress_health_check=[
            HealthCheck.filter_too_much,
            HealthCheck.too_slow,
            HealthCheck.data_too_large,
        ],
    )
