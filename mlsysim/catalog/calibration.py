"""Calibrations: what a family of accelerators achieves of what its data sheets promise.

What single kernels of an accelerator reach is in its own record, and the same for all stages:
rates of matrix products, of memory and of links.  A `Calibration` has what whole training runs
make of them, what stands in where an accelerator has no figure of its own, and the part in
which serving differs.
"""

# ruff: noqa: RUF009 - the calls below make field descriptors, not shared defaults

from dataclasses import dataclass

from mlsysim.catalog.fields import number, text
from mlsysim.catalog.record import Record
from mlsysim.catalog.reference import reference


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ServingCalibration(Record):
    """What differs in serving: passes of single kernels under an engine, not months of training.

    A figure that a `Calibration` has as well takes its place in serving.

    Parameters
    ----------
    sustained
        Share of the rate of a kernel measured alone that passes keep up; what an engine adds to
        the kernels is in its `Runtime`.
    attention_efficiency
        Fraction of the 16-bit peak that fused attention reaches in a prefill.
    activation_passes
        How often element-wise kernels move the stream of activations.
    collective_factor
        Latency of an engine's own all-reduce over that of the measured library.
    imbalance
        Load of the fullest expert-parallel rank over the mean, apart from the chance of the draw.
    runtime_reserve
        Memory that driver and libraries take of an accelerator that works alone (byte).
    mixed_efficiency
        Rate of products with experts whose weights are kept in fewer bits than they are
        multiplied in, over that of others.
    stage_waiting
        Share of its time that each further pipeline stage makes a stage wait: passes of
        unequal length do not interlock.
    """

    name: str = text("Own_serving")
    sustained: float = number(1.0, most=1.0)
    attention_efficiency: float = number(0.65, most=1.0)
    activation_passes: float = number(1.2)
    collective_factor: float = number(0.6)
    imbalance: float = number(1.5, least=1.0)
    runtime_reserve: float = number(4.62e8)
    mixed_efficiency: float = number(0.75)
    stage_waiting: float = number(0.08)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Calibration(Record):
    """Achieved fractions and fixed costs of one family of accelerators.

    Three of them are fitted to measured training runs: `sustained`, `activation_passes` and
    `exposure`.  Those of matrix products, memory, links and collectives stand in where an
    accelerator has no figure of its own.  Fitting a cluster means making another of these for
    `DistributedModel` or `ServingModel`.

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
        Fraction of memory bandwidth that kernels reach which do little else than move.
    host_bandwidth
        Traffic per second to an optimizer in the host's memory, for each accelerator (byte/s).
    link_efficiency, network_efficiency
        Fraction of the bandwidth of links and of the network that large messages reach.
    short_link_factor
        What messages of some megabytes, which passes of serving exchange, reach on links over what
        large ones do.
    link_latency, network_latency
        Time of one ring step (s).
    bulk_link_latency, bulk_network_latency
        The same of large messages, whose protocol waits for each piece: what replicas exchange (s).
    collective_overhead
        Time that a collective costs whatever its size and group (s).
    collective_factor
        Latency of collectives over that of the measured library.
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
    serving
        In what serving differs; what was fitted to all engines unless given.

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
    short_link_factor: float = number(1.0, most=1.0)
    link_latency: float = number(1.5e-6)
    network_latency: float = number(5e-6)
    bulk_link_latency: float = number(3.4e-6)
    bulk_network_latency: float = number(9.6e-6)
    collective_overhead: float = number(6e-6)
    collective_factor: float = number(1.0)
    routing_floor: float = number(2e-3)
    imbalance: float = number(1.1, least=1.0)
    jitter: float = number(0.002)
    runtime_reserve: float = number(2.5 * 2**30)
    fragmentation: float = number(1.15, least=1.0)
    logit_bytes: float = number(8.0)
    serving: ServingCalibration = reference(ServingCalibration, optional=True)
