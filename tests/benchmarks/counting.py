"""The counting question: how many replicas of six accelerators serve a demand.

The choices are large whole numbers, 0 to 10,000 each. The linear question
minimises cost; the other adds what is mildly non-linear: head-room that grows
with the square root of the load, and a coordination cost per replica that grows
with the fleet.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from mlsysim import sqrt
from mlsysim.core.dse import DSE


class Replica(NamedTuple):
    """What one replica offers: requests per second, its latency, its needs."""

    rate: float
    milliseconds: float
    kilowatts: float
    usd_per_hour: float


REPLICAS = {
    "l40s": Replica(1.9, 61.0, 0.42, 0.95),
    "a100": Replica(4.3, 44.0, 0.55, 1.60),
    "h100": Replica(9.7, 29.0, 0.95, 2.95),
    "h200": Replica(11.3, 26.0, 0.97, 3.35),
    "mi300x": Replica(12.1, 31.0, 1.15, 3.60),
    "b200": Replica(21.5, 19.0, 1.45, 6.10),
}
# Per replica at the top of the range.
_DEMAND = 9.5
_KILOWATTS = 0.9
_FLEET = 1.3
_MILLISECONDS = 33.0
# Three standard deviations at 10,000 replicas, the same share of the load below.
_HEADROOM = 0.03


@dataclass(frozen=True, kw_only=True)
class CountingQuestion:
    """Six counts.

    Parameters
    ----------
    most
        Of each accelerator.
    linear
        Whether everything is linear.
    """

    most: int
    linear: bool

    @property
    def name(self) -> str:
        """What the tables call it."""
        return f"counting-{self.most}-{'linear' if self.linear else 'nonlinear'}"

    @property
    def limits(self) -> Mapping[str, float]:
        """The demand, the power, the size of the fleet and the mean latency."""
        return {
            "demand": _DEMAND * self.most,
            "power": _KILOWATTS * self.most,
            "fleet": float(int(_FLEET * self.most)),
            "latency": _MILLISECONDS,
        }

    def explorer(self) -> DSE:
        """Give the question to the engine."""
        limits = self.limits
        constraints = {
            "demand": f"served >= {limits['demand']!r}",
            "power": f"kilowatts <= {limits['power']!r}",
            "fleet": f"replicas <= {limits['fleet']!r}",
            "latency": f"weighted_milliseconds <= {limits['latency']!r} * rate",
            "at most half of a kind": f"b200 <= {self.most // 2}",
        }
        return DSE(
            {name: range(self.most + 1) for name in REPLICAS}, "minimize: usd_per_hour", constraints
        )

    def evaluate(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Add up the fleet."""
        rate = sum(params[name] * each.rate for name, each in REPLICAS.items())
        replicas = sum(params[name] for name in REPLICAS)
        weighted = sum(
            params[name] * (each.rate * each.milliseconds) for name, each in REPLICAS.items()
        )
        dollars = sum(params[name] * each.usd_per_hour for name, each in REPLICAS.items())
        served = rate
        if not self.linear:
            served = rate - _HEADROOM * math.sqrt(self.most) * sqrt(rate)
            dollars = dollars + 0.002 * replicas * replicas / self.most
        return {
            "rate": rate,
            "served": served,
            "replicas": replicas,
            "weighted_milliseconds": weighted,
            "kilowatts": sum(params[name] * each.kilowatts for name, each in REPLICAS.items()),
            "usd_per_hour": dollars,
        }
