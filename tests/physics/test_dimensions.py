"""Every law is dimensionally consistent: quantities go in, a quantity comes out."""

from collections.abc import Callable
from typing import Any

import pytest

from mlsysim.physics import (
    activations,
    collectives,
    compute,
    data_parallel,
    economics,
    flops,
    inference,
    schedule,
    state,
)
from mlsysim.units import quantity, same_dimension


def q(value: float, unit: str) -> Any:
    """Abbreviate."""
    return quantity(value, unit)


BANDWIDTH, LATENCY, MESSAGE = q(50, "GB/s"), q(5, "us"), q(32, "MB")
LEVEL = (BANDWIDTH, LATENCY)
_BYTES = (q(2e9, "byte"), q(2e8, "byte"), q(2e8, "byte"), q(2, "byte"))
CASES: list[tuple[str, Callable[[], Any]]] = [
    ("s", lambda: collectives.ring_gather_time(MESSAGE, 8, *LEVEL)),
    ("s", lambda: collectives.gather_time(MESSAGE, 8, 4, LEVEL, LEVEL)),
    ("s", lambda: collectives.all_reduce_time(MESSAGE, 8, 4, LEVEL, LEVEL)),
    ("byte/s", lambda: collectives.mesh_bandwidth(BANDWIDTH, 2, 8, True)),  # noqa: FBT003
    ("s", lambda: schedule.boundary_time(MESSAGE, 4, 2, *LEVEL)),
    ("s", lambda: schedule.boundary_time(MESSAGE, 1, 1, *LEVEL)),
    ("s", lambda: schedule.bubble_time(3 * q(3, "ms"), 2)),
    ("s", lambda: compute.matmul_time(q(1, "Tflop"), q(1, "Pflop/s"), 0.5, 6, q(3, "us"))),
    ("s", lambda: compute.traffic_time(q(1, "GB"), q(3, "TB/s"), 0.8)),
    ("s", lambda: compute.roofline_time(q(1, "ms"), q(2, "us"))),
    ("s", lambda: data_parallel.exposed_time(q(1, "ms"), q(2, "s"))),
    ("s", lambda: data_parallel.step_gradients(3, q(1, "ms"))),
    ("s", lambda: data_parallel.step_weights(0, q(1, "ms"))),
    ("s", lambda: data_parallel.microbatch_traffic(1, q(1, "ms"), q(1, "ms"))),
    ("byte", lambda: activations.layer_activations(9, q(1, "kB"), q(2, "kB"), 2, True)),  # noqa: FBT003
    ("byte", lambda: state.state_bytes(1e9, q(12, "byte"), 8)),
    ("byte", lambda: state.gathered_bytes(*_BYTES, 0, "zero")),
    ("byte", lambda: state.unreduced_bytes(1e9, 1e8, q(2, "byte"), q(4, "byte"), 0)),
    ("byte", lambda: inference.forward_traffic(1e9, 8, 1e6, q(2, "byte"))),
    ("byte", lambda: inference.forward_memory(1e9, 8, 1e6, 10, q(2, "byte"))),
    ("flop/byte", lambda: inference.arithmetic_intensity(q(1, "Gflop"), q(1, "GB"))),
    ("", lambda: flops.flops_utilization(q(1, "Tflop"), q(1, "s"), 8, q(1, "Pflop/s"))),
    ("USD", lambda: economics.straight_line_capital(q(1e6, "USD"), q(30, "day"), q(4, "year"))),
    ("USD", lambda: economics.maintenance(q(1e6, "USD"), q(0.05, "1/year"), q(30, "day"))),
    ("watt", lambda: economics.average_power(q(10, "kW"), 0.3, 0.5)),
    ("Wh", lambda: economics.facility_energy(q(10, "kW"), q(1, "day"), 1.2)),
    ("USD", lambda: economics.cost_per_token(q(1, "USD"), q(1, "day"), q(1, "1/s"))),
]


@pytest.mark.parametrize(("unit", "law"), CASES, ids=[str(n) for n in range(len(CASES))])
def test_units_come_out(unit: str, law: Callable[[], Any]) -> None:
    """Each law gives a quantity of the dimension that its docstring states."""
    assert same_dimension(law(), quantity(1.0, unit))
