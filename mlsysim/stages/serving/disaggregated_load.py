"""Two pools under a load: prefill, the way of keys and values, and decode."""

from dataclasses import dataclass
from typing import Any

from mlsysim.expr.functions import maximum, minimum
from mlsysim.physics.serving_queue import chance_to_wait, mean_wait_of_waiting, wait_quantile
from mlsysim.stages.kinds import heaviest
from mlsysim.stages.serving.load import Queue
from mlsysim.stages.serving.memory import cached_bytes
from mlsysim.stages.serving.passes import ServingRun
from mlsysim.stages.serving.time import ServingTime

PREFILL, LINK, DECODE = "prefill", "the link between the pools", "decode"


@dataclass(frozen=True, kw_only=True)
class Pools:
    """A prefill and a decode replica, and what leaves an accelerator between them (byte/s)."""

    prefill: ServingRun
    decode: ServingRun
    bandwidth: Any


@dataclass(frozen=True, kw_only=True)
class PoolsLoad:
    """Both pools under a load; times in s, rates in requests per second.

    Parameters
    ----------
    rate
        What is answered.
    capacity
        The least of the next three.
    prefill_capacity, transfer_capacity, decode_capacity
        What either pool and the way between them can take.
    utilization
        What is asked for over the capacity.
    transfer
        Time of a prompt's keys and values on their way.
    first_token
        Time to the first token without a wait.
    between
        Time between tokens.
    queues
        Where requests wait before their first token.
    """

    rate: Any
    capacity: Any
    prefill_capacity: Any
    transfer_capacity: Any
    decode_capacity: Any
    utilization: Any
    transfer: Any
    first_token: Any
    between: Any
    queues: tuple[Queue, ...]

    @property
    def capacities(self) -> dict[str, Any]:
        """What answers a request, and how many of them it can take per second."""
        return {
            PREFILL: self.prefill_capacity,
            LINK: self.transfer_capacity,
            DECODE: self.decode_capacity,
        }

    @property
    def mean_wait(self) -> Any:
        """The mean wait over all requests."""
        return sum(queue.chance * queue.mean for queue in self.queues)

    def wait(self, quantile: float) -> Any:
        """Give a quantile of the wait."""
        return sum(wait_quantile(queue.chance, queue.mean, quantile) for queue in self.queues)


def pools_load_of(pools: Pools, prefill: ServingTime, decode: ServingTime, asked: Any) -> PoolsLoad:
    """Put both pools under a load; without a rate, under the most that they can take.

    A first token is handed out where it is computed; the decode pool goes on when
    the last layer's keys and values have arrived.
    """
    design, shape = pools.prefill.design, pools.prefill.shape
    servers = design.replicas * design.attention_dp_size
    service = prefill.occupied * design.attention_dp_size
    transfer = _transfer(pools)
    of_prefill = servers / service
    of_transfer = servers / transfer
    steps = maximum(design.output_tokens - 1, 1)
    places = pools.decode.design
    of_decode = places.replicas * places.batch_size / (steps * decode.between)
    capacity = minimum(of_prefill, of_transfer, of_decode)
    rate = capacity if asked is None else minimum(asked, capacity)
    utilization = 1.0 if asked is None else asked / capacity
    queues: tuple[Queue, ...] = ()
    if asked is not None:
        busy = asked / of_prefill
        queues = (
            Queue(
                chance=chance_to_wait(busy, servers),
                mean=mean_wait_of_waiting(service, servers, busy, 0.0),
            ),
        )
    exposed = transfer / shape.layers
    return PoolsLoad(
        rate=rate,
        capacity=capacity,
        prefill_capacity=of_prefill,
        transfer_capacity=of_transfer,
        decode_capacity=of_decode,
        utilization=utilization,
        transfer=transfer,
        first_token=prefill.first_token,
        # The wait for the last layer's keys and values is spread over the tokens that follow.
        between=decode.between + exposed / steps,
        queues=queues,
    )


def _transfer(pools: Pools) -> Any:
    """Time a prompt's keys and values out of the accelerators of a prefill group, each once.

    The heaviest stage has most of them.
    """
    run = pools.prefill
    tokens = run.design.input_tokens
    each = [cached_bytes(run, mixer, tokens) for mixer in run.mixers]
    held = heaviest(run.layout.layers, run.mixers, each, descending=run.shape.nested is True)
    return held / pools.bandwidth
