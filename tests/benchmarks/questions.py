"""The training question at six sizes, with three objectives, in two variants."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from benchmarks.training import LAYERS, MEMORY, USD_PER_NODE_HOUR, evaluate

from mlsysim.core.dse import DSE

Space = Mapping[str, Sequence[int]]


class Objective(StrEnum):
    """What is asked for."""

    THROUGHPUT = "throughput"
    DOLLARS = "dollars"
    INFEASIBLE = "infeasible"


class Splits(StrEnum):
    """Which designs count as valid."""

    DIVISIBLE = "divisible"
    UNEVEN = "uneven"


@dataclass(frozen=True, kw_only=True)
class TrainingQuestion:
    """One rung of the ladder.

    Parameters
    ----------
    exponent
        The space has about ten to this power points.
    objective
        What is asked for.
    splits
        Which designs count as valid.
    space
        The choices, in the order of the formula's parameters.
    step_time
        The longest step, in seconds.
    usd_per_hour
        The most that the nodes may cost; infinite where nothing is asked.
    days
        The deadline of the run; infinite where nothing is asked.
    """

    exponent: int
    objective: Objective
    splits: Splits
    space: Space
    step_time: float
    usd_per_hour: float
    days: float

    @property
    def name(self) -> str:
        """What the tables call it."""
        return f"1e{self.exponent}-{self.objective}-{self.splits}"

    @property
    def size(self) -> int:
        """The number of designs."""
        return math.prod(len(values) for values in self.space.values())

    @property
    def minimizes_dollars(self) -> bool:
        """Whether dollars per token are minimised; otherwise throughput is maximised."""
        return self.objective is Objective.DOLLARS

    @property
    def divisible(self) -> bool:
        """Whether only even splits are valid."""
        return self.splits is Splits.DIVISIBLE

    @property
    def constraints(self) -> dict[str, str]:
        """The requirements as the engine reads them."""
        named = {
            "memory": f"memory <= {MEMORY!r}",
            "replica": "missing <= 0",
            "step": f"step_time <= {self.step_time!r}",
        }
        if math.isfinite(self.usd_per_hour):
            named["budget"] = f"usd_per_hour <= {self.usd_per_hour!r}"
        if math.isfinite(self.days):
            named["deadline"] = f"days <= {self.days!r}"
        if self.divisible:
            named |= {
                "even batch": "batch % (replicas * micro) == 0",
                "whole groups": "padding == 0",
                "even stages": f"{LAYERS} % (pp * virtual) == 0",
                "no idle accelerators": "(8 * nodes) % (tp * pp) == 0",
            }
        return named

    def evaluate(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Evaluate one design, a block of designs, or a traced one."""
        return evaluate(params)

    def explorer(self) -> DSE:
        """Give the question to the engine."""
        if self.minimizes_dollars:
            return DSE(self.space, "minimize: usd_per_million_tokens", self.constraints)
        return DSE(self.space, "maximize: throughput", self.constraints)


def _space(nodes: Sequence[int], batch: Sequence[int], **others: Sequence[int]) -> Space:
    widest: dict[str, Any] = {
        "tp": (1, 2, 4, 8),
        "pp": range(1, 17),
        "micro": (1, 2, 4, 8),
        "virtual": (1, 2, 4, 5),
        "zero": (0, 1, 2, 3),
        "recompute": (0, 1, 2),
    }
    return {"nodes": nodes, "batch": batch, **(widest | others)}


# About twenty sequences per node everywhere, so that the same limits bind at every size.
_FEW: dict[str, Sequence[int]] = {"zero": (1,), "virtual": (1, 2), "pp": (1, 2, 4, 5, 8)}
_FEWEST = _FEW | {"tp": (4, 8), "pp": (4, 8), "micro": (1, 2), "recompute": (0, 1)}
SPACES: Mapping[int, Space] = {
    2: _space((12, 16), (192, 256), **_FEWEST),
    4: _space(range(4, 17, 4), range(64, 321, 64), **_FEW),
    6: _space(range(2, 21, 2), range(2, 401, 2), **_FEW),
    8: _space(range(1, 21), range(1, 401)),
    10: _space(range(1, 201), range(1, 4_097)),
    12: _space(range(1, 2_001), range(1, 40_961)),
}
STEP_TIME = 10.0


def training_question(exponent: int, objective: Objective, splits: Splits) -> TrainingQuestion:
    """Give one rung.

    Throughput: the best that 90 percent of the nodes pay for. Dollars per
    token: a deadline that takes about 80 percent of the nodes. Infeasible: a
    deadline a few percent beyond what the budget buys.
    """
    space = SPACES[exponent]
    nodes = space["nodes"][-1]
    budget = 0.9 * USD_PER_NODE_HOUR * nodes
    # The best layouts take about 1,550 node-days.
    limits = {
        Objective.THROUGHPUT: (budget, math.inf),
        Objective.DOLLARS: (math.inf, 2_000.0 / nodes),
        Objective.INFEASIBLE: (budget, 1_650.0 / nodes),
    }
    usd_per_hour, days = limits[objective]
    return TrainingQuestion(
        exponent=exponent,
        objective=objective,
        splits=splits,
        space=space,
        step_time=STEP_TIME,
        usd_per_hour=usd_per_hour,
        days=days,
    )
