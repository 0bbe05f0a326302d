"""The values that the arguments of stages take, wherever an argument of that name stands.

An argument that is not in `ARGUMENTS` fails every law by name, so that a new
one is under the laws from its first day.
"""

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from mlsysim.catalog import Infrastructure, Models, Systems
from mlsysim.catalog.accelerator import Accelerator
from mlsysim.catalog.cluster import Cluster
from mlsysim.catalog.number_format import Coverage
from mlsysim.physics.activations import RECOMPUTE, UP_PROJECTIONS
from mlsysim.physics.schedule import SCHEDULES
from mlsysim.physics.state import OPTIMIZERS
from mlsysim.stages.fleets.mixed_fleet import ReplicaDesign, pools_of
from mlsysim.stages.machine import accelerator_of
from mlsysim.stages.matrices import TARGETS
from mlsysim.stages.serving.formats import CACHE_WORDS
from mlsysim.stages.serving.hardware import Purchase
from mlsysim.stages.stage import ForwardModel
from mlsysim.stages.training import design
from mlsysim.stages.training.experts import DISPATCHERS, GRAPHS
from mlsysim.units import magnitude

Values = st.SearchStrategy[Any]


@dataclass(frozen=True)
class Place:
    """An argument of a stage, and what was drawn before it."""

    stage: type[ForwardModel]
    name: str
    drawn: Mapping[str, Any]

    @property
    def fleets(self) -> list[Any]:
        """What was drawn to run on."""
        return [item for key, item in self.drawn.items() if key.endswith(RUN_ON)]

    @property
    def prefix(self) -> str:
        """The pool whose argument it is, where there are two."""
        return next((pool for pool in ("prefill_", "decode_") if self.name.startswith(pool)), "")

    @property
    def fleet(self) -> Any:
        """What this argument is about."""
        return self.drawn.get(f"{self.prefix}fleet", self.fleets[0])


Argument = Values | Callable[[Place], Values]
RUN_ON = ("fleet", "accelerator")
"""How the names of arguments end that say on what a design runs."""


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


def _fleet(at: Place) -> Values:
    kinds = str(at.stage.inputs()[at.name].annotation)
    return _FLEETS if "Accelerator" in kinds else _clusters()


def _divisors(number: int, most: int) -> list[int]:
    return [size for size in range(1, most + 1) if number % size == 0]


def _room(fleet: Any) -> int:
    """Count the accelerators among which a replica may lie."""
    return fleet.scale_up_domain if isinstance(fleet, Accelerator) else fleet.accelerators


def _model(at: Place) -> Values:
    """Draw a model that fits what was drawn to run it, most of the time."""
    place = min(
        min(_room(fleet), 16) * magnitude(accelerator_of(fleet).memory_capacity, "byte")
        for fleet in at.fleets
    )
    fitting = {
        name: model
        for name, model in Models.Language.items()
        if 2.6 * model.parameters < place or name == "GPT2"
    }
    return _or(_records(fitting), _records(Models.Language), 8)


def _tensor(at: Place) -> Values:
    model, fleet = at.drawn["model"], at.fleet
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


def _pipeline(at: Place) -> Values:
    room = max(_room(at.fleet) // at.drawn[f"{at.prefix}tp_size"], 1)
    return _or(st.integers(1, min(at.drawn["model"].layers, room, 8)), st.integers(1, 8), 9)


def _groups(at: Place) -> Values:
    used = at.drawn[f"{at.prefix}tp_size"] * at.drawn[f"{at.prefix}pp_size"]
    fitting = [size for size in (1, 1, 1, 2, 3, 4, 8) if size * used <= _room(at.fleet)]
    return _or(st.sampled_from(fitting or [1]), st.sampled_from([1, 2, 3, 8]), 9)


def _virtual(at: Place) -> Values:
    some = st.sampled_from([2, 3, 5])
    told = (at.drawn[name] for name in ("first_stage_layers", "last_stage_layers", "stage_layers"))
    plain = at.drawn["pp_size"] == 1 or any(told)
    return _or(st.just(1), some, 20 if plain else 2)


def _schedule(at: Place) -> Values:
    plain, even = at.drawn["virtual_stages"] == 1, at.drawn["pp_size"] % 2 == 0
    fitting = {
        "1f1b": True,
        "interleaved": not plain,
        "zero-bubble": plain,
        "dualpipe": even and plain,
    }
    likely = [name for name in sorted(SCHEDULES) if fitting.get(name, True)]
    return _or(st.sampled_from(likely), st.sampled_from(sorted(SCHEDULES)), 9)


def _recompute(at: Place) -> Values:
    likely = [
        name for name in sorted(RECOMPUTE) if at.drawn["model"].kv_rank or name != UP_PROJECTIONS
    ]
    return _or(st.sampled_from(likely), st.sampled_from(sorted(RECOMPUTE)), 9)


def _narrow(at: Place) -> Values:
    """Draw a format of activations, most of the time one that the precision allows."""
    likely = st.just("wide") if at.drawn["precision"] != "fp8" else st.sampled_from(design.FORMATS)
    return _or(likely, st.sampled_from(design.FORMATS), 15)


def _first(at: Place) -> Values:
    """Draw layers of the first stage, most of the time so many that the others share the rest."""
    layers, others = at.drawn["model"].layers, at.drawn["pp_size"] - 1
    if others < 1:
        return _or(st.none(), st.just(1), 20)
    sizes = [size for size in range(1, layers) if (layers - size) % others == 0]
    return _or(st.none(), st.sampled_from(sizes or [1]), 4)


def _last(at: Place) -> Values:
    first, layers, stages = (
        at.drawn["first_stage_layers"],
        at.drawn["model"].layers,
        at.drawn["pp_size"],
    )
    if stages == 1:
        return _or(st.none(), st.just(1), 20)
    if first is None:
        return _first(at)
    rest, others = layers - first, stages - 2
    sizes = [size for size in range(1, rest) if others and (rest - size) % others == 0]
    told = st.sampled_from(sizes or [max(rest, 1)])
    return _or(st.none(), told, 1) if rest % (stages - 1) == 0 else told


@st.composite
def _split(draw: st.DrawFn, at: Place) -> tuple[int, ...] | None:
    """Draw layers of each stage, most of the time all of the model."""
    told = (at.drawn["first_stage_layers"], at.drawn["last_stage_layers"])
    layers, stages = at.drawn["model"].layers, at.drawn["pp_size"]
    if draw(st.integers(0, 4 if told == (None, None) else 30)):
        return None
    cuts = draw(
        st.lists(
            st.integers(1, max(layers - 1, 1)),
            min_size=stages - 1,
            max_size=stages - 1,
            unique=True,
        )
        if stages <= layers
        else st.just([])
    )
    edges = [0, *sorted(cuts), layers]
    return tuple(end - start for start, end in itertools.pairwise(edges))


def _recomputed(at: Place) -> Values:
    whole = -(-at.drawn["model"].layers // at.drawn["pp_size"])
    blocks: Values = st.integers(1, whole)
    if (split := at.drawn["stage_layers"]) is not None:
        blocks |= st.tuples(*(st.integers(0, size) for size in split))
    return st.none() | blocks if at.drawn["recompute"] == "full" else _or(st.none(), blocks, 9)


def _sharding(at: Place) -> Values:
    return st.sampled_from(design.SHARDINGS if at.drawn["zero_stage"] > 1 else ["zero"])


def _document(at: Place) -> Values:
    return _or(st.none(), st.integers(1, at.drawn["seq_len"]), 2)


def _frozen(at: Place) -> Values:
    return _or(st.just(0), st.integers(1, at.drawn["model"].layers), 2)


def _length(most: int) -> Argument:
    def values(at: Place) -> Values:
        context = getattr(at.drawn["model"], "max_context", most)
        inside = st.sampled_from(
            [
                size
                for size in (1, 128, 512, 1000, 2048, 4096, 8192)
                if size <= min(most, context / 2)
            ]
        )
        return _or(inside, st.integers(1, most), 3)

    return values


def _expert(at: Place) -> Values:
    experts = at.drawn["model"].experts
    if not experts:
        return _or(st.just(1), st.sampled_from([2, 8]), 12)
    group = at.drawn[f"{at.prefix}tp_size"] * at.drawn.get(f"{at.prefix}attention_dp_size", 8)
    sizes = [size for size in _divisors(experts, 64) if group % size == 0]
    return _or(st.sampled_from(sizes), st.sampled_from([1, 2, 4, 8]), 9)


def _spare(at: Place) -> Values:
    ranks = at.drawn.get(f"{at.prefix}ep_size", 1)
    if ranks == 1:
        return _or(st.just(0), st.sampled_from([1, 4]), 12)
    return _or(st.sampled_from([0, ranks, 2 * ranks]), st.integers(0, 3), 9)


def _precision(at: Place) -> Values:
    known = set.intersection(*(set(accelerator_of(fleet).precisions) for fleet in at.fleets))
    return st.sampled_from(sorted(known & _PRECISIONS[at.stage.__name__]) or ["fp16"])


def _attention_precision(at: Place) -> Values:
    """Draw a format, most of the time one whose products the accelerators can compute."""
    return st.one_of(st.none(), _precision(at), _KEPT)


def _cached(at: Place) -> Values:
    known = CACHE_WORDS.get(at.drawn["runtime"], Models.Formats)
    return _or(st.sampled_from(sorted(known)), st.sampled_from(sorted(Models.Formats)), 9)


def _throughput(at: Place) -> Values:
    """Draw tokens per second that each accelerator trains on, from the largest models to small."""
    together = _room(at.fleet)
    return _log(30, 3e4).map(lambda rate: rate * together)


def _tokens(at: Place) -> Values:
    """Draw tokens of a run: a large fleet is for a large one."""
    together = _room(at.fleet)
    return _log(1e7, 3e9).map(lambda each: each * together)


def _nodes(at: Place) -> Values:
    return st.none() | st.integers(1, min(at.drawn["fleet"].nodes, 128))


def _replicas_of(at: Place) -> Values:
    pools = sorted(pools_of(at.drawn["designs"]))
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


def _prefill_share(at: Place) -> Values:
    return _SHARE.map(lambda share: 0.9 * share * at.drawn["utilization"])


_SHARE = st.integers(0, 20).map(lambda k: k / 20)
_POSITIVE_SHARE = st.integers(1, 20).map(lambda k: k / 20)
_KEPT = st.sampled_from(
    [name for name, kind in Models.Formats.items() if kind.coverage is not Coverage.CACHE]
)
_DRAFTS = ("Llama3_2_1B", "Qwen3_0_6B", "Gemma3_1B")
_GRIDS = sorted(Infrastructure.Grids)
_SERVED = {"bf16", "fp16", "fp8", "int8", "fp4"}
_PRECISIONS = {
    "DistributedModel": {"bf16", "fp16", "fp8", "fp32"},
    "SingleNodeModel": {"bf16", "fp16", "fp8", "fp32", "int8"},
    "ServingModel": _SERVED,
    "ContinuousBatchingModel": _SERVED,
    "DisaggregatedModel": _SERVED,
}

ARGUMENTS: dict[str, Argument] = {
    "model": _model,
    "fleet": _fleet,
    "accelerator": _records(Systems.Accelerators),
    "batch_size": _or(_powers(9), st.integers(1, 600), 1),
    "input_tokens": _length(8192),
    "output_tokens": _length(1024),
    "request_rate": _log(0.01, 100),
    "utilization_limit": _POSITIVE_SHARE,
    "tp_size": _tensor,
    "pp_size": _pipeline,
    "first_stage_layers": _first,
    "last_stage_layers": _last,
    "stage_layers": _split,
    "cp_size": _or(st.just(1), st.sampled_from([2, 3, 4]), 3),
    "ep_size": _expert,
    "attention_dp_size": _groups,
    "replicas": _or(st.just(1), st.integers(1, 12), 2),
    "precision": _precision,
    "weight_precision": _maybe(_KEPT),
    "attention_precision": _attention_precision,
    "kv_precision": _cached,
    "page_tokens": st.sampled_from([1, 16, 64]),
    "chunk_tokens": st.sampled_from([256, 1000, 2048, 8192]),
    "prefix_hit_rate": _SHARE,
    "prefixes": _or(st.just(0), st.sampled_from([1, 3, 20, 1000]), 2),
    "host_cache": _maybe(_log(10, 2000)),
    "draft_tokens": st.integers(0, 5),
    "draft_acceptance": _SHARE,
    "draft_layers": st.integers(1, 3),
    "draft_model": _maybe(_records({name: Models.Language[name] for name in _DRAFTS})),
    "draft_tp_size": _maybe(st.sampled_from([1, 2, 4])),
    "redundant_experts": _spare,
    "memory_fraction": st.sampled_from([0.5, 0.8, 0.9, 0.95]),
    "runtime_reserve": _maybe(_log(0.1, 4)),
    "runtime": st.sampled_from(sorted(Systems.Runtimes)),
    "transfer_bandwidth": _log(0.1, 400),
    "efficiency": st.none() | st.integers(20, 90).map(lambda k: k / 100),
    "seq_len": _length(8192),
    "micro_batch_size": _or(st.just(1), _powers(2), 1),
    "virtual_stages": _virtual,
    "schedule": _schedule,
    "overlap": st.sampled_from(design.OVERLAPS),
    "attention": st.sampled_from(design.ATTENTIONS),
    "recompute": _recompute,
    "recompute_layers": _recomputed,
    "zero_stage": _or(st.integers(1, 3), st.just(0), 5),
    "sequence_parallel": st.booleans(),
    "scatter_gather": st.booleans(),
    "zero_group": st.sampled_from([None, 2, 3, 8]),
    "graphs": st.sampled_from([None, *GRAPHS]),
    "dispatcher": st.sampled_from([None, *DISPATCHERS]),
    "stack": st.sampled_from([None, "megatron", "torchtitan", "deepspeed"]),
    "fused_loss": st.booleans(),
    "optimizer_offload": st.booleans(),
    "activation_offload": _or(st.just(0.0), _SHARE, 2),
    "sharding": _sharding,
    "moment_bytes": st.sampled_from([2, 4]),
    "optimizer": st.sampled_from(OPTIMIZERS),
    "master_weights": st.booleans(),
    "adapter_rank": st.none() | st.sampled_from([1, 8, 64]),
    "adapter_targets": st.sampled_from(sorted(TARGETS)),
    "base_format": _maybe(_KEPT),
    "frozen_layers": _frozen,
    "adapter_dropout": st.booleans(),
    "kernels": st.sampled_from(design.KERNELS),
    "parameter_offload": _or(st.just(value=False), st.booleans(), 2),
    "host_memory": _maybe(_log(10, 1e5)),
    "document_len": _document,
    "packed": st.booleans(),
    "activation_storage": _narrow,
    "dispatch": _narrow,
    "gradient_bytes": st.sampled_from([2, 4, 6]),
    "nodes": _nodes,
    "duration_days": _log(0.1, 400),
    "region": st.sampled_from(_GRIDS),
    "electricity_price": _log(0.01, 0.5),
    "pue": _maybe(st.integers(100, 200).map(lambda k: k / 100)),
    "utilization": _POSITIVE_SHARE,
    "effective_throughput": _throughput,
    "lifetime_years": _log(1, 10),
    "maintenance_rate": _SHARE,
    "idle_power_share": _SHARE,
    "server_factor": st.sampled_from([1.0, 1.3, 1.5, 2.0]),
    "server_power_factor": st.sampled_from([1.0, 1.5, 1.8]),
    "accelerators": st.integers(1, 600),
    "tokens_per_second": _log(10, 1e6),
    "input_tokens_per_second": _log(10, 1e6),
    "prefill_share": _prefill_share,
    "demand": _log(0.01, 100),
    "purchase": st.sampled_from([str(item) for item in Purchase]),
    "rental_price": _log(0.5, 10),
    "tokens": _tokens,
    "checkpoint_interval": _maybe(_log(60, 2e4)),
    "checkpoint_bandwidth": _log(0.1, 50),
    "checkpoint_size": _maybe(_log(0.01, 2e4)),
    "state_bytes_per_parameter": st.sampled_from([None, 2, 12, 14, 18]),
    "restart_time": _log(1, 3600),
    "accelerator_mtbf": _log(1e4, 1e6),
    "node_mtbf": _log(5e3, 1e6),
    "accelerator_hour_price": _log(0.5, 10),
    "designs": _replica_designs(),
}
"""Argument -> what values it takes, given the stage and what was drawn before it."""

_SPECIAL: dict[tuple[str, str], Argument] = {
    ("SingleNodeModel", "model"): _or(_records(Models.Language), _records(Models.Vision), 2),
    ("MixedFleetModel", "replicas"): _replicas_of,
}


def values_of(stage: type[ForwardModel], name: str, drawn: Mapping[str, Any]) -> Values:
    """Give the values that an argument takes, given what was drawn before it.

    Raises
    ------
    AssertionError
        If nobody has said which.
    """
    plain = base_name(name)
    found = _SPECIAL.get((stage.__name__, name), ARGUMENTS.get(plain))
    assert found is not None, (
        f"{stage.__name__}.solve has an argument {name!r} that tests/laws/arguments.py does not "
        "know: add its values to ARGUMENTS, so that the laws hold for it"
    )
    return found(Place(stage, name, drawn)) if callable(found) else found


def base_name(name: str) -> str:
    """Drop the prefix of an argument that a stage has once for every pool."""
    if name == "prefill_share":
        return name
    return name.removeprefix("prefill_").removeprefix("decode_")
