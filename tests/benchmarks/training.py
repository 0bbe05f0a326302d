"""An analytical model of one training step of a dense 70B transformer, written once.

Every contender prices designs by this formula: the engine and the reference
read it with `mlsysim`'s functions, the compiled loops with functions on
plain numbers. Bytes, seconds, flop/s and US dollars throughout.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import mlsysim

LAYERS = 80
HIDDEN = 8192
PARAMETERS = 70.6e9
SEQUENCE = 4096
TRAINING_TOKENS = 1e12
SECONDS_PER_DAY = 86_400.0

ACCELERATORS_PER_NODE = 8
ACHIEVED_FLOPS = 0.45 * 989e12
LINK_BANDWIDTH = 450e9
LINK_LATENCY = 5e-6
NIC_BANDWIDTH = 50e9
NIC_LATENCY = 2e-5
MEMORY = 76e9
RESERVED = 2e9
USD_PER_NODE_HOUR = 20.0
# A part of the gradients' exchange hides behind the last micro-batch's backward pass.
HIDDEN_SHARE = 0.6
OPTIMIZER_SECONDS = 0.02


class Metrics(NamedTuple):
    """What one design comes to.

    Parameters
    ----------
    replicas
        Whole data-parallel replicas that fit; at least one.
    missing
        Accelerators missing to the first replica; more than zero if none fits.
    micro_batches
        Micro-batches per replica and step.
    padding
        How many of those have no work.
    stage_time
        Seconds that a micro-batch spends on a stage.
    memory
        Bytes on the fullest accelerator.
    step_time
        Seconds.
    throughput
        Tokens per second.
    usd_per_million_tokens
        All accelerators that are rented are paid for.
    """

    replicas: Any
    missing: Any
    micro_batches: Any
    padding: Any
    stage_time: Any
    memory: Any
    step_time: Any
    throughput: Any
    usd_per_million_tokens: Any


@dataclass(frozen=True, kw_only=True)
class Functions:
    """The functions that the formula needs beyond arithmetic."""

    ceil: Callable[[Any], Any]
    floor: Callable[[Any], Any]
    maximum: Callable[[Any, Any], Any]
    minimum: Callable[[Any, Any], Any]
    where: Callable[[Any, Any, Any], Any]


def formula(functions: Functions) -> Callable[..., tuple[Any, ...]]:
    """Build the formula on some functions; its results are in the order of `Metrics`.

    It takes nodes, batch (sequences), tp, pp, micro (sequences), virtual
    (stages per accelerator), zero (0-3) and recompute (0 none, 1 selective, 2 full).
    """
    ceil, floor, where = functions.ceil, functions.floor, functions.where
    maximum, minimum = functions.maximum, functions.minimum

    def metrics(
        nodes: Any,
        batch: Any,
        tp: Any,
        pp: Any,
        micro: Any,
        virtual: Any,
        zero: Any,
        recompute: Any,
    ) -> tuple[Any, ...]:
        accelerators = nodes * ACCELERATORS_PER_NODE
        replicas = maximum(floor(accelerators / (tp * pp)), 1)
        # Uneven splits cost what the fullest replica and the fullest stage cost; an
        # interleaved schedule runs whole groups of pp micro-batches.
        exact = ceil(ceil(batch / replicas) / micro)
        micro_batches = where(virtual > 1, ceil(exact / pp) * pp, exact)
        layers = virtual * ceil(LAYERS / (pp * virtual))

        tokens = SEQUENCE * micro
        work = where(recompute == 2, 8.0, where(recompute == 1, 6.4, 6.0))
        compute = work * (PARAMETERS / LAYERS / ACHIEVED_FLOPS) * tokens / tp
        # Four all-reduces of the activations per layer, as rings.
        ring = 4 * 2 * (tp - 1) * (tokens * (2.0 * HIDDEN / LINK_BANDWIDTH) / tp + LINK_LATENCY)
        send = where(
            pp > 1, 2 * virtual * (NIC_LATENCY + tokens * (2.0 * HIDDEN / NIC_BANDWIDTH) / tp), 0.0
        )
        stage = layers * (compute + ring) + send
        pipeline = micro_batches * stage + (pp - 1) * stage / virtual
        share = PARAMETERS / (tp * pp)
        exchange = (
            2.0 * 2.0 / NIC_BANDWIDTH * share * (1 - 1 / replicas) * where(zero == 3, 1.5, 1.0)
        )
        step_time = pipeline + maximum(exchange - HIDDEN_SHARE * stage, 0.0) + OPTIMIZER_SECONDS

        state = share * (
            where(zero == 3, 2.0 / replicas, 2.0)
            + where(zero >= 2, 4.0 / replicas, 4.0)
            + where(zero >= 1, 12.0 / replicas, 12.0)
        )
        saved = where(recompute == 2, 2.0, where(recompute == 1, 20.0, 34.0))
        in_flight = minimum(micro_batches, pp) * where(
            virtual > 1, 1 + (pp - 1) / (pp * virtual), 1.0
        )
        activations = layers * in_flight * saved * tokens * HIDDEN / tp
        throughput = batch * SEQUENCE / step_time
        return (
            replicas,
            tp * pp - accelerators,
            micro_batches,
            micro_batches - exact,
            stage,
            state + activations + RESERVED,
            step_time,
            throughput,
            nodes * (USD_PER_NODE_HOUR / 3600 * 1e6) / throughput,
        )

    return metrics


_METRICS = formula(
    Functions(
        ceil=mlsysim.ceil,
        floor=mlsysim.floor,
        maximum=mlsysim.maximum,
        minimum=mlsysim.minimum,
        where=mlsysim.where,
    )
)


def evaluate(params: Mapping[str, Any]) -> dict[str, Any]:
    """Evaluate one design, a block of designs, or a traced one."""
    metrics = Metrics(*_METRICS(**params))
    days = TRAINING_TOKENS / SECONDS_PER_DAY / metrics.throughput
    return {**metrics._asdict(), "days": days, "usd_per_hour": USD_PER_NODE_HOUR * params["nodes"]}
