"""Calibrations: what a family of accelerators achieves of what its data sheets promise."""

from dataclasses import dataclass

from mlsysim.catalog.fields import number, text
from mlsysim.catalog.record import Record


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Calibration(Record):
    """Achieved fractions and fixed costs of one family of accelerators.

    Three of them are fitted to measured training runs: `sustained`,
    `activation_passes` and `exposure`.  The others come from kernels or from the
    literature, and stand in where an accelerator has no figure of its own.
    Fitting a cluster means making another of these for `DistributedModel`.

    Parameters
    ----------
    sustained
        Share of the rate of a kernel measured alone that a whole run keeps up: power
        limits, ragged shapes, gaps between kernels.
    activation_passes
        How often element-wise kernels move each stored activation per pass.
    exposure
        Share of overlapped communication that a step waits for all the same: kernels that
        share an accelerator slow one another down.
    matmul_efficiency
        Fraction of the dense peak that large matrix products reach.
    attention_efficiency
        Fraction of the 16-bit peak that attention cores reach over both passes.
    matmul_overhead
        Time that a matrix product costs whatever its size (s), with the quantization of its
        operands where these are narrow.
    memory_efficiency
        Fraction of memory bandwidth that element-wise kernels reach.
    host_bandwidth
        Traffic per second to an optimizer in the host's memory, for each accelerator (byte/s).
    link_efficiency, network_efficiency
        Fraction of the bandwidth of links and of the network that large messages reach.
    link_latency, network_latency
        Time of one ring step where the catalogue has none (s).
    collective_overhead
        Time that a collective costs whatever its size and group (s).
    routing_floor
        Least time of a pass through a layer with routed experts, in which the host launches
        its many kernels (s).
    imbalance
        Tokens of the fullest experts over the average: all wait for them.
    jitter
        Relative delay of a step for each doubling of the accelerators that wait for the slowest.
    runtime_reserve
        Memory that driver, libraries and communication buffers take (byte).
    fragmentation
        Memory held over memory in use, for what comes and goes within a step.
    logit_bytes
        What the loss keeps at once of each logit (byte): 8 in Megatron-LM, the softmax and its
        gradient in single precision; 12 in PyTorch, whose gradient comes in two steps; 4 where that
        is compiled, the logit and its gradient in 16 bits.

    Examples
    --------
    >>> Calibration(sustained=0.9).sustained
    0.9
    """

    name: str = text("Own")
    sustained: float = number(0.9)
    activation_passes: float = number(2.0)
    exposure: float = number(0.2)
    matmul_efficiency: float = number(0.7)
    attention_efficiency: float = number(0.45)
    matmul_overhead: float = number(5e-6)
    memory_efficiency: float = number(0.8)
    host_bandwidth: float = number(35e9)
    link_efficiency: float = number(0.75)
    network_efficiency: float = number(0.75)
    link_latency: float = number(1.5e-6)
    network_latency: float = number(5e-6)
    collective_overhead: float = number(6e-6)
    routing_floor: float = number(2e-3)
    imbalance: float = number(1.1, least=1.0)
    jitter: float = number(0.002)
    runtime_reserve: float = number(2.5 * 2**30)
    fragmentation: float = number(1.15, least=1.0)
    logit_bytes: float = number(8.0)
