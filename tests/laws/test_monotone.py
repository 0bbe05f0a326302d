"""Law 5: more is never worse, twice as much costs at most twice, one user waits for nobody."""

from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from hypothesis import given
from laws.designs import STAGES, Design, designs, exists, feasible, law, numbers, with_accelerator

from mlsysim.catalog.accelerator import Accelerator
from mlsysim.catalog.cluster import Cluster
from mlsysim.core.solver import ContinuousBatchingModel, DisaggregatedModel, ServingModel
from mlsysim.stages.machine import accelerator_of
from mlsysim.stages.stage import ForwardModel
from mlsysim.units import magnitude

COMPUTING = [stage for stage in STAGES if "model" in stage.inputs()]
RATES = (
    "effective_throughput", "tokens_per_second", "request_rate", "throughput", "max_concurrency",
    "capacity", "prefill_capacity", "decode_capacity", "transfer_capacity",
)  # fmt: skip
TIMES = (
    "step_latency_total", "inter_token_latency", "time_to_first_token", "request_latency",
    "latency", "transfer_latency",
)  # fmt: skip
_SLACK = 1e-9


def better(accelerator: Accelerator) -> Iterator[tuple[str, Accelerator]]:
    """Give the accelerator with more of one figure."""
    for name in ("memory_capacity", "memory_bandwidth", "link_bandwidth"):
        if accelerator.has(name):
            yield name, accelerator.replace(**{name: 1.3 * getattr(accelerator, name)})
    peaks = {name: 1.3 * accelerator.peak(name) for name in accelerator.precisions}
    yield "peaks", accelerator.replace(peaks=peaks)


def improvements(design: Design) -> list[tuple[str, str, Design]]:
    """List a design on accelerators with more of one figure: of what, where, and the design."""
    return [
        (role, figure, design.but(**{role: with_accelerator(fleet, accelerator)}))
        for role, fleet in design.fleets.items()
        for figure, accelerator in better(accelerator_of(fleet))
    ]


def worse_with_more(
    design: Design, improved: Iterable[tuple[str, str, Design]] | None = None
) -> Iterator[str]:
    """Name what more memory, bandwidth or arithmetic makes worse: any, or those that are given."""
    if (result := design.outcome()) is None:
        return
    before = numbers(result)
    for role, figure, other in improvements(design) if improved is None else improved:
        more = other.solve()
        if result.feasible and not more.feasible:
            yield f"more {figure} makes it infeasible"
        after = numbers(more)
        if "capacity" in after and "request_rate" not in design.arguments:
            # Users who ask again at once ask more of a faster fleet, and wait for one another.
            after["time_to_first_token"] = before["time_to_first_token"]
            after["request_latency"] = before["request_latency"]
        if exists(result):
            yield from worse(before, after, f"more {figure} of {role}")


def worse(before: dict[str, float], after: dict[str, float], what: str) -> Iterator[str]:
    """Name the rates that fell and the times that grew."""
    for name in RATES:
        if name in before and after[name] < before[name] * (1 - _SLACK):
            yield f"{what}: {name} falls from {before[name]:.7g} to {after[name]:.7g}"
    for name in TIMES:
        if name in before and after[name] > before[name] * (1 + _SLACK):
            yield f"{what}: {name} rises from {before[name]:.7g} to {after[name]:.7g}"


def worse_with_more_nodes(design: Design) -> Iterator[str]:
    """Name what a larger inventory makes worse, of which a design takes what it took before."""
    if (result := design.outcome()) is None:
        return
    larger: dict[str, Any] = {
        role: fleet.replace(nodes=2 * fleet.nodes)
        for role, fleet in design.fleets.items()
        if isinstance(fleet, Cluster)
    }
    if "fleet" in larger and "nodes" in design.stage.inputs():
        larger["nodes"] = design.arguments.get("nodes") or design["fleet"].nodes
    more = design.but(**larger).solve()
    if result.feasible and not more.feasible:
        yield "more nodes make it infeasible"
    if exists(result):
        yield from worse(numbers(result), numbers(more), "more nodes")


def not_doubled(design: Design) -> Iterator[str]:
    """Name what twice the replicas do not do twice, or cannot do where they can be rented."""
    if (result := design.outcome()) is None:
        return
    names = [name for name in design.stage.inputs() if name.endswith("replicas")]
    changes: dict[str, Any] = {name: 2 * design.arguments.get(name, 1) for name in names}
    if "request_rate" in design.arguments:
        changes["request_rate"] = 2 * design["request_rate"]
    twice = design.but(**changes).solve()
    for name in ("request_rate", "tokens_per_second", "accelerators"):
        one, two = (
            float(getattr(getattr(item, name), "m", getattr(item, name)))
            for item in (result, twice)
        )
        if two < 2 * one * (1 - _SLACK):
            yield f"twice the replicas: {name} goes from {one:.7g} to {two:.7g} only"
    rented = not any(isinstance(fleet, Cluster) for fleet in design.fleets.values())
    if rented and result.feasible and not twice.feasible:
        failed = [reason for reason, check in twice.checks.items() if not check.holds]
        yield f"twice the replicas cannot be rented: {failed}"


def waits(design: Design) -> Iterator[str]:
    """Name what a user alone waits for: in a row of stages, for nothing but the ways between."""
    alone = design.but(batch_size=1)
    if (result := alone.outcome()) is None:
        return
    if result.decode_latency_waiting.m > _SLACK:
        yield f"a lone sequence waits {result.decode_latency_waiting:.6g} for others"
    single = alone.but(pp_size=1).solve()
    for part in ("weights", "attention", "activations", "overhead"):
        mine, other = (getattr(item, f"decode_latency_{part}").m for item in (result, single))
        if mine > other * (1 + _SLACK):
            yield f"{part} take {mine:.6g} ms in a row of stages, {other:.6g} in one"


def waits_under_no_load(design: Design) -> Iterator[str]:
    """Compare a user who asks again when answered, and hardly ever, with no load at all."""
    names = ServingModel.inputs()
    plain = Design(ServingModel, {k: v for k, v in design.arguments.items() if k in names})
    if (alone := plain.but(batch_size=1).outcome()) is None:
        return
    # So rarely that the answer before is over, however long it takes.
    seldom = _SLACK / magnitude(alone.request_latency, "s")
    for rate in (None, seldom):
        result = design.but(batch_size=1, request_rate=rate).solve()
        for name in ("time_to_first_token", "inter_token_latency", "request_latency"):
            mine, other = (magnitude(getattr(item, name), "ms") for item in (result, alone))
            # A first token waits for a share of whole answers.
            if mine > other + 2 * _SLACK * magnitude(alone.request_latency, "ms"):
                yield f"{name} is {mine:.9g} ms at {rate} requests a second, {other:.9g} alone"


def waits_for_pools(design: Design) -> Iterator[str]:
    """Compare two pools of which a user asks hardly ever with the same under no load."""
    alone = design.but(batch_size=1, request_rate=None)
    if (result := alone.outcome()) is None:
        return
    seldom = _SLACK / magnitude(result.request_latency, "s")
    loaded = alone.but(request_rate=seldom).solve()
    for name in ("time_to_first_token", "inter_token_latency", "request_latency"):
        mine, other = (magnitude(getattr(item, name), "ms") for item in (loaded, result))
        if mine > other + 2 * _SLACK * magnitude(result.request_latency, "ms"):
            yield f"{name} is {mine:.9g} ms at {seldom} requests a second, {other:.9g} alone"


CLUSTERED = [stage for stage in STAGES if {"fleet", "decode_fleet"} & stage.inputs().keys()]


@pytest.mark.parametrize("stage", CLUSTERED, ids=lambda stage: stage.__name__)
def test_a_larger_inventory_is_never_worse(stage: type[ForwardModel]) -> None:
    """Nodes that a design does not take change nothing for the worse."""

    @law()
    @given(designs(stage))
    def holds(design: Design) -> None:
        assert not list(worse_with_more_nodes(design))

    holds()


@law()
@given(designs(DisaggregatedModel))
def test_one_user_of_two_pools_waits_for_nobody(design: Design) -> None:
    """Who asks hardly ever is answered as if nobody else asked."""
    assert not list(waits_for_pools(design))


@pytest.mark.parametrize("stage", COMPUTING, ids=lambda stage: stage.__name__)
def test_a_better_accelerator_is_never_worse(stage: type[ForwardModel]) -> None:
    """More memory, bandwidth or arithmetic slows nothing down, and rules nothing out."""

    @law()
    @given(designs(stage))
    def holds(design: Design) -> None:
        assert not list(worse_with_more(design))

    holds()


@pytest.mark.parametrize(
    "stage", [s for s in STAGES if "output_tokens" in s.inputs()], ids=lambda stage: stage.__name__
)
def test_twice_the_replicas_do_twice_as_much(stage: type[ForwardModel]) -> None:
    """Replicas do not meet: two do what one does, twice; what is rented has no end."""

    @law()
    @given(feasible(stage))
    def holds(design: Design) -> None:
        assert not list(not_doubled(design))

    holds()


@law()
@given(designs(ServingModel))
def test_one_user_waits_for_nobody(design: Design) -> None:
    """A lone sequence takes its own passes and hops, and nothing else."""
    assert not list(waits(design))


@law()
@given(designs(ContinuousBatchingModel))
def test_one_user_under_no_load_waits_for_nobody(design: Design) -> None:
    """Without others, latency under a load is that without a load."""
    assert not list(waits_under_no_load(design))
