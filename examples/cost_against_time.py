"""Cost against time to train: every design that no other beats in both, proven complete.

    python examples/cost_against_time.py front.png

Needs matplotlib: ``pip install '.[plot]'``.
"""

import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

import mlsysim
from mlsysim.core.dse import DSE
from mlsysim.core.pipeline import Pipeline
from mlsysim.core.solver import DistributedModel, GoodputModel
from mlsysim.results import ParetoFront

PIPELINE = Pipeline([DistributedModel(), GoodputModel()])


def evaluate(params: Mapping[str, Any]) -> Any:
    """Price a run of Llama 3 70B over 5 trillion tokens, failures and checkpoints included."""
    return PIPELINE.run(
        model=mlsysim.Models.Language.Llama3_70B,
        fleet=mlsysim.Systems.Clusters.Frontier_8K,
        batch_size=2048,
        seq_len=8192,
        precision="bf16",
        tokens=5e12,
        accelerator_hour_price=mlsysim.quantity(2.0, "USD/hour"),
        **params,
    )


def draw(front: ParetoFront, target: Path) -> None:
    """Draw the front, and name its ends."""
    figure = Figure(figsize=(7.2, 3.8), layout="constrained")
    axes = figure.subplots()
    days, cost = zip(*(point.objective_values for point in front), strict=True)
    millions = [usd / 1e6 for usd in cost]
    axes.step(days, millions, where="post", color="0.8")
    axes.scatter(days, millions)
    for point, x, y in ((front[0], days[0], millions[0]), (front[-1], days[-1], millions[-1])):
        axes.annotate(
            f"{point.params['nodes']} nodes", (x, y), xytext=(6, 6), textcoords="offset points"
        )
    axes.set_xlabel("days to train")
    axes.set_ylabel("cost [million USD]")
    axes.set_title("Llama 3 70B, 5 trillion tokens on H100s: all trade-offs worth a look")
    axes.margins(0.15)
    figure.savefig(target)


def main(target: Path) -> None:
    """Find the front, and show it."""
    dse = DSE(
        space={
            "nodes": range(64, 1025, 64),
            "tp_size": [2, 4, 8],
            "pp_size": [1, 2, 4, 5, 8],
            "micro_batch_size": [1, 2],
        },
        objective="minimize: GoodputModel.usd_to_train",
        constraints={"patience": "GoodputModel.days_to_train <= 120 days"},
    )
    front = dse.pareto(
        evaluate,
        objectives=["minimize: GoodputModel.days_to_train", "minimize: GoodputModel.usd_to_train"],
    )
    print(front)
    draw(front, target)
    print(f"\n{target}: drawn")


if __name__ == "__main__":
    default = Path(tempfile.gettempdir()) / "cost_against_time.png"
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else default)
