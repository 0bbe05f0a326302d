"""What prompts share: how much of it is kept, on accelerators and by their hosts."""

from dataclasses import replace
from typing import Any

from mlsysim.expr.functions import floor, maximum, minimum, where
from mlsysim.physics.serving import paged
from mlsysim.stages.kinds import is_zero
from mlsysim.stages.serving.layout import finding
from mlsysim.stages.serving.memory import sequence_bytes, serving_memory_of
from mlsysim.stages.serving.passes import ServingRun


def keep_prefixes(run: ServingRun) -> ServingRun:
    """Give a replica with the prefixes that it finds room for.

    Of P prefixes of s bytes each, ``n = min(P, floor(free / s))`` stay on the accelerators and
    ``m = min(P - n, floor(host / s))`` with the hosts; a request draws one of P, so that it finds
    its own ``(n + m) / P`` of the time, and waits ``m / P * s / B`` on average until it has come.
    """
    design = run.design
    if is_zero(design.prefixes):
        return replace(run, found=design.prefix_hit_rate)
    some = design.prefixes > 0
    length = paged(design.input_tokens * design.prefix_hit_rate, design.page_tokens)
    each = maximum(sequence_bytes(run, length), 1.0)
    memory = serving_memory_of(run)
    near = _kept(design.prefixes, memory.limit - memory.total, each)
    far: Any = 0
    if design.host_cache is not None:
        room = 1e9 * design.host_cache / run.machine.accelerators_per_node
        far = _kept(design.prefixes - near, room, each)
    wanted = maximum(design.prefixes, 1)
    found = design.prefix_hit_rate * where(some, (near + far) / wanted, 1)
    return replace(
        run,
        found=found,
        prefix_bytes=near * each,
        fetching=far / wanted * each / run.host_bandwidth,
        layout=finding(run.layout, design, found),
    )


def _kept(prefixes: Any, room: Any, each: Any) -> Any:
    return minimum(floor(maximum(room, 0.0) / each), prefixes)
