"""How long a serving replica takes for the prefill of a request and for a decode pass."""

from dataclasses import dataclass
from typing import Any

from mlsysim.core.stages.serving_pass import Load, PassTime, ServingRun, time_of_pass
from mlsysim.expr.functions import minimum, where
from mlsysim.physics.serving import (
    cached_elements,
    causal_pairs,
    pipeline_time,
    request_rate,
    tokens_per_pass,
)

_ACTIVATION_BYTES = 2


@dataclass(frozen=True, kw_only=True)
class ServingTime:
    """Times of one replica (s).

    Parameters
    ----------
    first_token
        From the arrival of a request to its first token, nothing else going on.
    prefill
        The passes of that prefill through one stage.
    occupied
        Time of the replica that the prefill of one request takes: groups prefill
        side by side, and stages one after another.
    chunk
        One of its passes, through all stages.
    decode
        One decode pass through one stage.
    step
        A decode pass through all stages, drafting included.
    accepted
        Tokens that it yields per sequence.
    between
        Time between tokens of a sequence.
    rate
        Requests per second in a steady state of one replica.
    """

    first_token: Any
    prefill: PassTime
    occupied: Any
    chunk: Any
    decode: PassTime
    step: Any
    accepted: Any
    between: Any
    rate: Any


def serving_time_of(run: ServingRun) -> ServingTime:
    """Time prefill and decode, each alone on the replica."""
    choices, layout = run.choices, run.layout
    stages = choices.pipeline
    waiting = 1 + run.calibration.stage_waiting * (stages - 1)
    prefill = time_of_pass(run, _prefill_load(run, 1))
    passing = _hop(run, layout.chunk)
    first = pipeline_time(prefill.total + passing, layout.chunks, stages) - passing
    packed = time_of_pass(run, _prefill_load(run, layout.packed)).total
    packed = packed + where(stages > 1, _hop(run, layout.chunk * layout.packed), 0.0)
    occupied = waiting * layout.chunks * packed / (layout.packed * choices.attention)
    decode = time_of_pass(run, _decode_load(run, choices.draft_tokens + 1))
    step = stages * waiting * decode.total + (stages - 1) * _hop(run, layout.sequences)
    step = step + choices.draft_tokens * _drafting(run)
    accepted = tokens_per_pass(choices.draft_tokens, choices.draft_acceptance)
    between = step / accepted
    rate = request_rate(choices.batch_size, occupied, between, choices.output_tokens - 1)
    return ServingTime(
        first_token=first,
        prefill=prefill,
        occupied=occupied,
        chunk=stages * (prefill.total + passing) - passing,
        decode=decode,
        step=step,
        accepted=accepted,
        between=between,
        rate=rate,
    )


def _prefill_load(run: ServingRun, requests: Any) -> Load:
    """Describe one pass of a prefill; the passes of a prompt share its core evenly."""
    choices, layout, shape = run.choices, run.layout, run.shape
    known = choices.input_tokens - layout.fresh
    full = causal_pairs(choices.input_tokens, choices.input_tokens) - causal_pairs(known, known)
    near = causal_pairs(choices.input_tokens, shape.window) - causal_pairs(known, shape.window)
    pairs = shape.full_layers * full + shape.sliding_layers * near
    # A pass reads what the passes before it have left: half of the prompt on average.
    seen = known + layout.fresh / 2
    widths = 2 * (shape.score_width + shape.value_width)
    return Load(
        tokens=requests * layout.chunk,
        sampled=requests,
        core_flops=requests * pairs * widths / layout.chunks,
        cache_bytes=requests * _cache(run, seen),
        yielding=requests,
    )


def _decode_load(run: ServingRun, width: Any) -> Load:
    """Describe a decode pass over the batch when sequences are half way through their output."""
    choices, layout, shape = run.choices, run.layout, run.shape
    tokens = layout.sequences * width
    length = choices.input_tokens + choices.output_tokens / 2
    near = minimum(length, shape.window)
    seen = shape.full_layers * length + shape.sliding_layers * near
    widths = shape.latent_score_width + shape.latent_value_width
    grouped = where(shape.cache_parts < shape.heads, run.runtime.grouped_efficiency, 1.0)
    return Load(
        tokens=tokens,
        sampled=tokens,
        core_flops=2 * tokens * seen * widths,
        cache_bytes=layout.sequences * _cache(run, length) / grouped,
        yielding=layout.sequences * choices.pipeline,
    )


def _cache(run: ServingRun, length: Any) -> Any:
    shape = run.shape
    elements = cached_elements(
        shape.cache_elements, length, shape.full_layers, shape.sliding_layers, shape.window
    )
    return elements * run.choices.cache_width


def _drafting(run: ServingRun) -> Any:
    """Time one step of a draft that is some layers of the model and its head."""
    time = time_of_pass(run, _decode_load(run, 1))
    layers = run.choices.draft_layers / run.layout.stage_layers
    return layers * (time.total - time.head) + time.head


def _hop(run: ServingRun, tokens: Any) -> Any:
    """Time the step of some tokens from one stage to the next."""
    machine, layout = run.machine, run.layout
    inside = layout.replica <= machine.domain
    bandwidth = where(inside, machine.link_bandwidth, machine.network_bandwidth)
    latency = where(inside, machine.link_latency, machine.network_latency)
    message = tokens * run.shape.hidden * _ACTIVATION_BYTES / run.choices.tensor
    return message / bandwidth + latency + machine.collective_start
