"""How long one pass of a model over some tokens takes, and its slowest pipeline stage."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from mlsysim.catalog.calibration import ServingCalibration
from mlsysim.catalog.runtime import Runtime
from mlsysim.expr.functions import log, maximum, minimum, where
from mlsysim.physics.collectives import (
    all_reduce_time,
    all_to_all_time,
    mesh_bandwidth,
    mesh_steps,
    ranks_visited,
)
from mlsysim.physics.flops import matmul_flops
from mlsysim.physics.serving import fullest_of, overlapped_time, touched_share
from mlsysim.stages.error_classes import Pace
from mlsysim.stages.kinds import LayerKind, heaviest, is_zero, kinds_of, once_each, only_if, total
from mlsysim.stages.machine import Machine
from mlsysim.stages.mixer_shape import MATRICES, FeedShape, MixerShape
from mlsysim.stages.serving.design import ServingDesign
from mlsysim.stages.serving.formats import WIDE_BYTES
from mlsysim.stages.serving.layout import ServingLayout
from mlsysim.stages.shape import ModelShape


@dataclass(frozen=True, kw_only=True)
class ServingRun:
    """Everything about a replica that the formulas need.

    Parameters
    ----------
    design, layout
        What the planner says, and the counts that follow.
    shape, machine
        The model and the fleet as plain numbers.
    runtime, serving
        What the engine takes, and what hardware achieves in serving.
    weight_width, attention_width, cache_width
        Bytes per weight of the MLPs and of attention, and per number of the cache.
    expert_rate
        Rate of products with experts over that with one matrix.
    pace
        How much longer passes take than predicted.
    host_bandwidth
        Between an accelerator and its host (byte/s).
    draft
        A model that drafts, if there is one.
    fetching
        What a request waits for prefixes that come from the hosts (s).
    found, prefix_bytes
        Share of a prompt that is found in caches, and what an accelerator keeps for it.
    """

    design: ServingDesign
    layout: ServingLayout
    shape: ModelShape
    machine: Machine
    runtime: Runtime
    serving: ServingCalibration
    weight_width: Any
    attention_width: Any
    cache_width: Any
    expert_rate: Any
    pace: Pace
    host_bandwidth: Any
    draft: "ServingRun | None" = None
    fetching: Any = 0.0
    found: Any = 0.0
    prefix_bytes: Any = 0.0

    @cached_property
    def mixers(self) -> tuple[MixerShape, ...]:
        """The ways in which layers mix tokens."""
        return kinds_of(self.shape, "mixers")

    @cached_property
    def feeds(self) -> tuple[LayerKind, ...]:
        """The ways in which they feed forward, that with experts first if there are any."""
        expert: LayerKind = self.shape.expert
        return self.dense_feeds if is_zero(expert.layers) else (expert, *self.dense_feeds)

    @cached_property
    def dense_feeds(self) -> tuple[FeedShape, ...]:
        """Those without experts."""
        dense = kinds_of(self.shape, "feeds")
        return tuple(feed for feed in dense if not is_zero(feed.layers))

    def of_feeds(self, dense: Sequence[Any], expert: Any) -> list[Any]:
        """Give the figures of `feeds`: those without experts, and with them."""
        return [expert, *dense] if len(self.feeds) > len(dense) else list(dense)

    def matrices_of(self, mixer: MixerShape) -> Any:
        """Count the matrix elements of a mixer that one accelerator holds."""
        kept = mixer.query_parameters / self.design.tp_size
        # Key-value heads beyond which tensor parallelism repeats them.
        return kept + mixer.cache_parameters / minimum(self.design.tp_size, mixer.cache_parts)


@dataclass(frozen=True, kw_only=True)
class PassLoad:
    """What a pass has to do for the fullest attention group, and for all of them.

    Parameters
    ----------
    tokens
        Tokens that the group computes.
    all_tokens
        Tokens that all groups compute, which share the experts.
    sampled
        Tokens for which the group computes logits.
    core_flops
        Operations of its attention core, in a layer of each kind of mixer.
    cache_bytes
        Keys and values that it reads, likewise, and states that it reads and writes.
    yielding
        Sequences whose tokens the process of an attention group handles.
    """

    tokens: Any
    all_tokens: Any
    sampled: Any
    core_flops: tuple[Any, ...]
    cache_bytes: tuple[Any, ...]
    yielding: Any


@dataclass(frozen=True, kw_only=True)
class PassTime:
    """Time of a pass (s): through all stages one after another, the sum of the parts.

    Parameters
    ----------
    weights
        Matrix products: their arithmetic, overlapped with reading the weights.
    attention
        The attention core: the longer of its arithmetic and of reading the cache.
    activations
        Element-wise kernels.
    collectives
        Communication within the stages.
    process, launches
        What the runtime adds: once a pass, and in every layer.
    head
        The part of `weights` that only the last stage has.
    stage
        Time of the slowest stage, which sets the pace of a full pipeline.
    """

    weights: Any
    attention: Any
    activations: Any
    collectives: Any
    process: Any
    launches: Any
    head: Any
    stage: Any

    @property
    def overhead(self) -> Any:
        """What the runtime adds."""
        return self.process + self.launches

    @property
    def total(self) -> Any:
        """The sum of the parts."""
        return self.weights + self.attention + self.activations + self.collectives + self.overhead

    @property
    def alongside(self) -> Any:
        """The same for a model whose passes are part of another's, which has the process."""
        return self.weights + self.attention + self.activations + self.collectives + self.launches


def time_of_pass(run: ServingRun, load: PassLoad) -> PassTime:
    """Time a pass, roofline by roofline.

    The attention matrices, the dense MLPs, the experts, the head and the attention core
    each have their own: a decode pass can be bound by arithmetic in one and by memory in
    another.
    """
    layout, shape, runtime = run.layout, run.shape, run.runtime
    matrices = _attention_matrices(run, load)
    dense, expert = _dense(run, load), _expert(run, load)
    cores = [_core(run, load, place) for place in range(len(run.mixers))]
    activations, head = _activations(run, load), _head(run, load)
    reduce, around = _collectives(run, load)
    process = runtime.step_time + load.yielding * runtime.sequence_time
    behind = [only_if(feed.parameters, reduce) for feed in run.dense_feeds]
    joined = once_each(run.mixers, ("mixes",), lambda mixer: only_if(mixer.mixes, reduce))
    feeding = run.of_feeds(
        [each + after for each, after in zip(dense, behind, strict=True)],
        expert + around + runtime.expert_time,
    )
    return PassTime(
        weights=total(run.mixers, matrices) + total(run.feeds, run.of_feeds(dense, expert)) + head,
        attention=total(run.mixers, cores),
        activations=shape.layers * activations,
        collectives=total(run.mixers, joined) + total(run.feeds, run.of_feeds(behind, around)),
        process=process,
        launches=shape.layers * runtime.layer_time + shape.expert.layers * runtime.expert_time,
        head=head,
        # The micro-batches of a full pipeline share what the process does.
        stage=process / layout.turns
        + layout.layers * (activations + runtime.layer_time)
        + heaviest(layout.layers, run.mixers, matrices)
        + heaviest(layout.layers, run.mixers, joined)
        + heaviest(layout.layers, run.mixers, cores, descending=run.shape.nested is True)
        + heaviest(layout.layers, run.feeds, feeding)
        + head,
    )


def _product(run: ServingRun, weights: Any, tokens: Any, width: Any, rate: Any) -> Any:
    """Time products of tokens with weights that are read once."""
    reading = weights * width / run.machine.memory_rate
    return overlapped_time(matmul_flops(weights, tokens) / rate, reading)


def _attention_matrices(run: ServingRun, load: PassLoad) -> list[Any]:
    """Time the matrices of each kind of mixer."""

    def time(mixer: MixerShape) -> Any:
        kept, rate = run.matrices_of(mixer), run.machine.projection_rate
        return _product(run, kept, load.tokens, run.attention_width, rate)

    return once_each(run.mixers, MATRICES, time)


def _dense(run: ServingRun, load: PassLoad) -> list[Any]:
    """Time each kind of dense MLP."""
    return [
        _product(
            run,
            feed.parameters / run.design.tp_size,
            load.tokens,
            run.weight_width,
            run.machine.matmul_rate,
        )
        for feed in run.dense_feeds
    ]


def _expert(run: ServingRun, load: PassLoad) -> Any:
    """Time the MLP of a layer with experts, on the fullest of the ranks that divide them.

    Every attention group multiplies its own tokens with what they all see.  Where the experts
    are divided among ranks, some rank has more of those that a pass touches than the mean, and
    more of their tokens: by the chance of the draw, and by what is uneven in the routing.
    """
    design, shape, machine = run.design, run.shape, run.machine
    width, rate, ranks = run.weight_width, machine.matmul_rate, design.ep_size
    shared = _product(run, shape.shared_parameters / design.tp_size, load.tokens, width, rate)
    router = shape.router_parameters / design.tp_size
    shared = shared + _product(run, router, load.tokens, WIDE_BYTES, machine.wide_rate)
    part = shape.expert_parameters * ranks / run.layout.group
    copies = design.redundant_experts
    owned = (shape.experts + copies) / ranks
    chance = touched_share(_log_missed(run), load.all_tokens)
    touched = fullest_of(owned * chance, owned * chance * (1 - chance), ranks)
    reading = minimum(touched, owned) * part * width / machine.memory_rate
    visits = load.all_tokens * shape.experts_per_token / ranks
    uneven = run.serving.imbalance
    if not is_zero(copies):
        uneven = 1 + (uneven - 1) * maximum(1 - copies / ranks, 0)
    skewed = where(ranks > 1, uneven, 1.0) * visits
    most = load.all_tokens * minimum(shape.experts_per_token, owned)
    fullest = minimum(fullest_of(skewed, skewed * (1 - 1 / ranks), ranks), most)
    arithmetic = matmul_flops(part, fullest) / (rate * run.expert_rate)
    return shared + overlapped_time(arithmetic, reading)


def _log_missed(run: ServingRun) -> Any:
    """Give the logarithm of the chance that a token passes an expert, or one of its copies, by."""
    copies, shape = run.design.redundant_experts, run.shape
    if is_zero(copies):
        return shape.log_missed
    visited = shape.experts_per_token
    return where(
        copies > 0,
        log(1 - visited / maximum(shape.experts + copies, visited + 1)),
        shape.log_missed,
    )


def _head(run: ServingRun, load: PassLoad) -> Any:
    weights = run.shape.head / run.design.tp_size
    return _product(run, weights, load.sampled, WIDE_BYTES, run.machine.wide_rate)


def _core(run: ServingRun, load: PassLoad, place: int) -> Any:
    design, machine, mixer = run.design, run.machine, run.mixers[place]
    arithmetic = load.core_flops[place] / design.tp_size / machine.core_rate
    parts = minimum(design.tp_size, mixer.cache_parts)
    return maximum(arithmetic, load.cache_bytes[place] / parts / machine.memory_rate)


def _activations(run: ServingRun, load: PassLoad) -> Any:
    shape = run.shape
    numbers = shape.moved + shape.moved_divided / run.design.tp_size
    moved = run.serving.activation_passes * WIDE_BYTES * load.tokens * numbers
    return moved / run.machine.memory_rate


def _collectives(run: ServingRun, load: PassLoad) -> tuple[Any, Any]:
    """Time an all-reduce behind attention or a dense MLP, and what surrounds experts.

    Without attention groups every accelerator of a stage has all tokens, however the experts
    are divided: their sum takes an all-reduce as well.  Behind attention in groups, each token
    travels to the accelerators of the ranks that it visits and back, once to each domain.
    """
    design, layout, shape, machine = run.design, run.layout, run.shape, run.machine
    message = load.tokens * shape.hidden * WIDE_BYTES
    link = mesh_bandwidth(
        machine.link_bandwidth, layout.together, machine.domain, machine.full_mesh
    )
    network = (machine.network_bandwidth, machine.network_latency)
    sums = all_reduce_time(message, layout.together, layout.across, (link, 0.0), network)
    waits = 2 * mesh_steps(layout.together, machine.full_mesh) * machine.link_latency
    start = machine.collective_overhead
    reduce = where(design.tp_size > 1, start + sums + waits, 0.0)
    wide = mesh_bandwidth(
        machine.link_bandwidth, layout.group_together, machine.domain, machine.full_mesh
    )
    visited = ranks_visited(shape.experts_per_token, design.ep_size)
    # A rank that spans domains wants its tokens in all of them.
    domains = minimum(layout.group_across, design.ep_size)
    leaving = (layout.group_across - 1) * ranks_visited(shape.experts_per_token, domains) / domains
    own = message / design.tp_size
    travel = all_to_all_time(
        (own * visited * layout.group / design.ep_size, own * leaving),
        layout.group_together,
        layout.group_across,
        (wide, 0.0),
        network,
    )
    wait = mesh_steps(layout.group_together, machine.full_mesh) * machine.link_latency
    return reduce, where(design.attention_dp_size > 1, 2 * (start + travel + wait), reduce)
