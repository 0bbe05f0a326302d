"""What the software of mixtures of experts does: how kernels are launched, and tokens sent.

Orders of magnitude come from ablations and kernel benchmarks that others published.  Two are
choices of ours within them, made in sight of the measured rows: the least time of an eager layer
(2.7 ms, of 2.4 to 3) and the waits of a step in full graphs (0.7 of an all-to-all).
"""

from types import MappingProxyType
from typing import Any

from mlsysim.expr.functions import select

GRAPHS = MappingProxyType({"none": 2.7e-3, "partial": 0.75e-3, "full": 0.0, "unfused": 10e-3})
"""How much of a step is replayed -> least time of a pass through a layer with routed experts (s).

What hosts with x86 processors take to launch its kernels one by one, and without those of attention
and router (NVIDIA Megatron-Bridge, ablation of DeepSeek-V3 on GB200: 494 Tflop/s eager, 53 to 85
more with graphs, 71 with processes bound to cores).  Unfused is what it took hosts with Grace
processors by software of before autumn 2025, whose routers alone had 72 kernels (33 to 37 ms for
the three passes of a layer of DeepSeek-V3 with its messages; the accelerators worked 10 of them).
"""

_QUEUEING = {"none": 1.5, "partial": 0.9, "full": 0.7, "unfused": 1.0}
"""Time that a step waits for an all-to-all over its own: launches that are late hold it up."""
_QUEUEING_BESIDE_WORK = {graphs: min(longer, 1.0) for graphs, longer in _QUEUEING.items()}
"""The same where another microbatch is computed meanwhile: there is work whatever is late."""

DISPATCHERS = ("alltoall", "deepep", "hybridep")
"""What sends tokens to their experts."""

_OWN_KERNELS = 0.9
"""Share of the network that kernels made for it reach: DeepEP states 43 to 47 of 50 GB/s."""


def floor_of(graphs: Any, usual: Any) -> Any:
    """Give the least time of a pass through a layer with routed experts (s)."""
    return usual if graphs is None else select(graphs, dict(GRAPHS))


def queueing_of(graphs: Any, overlap: Any) -> Any:
    """Give how much longer than an all-to-all takes a step waits for it."""
    if graphs is None:
        return 1.0
    alone = select(graphs, _QUEUEING)
    beside_work = select(graphs, _QUEUEING_BESIDE_WORK)
    return select(overlap, {"none": alone, "data": alone, "all": beside_work})


def sorting_traffic(dispatcher: Any, tokens: Any, width: Any) -> Any:
    """Measure what sorting tokens by their experts moves on either side of an all-to-all (byte).

    Each copy of a token is read and written before it is sent, and again when it has come.
    """
    if dispatcher is None:
        return 0.0
    moved = 4.0 * tokens * width
    return select(dispatcher, {"alltoall": moved, "deepep": 0.0, "hybridep": 0.0})


def network_of(dispatcher: Any, bandwidth: Any, efficiency: Any) -> Any:
    """Give the bandwidth of the network that all-to-alls reach (byte/s)."""
    if dispatcher is None:
        return bandwidth
    own = bandwidth / efficiency * _OWN_KERNELS
    return select(dispatcher, {"alltoall": bandwidth, "deepep": own, "hybridep": own})
