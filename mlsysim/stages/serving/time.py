"""How long a serving replica takes for the prefill of a request and for a decode pass."""

from dataclasses import dataclass, replace
from typing import Any

from mlsysim.expr.functions import maximum, minimum, where
from mlsysim.physics.serving import causal_pairs, request_rate, tokens_per_pass
from mlsysim.stages.error_classes import times
from mlsysim.stages.kinds import is_zero
from mlsysim.stages.mixer_shape import MixerShape
from mlsysim.stages.serving.formats import WIDE_BYTES
from mlsysim.stages.serving.layout import finding
from mlsysim.stages.serving.passes import PassLoad, PassTime, ServingRun, time_of_pass


@dataclass(frozen=True, kw_only=True)
class ServingTime:
    """Times of one replica (s).

    Parameters
    ----------
    first_token
        From the arrival of a request to its first token, nothing else going on.
    prefill
        One of the passes of that prefill.
    occupied
        Time of the replica that the prefill of one request takes: groups prefill
        side by side, and stages one after another.
    chunk
        One of its passes, through all stages.
    decode
        One decode pass through all stages.
    hops
        What such a pass spends between stages.
    paced
        The same pass in a row of micro-batches, of which each waits for the others.
    waiting
        What its micro-batch waits for others.
    drafting
        What the draft takes before it.
    accepted
        Tokens that it yields per sequence.
    rate
        Requests per second in a steady state of one replica.
    """

    first_token: Any
    prefill: PassTime
    occupied: Any
    chunk: Any
    decode: PassTime
    hops: Any
    paced: Any
    waiting: Any
    drafting: Any
    accepted: Any
    rate: Any

    @property
    def step(self) -> Any:
        """A decode pass through all stages, waiting and drafting included."""
        return self.paced + self.hops + self.drafting

    @property
    def between(self) -> Any:
        """Time between tokens of a sequence."""
        return self.step / self.accepted


def serving_time_of(run: ServingRun) -> ServingTime:
    """Time prefill and decode, each alone on the replica."""
    design, layout = run.design, run.layout
    pace = run.pace
    prefill = times(time_of_pass(run, _prefill_load(run, 1, 1)), pace.first)
    chunk = prefill.total + pace.first * _hops(run, layout.chunk)
    decode = times(time_of_pass(run, _decode_load(run, design.draft_tokens + 1)), pace.later)
    # Of as many micro-batches as are under way, each waits for the slowest stage; passes of
    # unequal length do not interlock.
    beside = 1 + run.serving.stage_waiting * (layout.turns - 1)
    in_row = maximum(decode.total, layout.turns * decode.stage) * beside
    # A row of one waits for nobody; the difference would be the rounding of two sums.  (The
    # difference is for reports: added to what it was taken from, it would count that twice in
    # every bound, and a positive time would seem to reach below zero.)
    paced = where(layout.turns > 1, in_row, decode.total)
    waiting = where(layout.turns > 1, in_row - decode.total, 0.0)
    drafting = design.draft_tokens * _drafting(run)
    before = _draft_prefill(run)
    chunk = chunk + before.chunk
    hops = pace.later * _hops(run, layout.sequences * (design.draft_tokens + 1))
    accepted = tokens_per_pass(design.draft_tokens, design.draft_acceptance)
    between = (paced + hops + drafting) / accepted
    # What hosts send comes beside the passes, group by group.
    occupied = maximum(_occupied(run, beside) + before.occupied, run.fetching / layout.groups)
    passes = chunk + (layout.chunks - 1) * (_pace(run, prefill, layout.chunk) + before.chunk)
    return ServingTime(
        first_token=run.fetching + passes,
        prefill=prefill,
        occupied=occupied,
        chunk=chunk,
        decode=decode,
        hops=hops,
        paced=paced,
        waiting=waiting,
        drafting=drafting,
        accepted=accepted,
        rate=request_rate(design.batch_size, occupied, between, design.output_tokens - 1),
    )


@dataclass(frozen=True, kw_only=True)
class _DraftPrefill:
    """What the prefill of a draft adds to each pass, and to the time that a request takes (s)."""

    chunk: Any = 0.0
    occupied: Any = 0.0


def _draft_prefill(run: ServingRun) -> _DraftPrefill:
    """Time what a model that drafts computes of every prompt before it can."""
    draft = run.draft
    if draft is None:
        return _DraftPrefill()
    layout = run.layout
    drafting = replace(draft, layout=finding(draft.layout, draft.design, run.found))

    def alongside(requests: Any) -> Any:
        load = _prefill_load(drafting, requests, 1)
        taken = times(time_of_pass(drafting, load), run.pace.first).alongside
        return where(run.design.draft_tokens > 0, taken, 0.0)

    groups = minimum(run.design.batch_size, layout.packed * layout.groups)
    return _DraftPrefill(
        chunk=alongside(1), occupied=layout.chunks * alongside(layout.packed) / groups
    )


def _occupied(run: ServingRun, beside: Any) -> Any:
    """Time the replica for the prefill of one request, many of them being prefilled.

    Passes follow one another at the pace of the slowest stage, or else, where fewer requests
    are under way than there are stages, as soon as the ones before them are through.
    """
    layout, batch = run.layout, run.design.batch_size
    tokens = layout.chunk * layout.packed
    packed = time_of_pass(run, _prefill_load(run, layout.packed, layout.groups))
    packed = times(packed, run.pace.first)
    pace = _pace(run, packed, tokens)
    through = packed.total + run.pace.first * _hops(run, tokens) + (layout.chunks - 1) * pace
    at_once = layout.packed * layout.groups
    under_way = minimum(batch, at_once * layout.turns)
    return beside * maximum(layout.chunks * pace / minimum(batch, at_once), through / under_way)


def _pace(run: ServingRun, passing: PassTime, tokens: Any) -> Any:
    """Time after which the next prefill can follow: the slowest stage, and handing on from it."""
    return passing.stage + run.pace.first * where(run.design.pp_size > 1, _hop(run, tokens), 0.0)


def _prefill_load(run: ServingRun, requests: Any, groups: Any) -> PassLoad:
    """Describe one pass of a prefill; the passes of a prompt share its core evenly."""
    design, layout = run.design, run.layout
    known = design.input_tokens - layout.fresh
    everything = causal_pairs(design.input_tokens, design.input_tokens) - causal_pairs(known, known)

    def core(mixer: MixerShape) -> Any:
        window = where(mixer.sees_all, design.input_tokens, mixer.reach)
        pairs = causal_pairs(design.input_tokens, window) - causal_pairs(known, window)
        widths = 2 * (mixer.score_width + mixer.value_width)
        found = requests * pairs * widths / layout.chunks
        if not is_zero(mixer.beside):
            near = causal_pairs(design.input_tokens, mixer.beside) - causal_pairs(
                known, mixer.beside
            )
            found = found + requests * near * 2 * mixer.beside_width / layout.chunks
        if not is_zero(mixer.index_width):
            found = found + requests * everything * 2 * mixer.index_width / layout.chunks
        each = mixer.state_flops + mixer.chunk_flops
        return found if is_zero(each) else found + requests * layout.chunk * each

    return PassLoad(
        tokens=requests * layout.chunk,
        all_tokens=groups * requests * layout.chunk,
        sampled=requests,
        core_flops=tuple(core(mixer) for mixer in run.mixers),
        # A pass reads what the passes before it have left: half of the prompt on average.
        cache_bytes=_read(run, requests, known + layout.fresh / 2, grouped=False),
        yielding=requests,
    )


def _decode_load(run: ServingRun, width: Any) -> PassLoad:
    """Describe a decode pass over the batch when sequences are half way through their output."""
    design, layout = run.design, run.layout
    tokens = layout.sequences * width
    length = design.input_tokens + design.output_tokens / 2

    def core(mixer: MixerShape) -> Any:
        seen = where(mixer.sees_all, length, minimum(length, mixer.reach))
        found = seen * (2 * tokens * (mixer.latent_score_width + mixer.latent_value_width))
        if not is_zero(mixer.beside):
            found = found + 2 * tokens * minimum(length, mixer.beside) * mixer.beside_width
        if not is_zero(mixer.index_width):
            found = found + 2 * tokens * length * mixer.index_width
        return found if is_zero(mixer.state_flops) else found + tokens * mixer.state_flops

    return PassLoad(
        tokens=tokens,
        all_tokens=layout.pass_sequences * width,
        sampled=tokens,
        core_flops=tuple(core(mixer) for mixer in run.mixers),
        cache_bytes=_read(run, layout.sequences, length, grouped=True),
        yielding=layout.held,
    )


def _read(run: ServingRun, sequences: Any, length: Any, *, grouped: bool) -> tuple[Any, ...]:
    """Measure what a layer of each kind of mixer reads of its cache and states.

    Kernels that share keys among queries read them less than perfectly in decode.
    """

    def read(mixer: MixerShape) -> Any:
        rate = where(mixer.grouped, run.runtime.grouped_efficiency, 1.0) if grouped else 1.0
        each = sequences / rate * run.cache_width
        seen = where(mixer.sees_all, length, minimum(length, mixer.reach))
        found = each * (mixer.cache_elements - mixer.index_elements) * seen
        if not is_zero(mixer.beside):
            found = found + each * mixer.beside_elements * minimum(length, mixer.beside)
        if not is_zero(mixer.index_elements):
            found = found + each * mixer.index_elements * length
        if is_zero(mixer.sequence_bytes):
            return found
        # A state is read, and written again; what attention reads is divided among its heads.
        return found + 2 * sequences * mixer.sequence_bytes / run.design.tp_size

    return tuple(read(mixer) for mixer in run.mixers)


def _drafting(run: ServingRun) -> Any:
    """Time one step of a draft: a model, or some layers of the one that is served and its head."""
    if run.draft is not None:
        own = time_of_pass(run.draft, _decode_load(run.draft, 1))
        return times(own, run.pace.later).alongside
    time = times(time_of_pass(run, _decode_load(run, 1)), run.pace.later)
    layers = run.design.draft_layers / run.shape.layers
    return layers * (time.total - time.head) + time.head


def _hops(run: ServingRun, tokens: Any) -> Any:
    """Time the way of some tokens through all stages; with one there is none."""
    stages = run.design.pp_size
    return where(stages > 1, (stages - 1) * _hop(run, tokens), 0.0)


def _hop(run: ServingRun, tokens: Any) -> Any:
    """Time the step of some tokens from one stage to the next."""
    machine, layout = run.machine, run.layout
    inside = layout.replica <= machine.domain
    bandwidth = where(inside, machine.link_bandwidth, machine.network_bandwidth)
    latency = where(inside, machine.link_latency, machine.network_latency)
    message = tokens * run.shape.hidden * WIDE_BYTES / run.design.tp_size
    return message / bandwidth + latency + machine.collective_overhead
