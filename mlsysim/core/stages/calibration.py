"""What hardware achieves of what it promises: the constants of the training model."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """Achieved fractions and fixed costs, one value each for all accelerators.

    Fitting them to a cluster means making another of these and handing it to
    `DistributedModel`.

    Parameters
    ----------
    link_efficiency
        Achieved fraction of link and network bandwidth.  NCCL on large
        messages reaches 0.68-0.74 (A100) and 0.75-0.99 (H100) of NVLink, and
        36 of 50 GB/s between H100 nodes (AIConfigurator, Vidur).
    link_latency, network_latency
        Time of one ring step where the catalogue has none (s).  An all-reduce of 512
        bytes takes 14 steps and 15-25 us on 8 GPUs of a node; a message between nodes
        some 5-20 us (the same sources).
    memory_efficiency
        Achieved fraction of memory bandwidth in element-wise kernels.
    activation_passes
        How often element-wise kernels move each stored activation per pass.
        This and the fraction above fit the step times of Korthikanti et al. 2022, table 5.
    matmul_overhead
        Time that a matrix product costs whatever its size (s); AIConfigurator takes 3 us.
    hiding
        Part of the last microbatch's computation under which traffic between
        replicas disappears.
    runtime_reserve
        Memory that driver, libraries and communication buffers take (byte):
        3.5 GiB and 0.39 GiB on 8 GPUs in AIConfigurator.
    """

    link_efficiency: float = 0.75
    link_latency: float = 1.5e-6
    network_latency: float = 5e-6
    memory_efficiency: float = 0.8
    activation_passes: float = 2.0
    matmul_overhead: float = 3e-6
    hiding: float = 1.0
    runtime_reserve: float = 3.9 * 2**30
