"""Law 3: the parts of a time, a memory or a cost add up to the total that is printed with them."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from laws.designs import SERVING, STAGES, Design, designs, exists, feasible, law

from mlsysim.stages.stage import ForwardModel
from mlsysim.units import is_quantity, magnitude, unit_of

# Breakdown -> the total of its parts.
TOTALS: dict[str, Callable[[Any], Any]] = {
    "memory_breakdown": lambda result: result.memory_per_accelerator,
    "time_breakdown": lambda result: result.step_latency_total,
    "decode_pass_breakdown": lambda result: result.inter_token_latency * result.tokens_per_pass,
    "cost_breakdown": lambda result: (
        result.cost_per_hour if hasattr(result, "cost_per_hour") else result.tco_usd
    ),
}


def _plain(value: Any, unit: str) -> float:
    return float(magnitude(value, unit)) if is_quantity(value) else float(value)


def gaps(design: Design) -> Iterator[str]:
    """Name every breakdown whose parts do not add up, and every sum that does not hold.

    A part that is less than the rounding of the whole is a difference that should be nothing.
    """
    if (result := design.outcome()) is None:
        return
    for name in dir(type(result)):
        if not name.endswith("_breakdown"):
            continue
        assert name in TOTALS, f"{type(result).__name__}.{name}: say in TOTALS what its parts make"
        parts = getattr(result, name)()
        unit = unit_of(next(iter(parts.values())))
        total = _plain(TOTALS[name](result), unit)
        sizes = {part: _plain(amount, unit) for part, amount in parts.items()}
        noise = {part: size for part, size in sizes.items() if size and size < 1e-13 * total}
        if noise and exists(result):
            yield f"{name}: {noise} {unit} of {total!r} are neither felt nor nothing"
        whole = sum(sizes.values())
        if abs(whole - total) > 1e-9 * abs(total):
            yield f"{name}: the parts make {whole:.6g}, the total is {total:.6g} {unit}"
    for what, left, right in sums(design, result):
        if abs(left - right) > 1e-9 * max(abs(left), abs(right)):
            yield f"{what}: {left!r} and {right!r}"


def sums(design: Design, result: Any) -> Iterator[tuple[str, float, float]]:
    """List what must be equal in any stage that has these metrics."""
    known = vars(result)
    if {"tokens_per_second", "request_rate", "accelerators"} <= known.keys():
        yield from _served(design, result)
    if {"prefill_accelerators", "decode_accelerators"} <= known.keys():
        both = result.prefill_accelerators + result.decode_accelerators
        yield "two pools make the fleet", result.accelerators, both
    if "lost_to_failures" in known:
        shares = result.goodput + result.lost_to_checkpoints + result.lost_to_failures
        yield "time is kept or lost", shares, 1.0
        days = result.interruptions * result.system_mtbf.m_as("day")
        yield "failures so far apart make the run", days, result.days_to_train.m_as("day")
    if "step_latency_total" in known:
        tokens = result.effective_throughput.m * result.step_latency_total.m / 1e3
        yield "a step takes its tokens", tokens, result.tokens_per_step
    if "served" in known:
        yield from _fleet(design, result)
    if known.get("usd_per_million_output_tokens") is not None:
        yield _bill(design, result)


def _served(design: Design, result: Any) -> Iterator[tuple[str, float, float]]:
    rate, tokens = result.request_rate.m, result.tokens_per_second.m
    yield "tokens are requests times answers", tokens, rate * design["output_tokens"]
    prompts = result.input_tokens_per_second.m
    yield "prompt tokens are requests times prompts", prompts, rate * design["input_tokens"]
    each = result.tokens_per_second_per_accelerator.m * result.accelerators
    yield "tokens are those of all accelerators", tokens, each
    per_user = result.tokens_per_second_per_user.m * result.inter_token_latency.m / 1e3
    yield "a user sees a token per latency", per_user, 1.0


def _fleet(design: Design, result: Any) -> Iterator[tuple[str, float, float]]:
    for name, total in result.served.items():
        counted = sum(
            count * item.rates[name]
            for item in design["designs"]
            for pool, count in design["replicas"].items()
            if pool == item.pool(name)
        )
        yield f"replicas serve {name}", float(total.m), counted


def _bill(design: Design, result: Any) -> tuple[str, float, float]:
    """Add up what prompts and answers are charged for, at the rate that is asked for."""
    scale = design.arguments.get("demand", design["request_rate"]) / design["request_rate"]
    inputs = result.usd_per_million_input_tokens * design["input_tokens_per_second"]
    outputs = result.usd_per_million_output_tokens * design["tokens_per_second"]
    bill = (inputs + outputs) * scale * 3600 / 1e6
    return "prompts and answers make the bill", bill, result.cost_per_hour.m


def unseen(design: Design) -> Iterator[str]:
    """Name what users see and the line of key figures does not say."""
    result = design.solve()
    figures = result.key_figures()
    for text in (
        f"first token after {result.time_to_first_token.m_as('ms'):,.4g} ms",
        f"{result.inter_token_latency.m_as('ms'):,.4g} ms per token",
    ):
        if text not in figures:
            yield f"{text!r} is not in {figures!r}"


def longer_than_the_longest(design: Design) -> Iterator[str]:
    """Say where a mean gap between tokens exceeds the longest."""
    if (result := design.outcome()) is None:
        return
    mean, longest = result.inter_token_latency.m, result.longest_inter_token_latency.m
    if mean > longest * (1 + 1e-12):
        yield f"a mean gap of {mean!r}, the longest {longest!r}"


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.__name__)
def test_parts_add_up(stage: type[ForwardModel]) -> None:
    """Bars, shares, pools and prices make the whole, to rounding, feasible or not."""

    @law()
    @given(designs(stage))
    def holds(design: Design) -> None:
        assert not list(gaps(design))

    holds()


@pytest.mark.parametrize("stage", SERVING, ids=lambda stage: stage.__name__)
def test_answers_begin_with_what_users_see(stage: type[ForwardModel]) -> None:
    """Times to the first and to each further token stand in the line of key figures."""

    @law(2)
    @given(feasible(stage))
    def holds(design: Design) -> None:
        assert not list(unseen(design))

    holds()


LONGEST = [stage for stage in STAGES if "longest_inter_token_latency" in stage.metrics()]


@pytest.mark.parametrize("stage", LONGEST, ids=lambda stage: stage.__name__)
def test_a_mean_gap_is_no_longer_than_the_longest(stage: type[ForwardModel]) -> None:
    """However busy a replica is with prompts, a pass carries no more than one chunk along."""

    @law()
    @given(designs(stage))
    def holds(design: Design) -> None:
        assert not list(longer_than_the_longest(design))

    holds()
