"""What an accelerator of a serving replica holds, and how many sequences fit beside it."""

from dataclasses import dataclass
from typing import Any

from mlsysim.expr.functions import log2, maximum, minimum, where
from mlsysim.physics.serving import sequences_that_fit
from mlsysim.stages.kinds import heaviest, is_zero, once_each, total
from mlsysim.stages.mixer_shape import MATRICES, MixerShape
from mlsysim.stages.serving.formats import WIDE_BYTES
from mlsysim.stages.serving.passes import ServingRun


@dataclass(frozen=True, kw_only=True)
class ServingMemory:
    """Bytes on the fullest accelerator.

    Parameters
    ----------
    weights
        Its share of the model, and of the layers that draft.
    cache
        Keys and values of the batch at full length, in whole pages.
    activations
        The widest layer of a prefill pass, and its logits.
    reserve
        Driver, libraries and communication buffers.
    limit
        What the runtime may use of the accelerator.
    sequence
        Keys and values of one sequence at full length.
    concurrency
        Sequences that fit a replica.
    """

    weights: Any
    cache: Any
    activations: Any
    reserve: Any
    limit: Any
    sequence: Any
    concurrency: Any

    @property
    def total(self) -> Any:
        """What is used."""
        return self.weights + self.cache + self.activations + self.reserve


def serving_memory_of(run: ServingRun) -> ServingMemory:
    """Add up what is held; a cache is divided by key-value heads at most, and repeated beyond."""
    design, layout, machine = run.design, run.layout, run.machine
    limit = design.memory_fraction * machine.memory_capacity
    weights, activations, logits = _weights(run), _activations(run), _logits(run)
    reserve = _reserve(run)
    sequence = sequence_bytes(run, layout.length)
    if run.draft is not None:
        weights = weights + where(design.draft_tokens > 0, _weights(run.draft), 0.0)
    free = limit - weights - activations - reserve
    return ServingMemory(
        weights=weights,
        # Sequences of every turn of the pipeline stay in memory while others are decoded.
        cache=layout.held * sequence,
        # Only one turn of the pipeline has logits at a time.
        activations=activations + layout.sequences * logits,
        reserve=reserve,
        limit=limit,
        sequence=sequence,
        concurrency=design.attention_dp_size
        * sequences_that_fit(free, sequence, logits, design.pp_size),
    )


def _reserve(run: ServingRun) -> Any:
    """Take what a planner states, or what the accelerator and the runtime are known to take."""
    known = run.machine.runtime_reserve + run.runtime.group_memory * log2(run.layout.group)
    stated = run.design.runtime_reserve
    return known if stated is None else 1e9 * stated


def _weights(run: ServingRun) -> Any:
    design, layout, shape = run.design, run.layout, run.shape
    tensor = design.tp_size
    # What no format covers: norms and biases, routers, and the tables at the ends.
    mixers = once_each(
        run.mixers,
        (*MATRICES, "vector_parameters"),
        lambda mixer: (
            run.matrices_of(mixer) * run.attention_width + mixer.vector_parameters * WIDE_BYTES
        ),
    )
    dense = [feed.parameters / tensor * run.weight_width for feed in run.dense_feeds]
    routed = (shape.experts + design.redundant_experts) * shape.expert_parameters / layout.group
    expert = (routed + shape.shared_parameters / tensor) * run.weight_width
    expert = expert + shape.router_parameters / tensor * WIDE_BYTES
    feeds = run.of_feeds(dense, expert)
    stage = heaviest(layout.layers, run.mixers, mixers) + heaviest(layout.layers, run.feeds, feeds)
    whole = total(run.mixers, mixers) + total(run.feeds, feeds)
    tables = maximum(shape.tables, shape.head)
    alone = shape.tables + shape.own_head
    ends = where(design.pp_size > 1, tables, alone) / tensor * WIDE_BYTES
    return stage + _drafting(run) * whole + ends


def _drafting(run: ServingRun) -> Any:
    """Count the layers of a draft over those of the model; it stands beside the last ones."""
    design = run.design
    if run.draft is not None:
        return 0
    return where(design.draft_tokens > 0, design.draft_layers, 0) / run.shape.layers


def sequence_bytes(run: ServingRun, length: Any) -> Any:
    """Measure what so many tokens leave on the heaviest stage, and with the draft (byte)."""
    each = [cached_bytes(run, mixer, length) for mixer in run.mixers]
    stage = heaviest(run.layout.layers, run.mixers, each, descending=run.shape.nested is True)
    if run.draft is not None:
        own = sequence_bytes(run.draft, length)
        return stage + where(run.design.draft_tokens > 0, own, 0.0)
    return stage + _drafting(run) * total(run.mixers, each)


def cached_bytes(run: ServingRun, mixer: MixerShape, length: Any) -> Any:
    """Measure what one layer keeps of a sequence of so many tokens, on one accelerator."""
    parts = minimum(run.design.tp_size, mixer.cache_parts)
    kept = where(mixer.keeps_all, length, minimum(length, mixer.kept))
    cache = kept * mixer.cache_elements * run.cache_width / parts
    if not is_zero(mixer.beside):
        near = minimum(length, mixer.beside) * mixer.beside_elements
        cache = cache + near * run.cache_width / parts
    if is_zero(mixer.sequence_bytes):
        return cache
    return cache + mixer.sequence_bytes / run.design.tp_size


def _activations(run: ServingRun) -> Any:
    """Measure the widest layer of a pass of the most tokens, which an engine sets aside at once."""
    shape = run.shape
    numbers = shape.moved + shape.moved_divided / run.design.tp_size
    return WIDE_BYTES * run.design.chunk_tokens * numbers


def _logits(run: ServingRun) -> Any:
    """Measure the logits of one sequence, and their probabilities."""
    return 2 * WIDE_BYTES * run.shape.outputs / run.design.tp_size
