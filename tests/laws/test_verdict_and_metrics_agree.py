"""Law 2: a feasible design fits, and every number of it is one that a planner could believe."""

import math
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from laws.designs import SERVING, STAGES, Design, designs, feasible, law, numbers

from mlsysim.catalog import Systems
from mlsysim.stages.machine import accelerator_of
from mlsysim.stages.stage import ForwardModel
from mlsysim.units import is_quantity, magnitude, quantity, same_dimension

LARGEST = max(magnitude(item.memory_capacity, "byte") for item in Systems.Accelerators.values())
# Unit -> what is believable of any metric in it: nothing here is a million times off.
BELIEVABLE = {
    "s": (0.0, 1e12),  # the longest run: 3e9 tokens a card at 30 a second, saving all the time
    "byte": (0.0, LARGEST),  # on one accelerator
    "1/s": (0.0, 1e11),  # tokens of the largest cluster with the smallest model
    "USD/hour": (0.0, 1e6),
    "W": (0.0, 1e9),
    "J": (0.0, 1e18),
    "kg": (0.0, 1e11),
    "kg/s": (0.0, 1e3),
    "flop/byte": (0.0, 1e6),
}
# What a server's host holds for each of its accelerators; a pod may be one server of thousands.
HOSTS = {"host_memory_used": 5e12}
# Two million million parameters with all that an optimizer keeps of them.
STORED = {"checkpoint_size": 5e13}
# A request is answered within a day, and a token seen within minutes, wherever the model fits.
REQUESTS = {
    "time_to_first_token": 1e4,
    "inter_token_latency": 1e2,
    "transfer_latency": 1e4,
    "decode_latency": 1e2,
    "prefill_latency": 1e4,
    "request_latency": 1e5,
    "step_latency": 1e6,
}
SHARES = (
    "utilization", "share", "mfu", "hfu", "fraction", "goodput", "lost_to_checkpoints",
    "lost_to_failures",
)  # fmt: skip
COUNTS = (
    "accelerators", "accelerators_per_replica", "accelerators_used", "accelerators_total",
    "replicas", "max_concurrency", "microbatches", "data_parallel_size", "active_replicas",
    "tokens_per_step", "trained_parameters", "parallelism",
)  # fmt: skip
FLAGS = ("compute_bound", "price_is_estimated")
AMOUNTS = {
    "usd": (0.0, 1e12),
    "tokens_per_pass": (1.0, 6.0),
    "concurrency": (0.0, 1e5),
    "interruptions": (0.0, 1e7),  # 16,384 cards that fail once in 1e4 h, over years
    "duration_days": (0.0, 400.0),
    "uneven_layers": (0.0, 200.0),
    "uneven_inner_layers": (0.0, 200.0),
    "uneven_recomputation": (0.0, 200.0),
}


def odd_numbers(design: Design) -> Iterator[str]:
    """Name every metric of a feasible design that is not finite, or of no believable size."""
    result = design.solve()
    for name, number in numbers(result).items():
        if not (name.startswith("check ") or name in FLAGS):
            value = float(number)
            parts = design["fleet"].node.accelerators if name in HOSTS else 1
            odd = _odd_size(result, name, value, parts) if math.isfinite(value) else "a placeholder"
        else:
            odd = "" if number in (0, 1) else "neither true nor false"
        if odd:
            yield f"{name} is {number!r}, {odd}"


def _odd_size(result: Any, name: str, value: float, parts: int) -> str:
    """Say what is odd about a finite metric of so many parts; nothing if it is believable."""
    field, _, key = name.partition(".")
    whole = getattr(result, field)[key] if key else getattr(result, field)
    if is_quantity(whole):
        unit, (low, high) = _range(whole)
        value = magnitude(whole, unit) / parts
        high = next(
            (most for part, most in (REQUESTS | HOSTS | STORED).items() if field.startswith(part)),
            high,
        )
        limits = f"out of {low:g} to {high:g} {unit}"
    elif field in COUNTS or field.endswith("accelerators"):
        return "" if value >= 0 and value.is_integer() else "no count of whole things"
    elif field.endswith(SHARES):
        low, high, limits = 0.0, 1.0, "no share"
    else:
        amount = next((part for part in AMOUNTS if part in field), "")
        assert amount, f"say in AMOUNTS what is believable of {name}"
        low, high = AMOUNTS[amount]
        limits = f"out of {low:g} to {high:g}"
    return "" if low - 1e-9 <= value <= high + 1e-9 else limits


def _range(value: object) -> tuple[str, tuple[float, float]]:
    for unit, limits in BELIEVABLE.items():
        if same_dimension(value, quantity(1.0, unit)):
            return unit, limits
    raise AssertionError(f"say in BELIEVABLE what is believable of {value}")


def misfits(design: Design) -> Iterator[str]:
    """Name what a feasible design holds more of than there is place for."""
    result = design.solve()
    if hasattr(result, "max_concurrency") and result.max_concurrency < design["batch_size"]:
        yield f"batch {design['batch_size']} of at most {result.max_concurrency} sequences"
    for name in vars(result):
        if name.endswith(("memory_per_accelerator", "memory_used")):
            limit = _place(design, name)
            if magnitude(getattr(result, name), "byte") > limit * (1 + 1e-9):
                yield f"{name} exceeds {limit / 1e9:.2f} GB"


def _place(design: Design, name: str) -> float:
    """Give the memory there is for a metric: of a host where it is known, of an accelerator."""
    if name.startswith("host"):
        node = design["fleet"].node
        given_, has = design.arguments.get("host_memory"), node.has("host_memory")
        known = magnitude(node.host_memory, "byte") if has else float("inf")
        return known if given_ is None else 1e9 * given_
    fleet = design.fleets.get("prefill_fleet" if name.startswith("prefill") else "decode_fleet")
    fleet = fleet or next(iter(design.fleets.values()))
    fraction = design.arguments.get("memory_fraction", 1.0)
    return fraction * magnitude(accelerator_of(fleet).memory_capacity, "byte")


def wrong_concurrency(design: Design) -> Iterator[str]:
    """Say whether the memory's verdict turns at another batch than `max_concurrency` says."""
    if (result := design.outcome()) is None or not hasattr(result, "max_concurrency"):
        return
    most = int(result.max_concurrency)
    name = next(key for key in result.checks if key.endswith("memory") and "prefill" not in key)
    for batch, fits in ((most, True), (most + 1, False)):
        if batch and bool(design.but(batch_size=batch).solve().checks[name].holds) is not fits:
            yield f"max_concurrency is {most}, yet a batch of {batch} fits: {not fits}"


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.__name__)
def test_numbers_of_feasible_designs_are_believable(stage: type[ForwardModel]) -> None:
    """Every metric is finite, in its range, whole where it counts and a share where it is one."""

    @law()
    @given(feasible(stage))
    def holds(design: Design) -> None:
        assert not list(odd_numbers(design))

    holds()


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.__name__)
def test_feasible_designs_fit(stage: type[ForwardModel]) -> None:
    """The batch is at most the sequences that fit, and memory at most what there is."""

    @law()
    @given(feasible(stage))
    def holds(design: Design) -> None:
        assert not list(misfits(design))

    holds()


@pytest.mark.parametrize("stage", SERVING, ids=lambda stage: stage.__name__)
def test_as_many_sequences_fit_as_it_says(stage: type[ForwardModel]) -> None:
    """A batch of `max_concurrency` fits the memory, and one more does not."""

    @law()
    @given(designs(stage))
    def holds(design: Design) -> None:
        assert not list(wrong_concurrency(design))

    holds()
