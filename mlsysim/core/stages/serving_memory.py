"""What an accelerator of a serving replica holds, and how many sequences fit beside it."""

from dataclasses import dataclass
from typing import Any

from mlsysim.core.stages.serving_formats import WIDE_BYTES
from mlsysim.core.stages.serving_pass import ServingRun
from mlsysim.expr.functions import maximum, minimum, where
from mlsysim.physics.serving import cached_elements, sequences_that_fit


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
    choices, layout, machine = run.choices, run.layout, run.machine
    limit = choices.memory_fraction * machine.memory_capacity
    weights, activations, logits = _weights(run), _activations(run), _logits(run)
    reserve = run.calibration.runtime_reserve
    sequence = _sequence(run)
    free = limit - weights - activations - reserve
    return ServingMemory(
        weights=weights,
        # Sequences of every turn of the pipeline stay in memory while others are decoded.
        cache=layout.sequences * choices.pipeline * sequence,
        activations=activations + layout.sequences * logits,
        reserve=reserve,
        limit=limit,
        sequence=sequence,
        # Only one turn of the pipeline has logits at a time.
        concurrency=choices.attention
        * sequences_that_fit(free, sequence + logits / choices.pipeline),
    )


def _weights(run: ServingRun) -> Any:
    choices, layout, shape = run.choices, run.layout, run.shape
    tensor = choices.tensor
    attention = shape.query_parameters / tensor + shape.cache_parameters / minimum(
        tensor, shape.cache_parts
    )
    drafting = where(choices.draft_tokens > 0, choices.draft_layers, 0) / shape.layers
    share = layout.stage_share + drafting
    dense = shape.dense_layers * shape.dense_parameters / tensor
    routed = shape.experts * shape.expert_parameters / layout.group
    experts = shape.expert_layers * (routed + shape.shared_parameters / tensor)
    tables = maximum(shape.table_parameters, shape.head_parameters)
    alone = shape.table_parameters + shape.own_head_parameters
    # What no format covers: norms and biases, routers, and the tables at the ends.
    vectors = shape.layers * shape.vector_parameters
    routers = shape.expert_layers * shape.router_parameters / tensor
    ends = where(choices.pipeline > 1, tables, alone) / tensor * WIDE_BYTES
    layers = shape.layers * attention * choices.attention_width
    layers = layers + (dense + experts) * choices.weight_width + (vectors + routers) * WIDE_BYTES
    return share * layers + ends


def _sequence(run: ServingRun) -> Any:
    """Measure the cache of one sequence on the fullest stage."""
    choices, layout, shape = run.choices, run.layout, run.shape
    elements = cached_elements(
        shape.cache_elements, layout.length, shape.full_layers, shape.sliding_layers, shape.window
    )
    drafting = where(choices.draft_tokens > 0, choices.draft_layers, 0) / shape.layers
    parts = minimum(choices.tensor, shape.cache_parts)
    return (layout.stage_share + drafting) * elements * choices.cache_width / parts


def _activations(run: ServingRun) -> Any:
    shape = run.shape
    numbers = shape.moved + shape.moved_divided / run.choices.tensor
    return WIDE_BYTES * run.layout.chunk * numbers


def _logits(run: ServingRun) -> Any:
    """Measure the logits of one sequence, and their probabilities."""
    return 2 * WIDE_BYTES * run.shape.vocab / run.choices.tensor
