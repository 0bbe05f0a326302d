"""A serving fleet: the cheapest mix of accelerators as the demand grows, each mix proven.

    python examples/serving_fleet.py fleet.png

Two classes of requests for Llama 3.1 8B share three kinds of accelerators, of which the
cheap ones are few.  How many replicas of which design serve which class is the choice.
Needs matplotlib: ``pip install '.[plot]'``.
"""

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure

import mlsysim
from mlsysim.core.solver import ServingModel
from mlsysim.fleets.planning import FleetPlan, plan_fleet
from mlsysim.fleets.replica_designs import (
    ReplicaKind,
    RequestClass,
    available,
    demand,
    replica_designs,
)

ACCELERATORS = mlsysim.Systems.Accelerators
GRID = {"tp_size": [1, 2, 4], "batch_size": range(16, 257, 16), "precision": ["bf16", "fp8"]}
KINDS = [
    ReplicaKind(name="MI300X", fleet=ACCELERATORS.MI300X, space=GRID, available=8),
    ReplicaKind(name="H100", fleet=ACCELERATORS.H100_SXM, space=GRID, available=16, price=2.29),
    ReplicaKind(name="H200", fleet=ACCELERATORS.H200_SXM, space=GRID, available=24),
]
CLASSES = [
    RequestClass(
        name="chat",
        rate=100.0,
        arguments={"input_tokens": 512, "output_tokens": 256},
        limits=[
            "ServingModel.time_to_first_token <= 300 ms",
            "ServingModel.inter_token_latency <= 40 ms",
        ],
        utilization=0.8,
    ),
    RequestClass(
        name="documents",
        rate=10.0,
        arguments={"input_tokens": 6000, "output_tokens": 400},
        limits=["ServingModel.time_to_first_token <= 2 s"],
        utilization=0.8,
    ),
]
GROWTH = [1, 3, 5, 7, 9, 11]


def plans() -> list[FleetPlan]:
    """Plan the fleet once for each multiple of the demand."""
    designs = replica_designs(
        [ServingModel()], KINDS, CLASSES, model=mlsysim.Models.Language.Llama3_1_8B
    )
    limits = available(KINDS, designs)
    found = []
    for factor in GROWTH:
        rates = {name: factor * rate for name, rate in demand(CLASSES).items()}
        found.append(plan_fleet(designs, rates, limits, top=1))
    return found


def draw(met: Sequence[tuple[int, FleetPlan]], target: Path) -> None:
    """Draw what the fleets consist of, and what they cost."""
    figure = Figure(figsize=(7.2, 3.8), layout="constrained")
    axes = figure.subplots()
    places = [CLASSES[0].rate * factor for factor, _ in met]
    below = [0] * len(met)
    for kind in KINDS:
        used = [int(plan.fleet.accelerators.get(kind.name, 0)) for _, plan in met]
        axes.bar(places, used, bottom=below, width=120, label=f"{kind.name}, {kind.available}")
        below = [low + more for low, more in zip(below, used, strict=True)]
    for place, top, (_, plan) in zip(places, below, met, strict=True):
        price = plan.fleet.cost_per_hour.m_as("USD/hour")
        axes.annotate(f"${price:.0f}/h", (place, top), ha="center", va="bottom")
    axes.margins(y=0.1)
    axes.set_xlabel("chats per second, and a tenth as many documents")
    axes.set_ylabel("accelerators")
    axes.set_title("Llama 3.1 8B: the cheapest fleet that keeps its latencies")
    axes.legend(title="kind, available", loc="upper left")
    figure.savefig(target)


def main(target: Path) -> None:
    """Plan, tell and draw; say why the last demand cannot be met."""
    met = []
    for factor, plan in zip(GROWTH, plans(), strict=True):
        if plan.result.top_candidates:
            met.append((factor, plan))
            print(f"demand x {factor}: {plan}")
        else:
            print(f"demand x {factor}: {plan.result.status}; with all others kept, it would take")
            for needed in plan.result.relaxations:
                limit, value = needed.limit, needed.value
                print(
                    f"  {needed.name}: {value:,.4g} instead of {limit:,.4g} {needed.unit}".rstrip()
                )
    draw(met, target)
    print(f"\n{target}: drawn")


if __name__ == "__main__":
    default = Path(tempfile.gettempdir()) / "serving_fleet.png"
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else default)
