"""A joint plan: three training jobs share the nodes of one cluster, each with its deadline.

    python examples/joint_plan.py plan.png

The jobs compete for nodes, so that none can be planned by itself: 1.5e9 plans,
of which the cheapest is found, and proven, in a moment.
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
from mlsysim.core.solver import DistributedModel
from mlsysim.results import SearchResult

MODELS = mlsysim.Models.Language
# Job -> what it trains, on how many tokens, within how many days.
JOBS = {
    "chat": (MODELS.Llama3_70B, 4.5e12, 60),
    "code": (MODELS.Llama3_8B, 15e12, 45),
    "small": (MODELS.Llama3_2_3B, 12e12, 30),
}
CHOICES = {"nodes": range(8, 257, 8), "tp": [1, 2, 4, 8], "pp": [1, 2, 4], "micro_batch": [1, 2, 4]}
NODES = 256
NODE_HOUR = mlsysim.quantity(8 * 2.0, "USD/hour")


def evaluate(params: Mapping[str, Any]) -> dict[str, Any]:
    """Price all jobs: each is a layout of its own on the nodes that it gets."""
    report: dict[str, Any] = {"cost": 0.0 * NODE_HOUR * mlsysim.quantity(1.0, "hour")}
    for job, (model, tokens, _) in JOBS.items():
        run = DistributedModel().solve(
            model=model,
            fleet=mlsysim.Systems.Clusters.Production_2K,
            nodes=params[f"{job}_nodes"],
            batch_size=1024,
            seq_len=8192,
            tp_size=params[f"{job}_tp"],
            pp_size=params[f"{job}_pp"],
            micro_batch_size=params[f"{job}_micro_batch"],
            precision="bf16",
        )
        time = (tokens / run.effective_throughput).to("day")
        report[job] = run  # with its verdict: a layout that does not fit is never chosen
        report[f"{job}_time"] = time
        report["cost"] += params[f"{job}_nodes"] * time * NODE_HOUR
    return report


def draw(result: SearchResult, target: Path) -> None:
    """Draw the plan: the nodes of each job, for as long as it takes."""
    figure = Figure(figsize=(7.2, 3.8), layout="constrained")
    axes = figure.subplots()
    first = 0
    for place, (job, (model, _, deadline)) in enumerate(JOBS.items()):
        nodes = result.best_params[f"{job}_nodes"]
        days = result.best_result[f"{job}_time"].m_as("day")
        axes.broken_barh([(0, days)], (first, nodes), color=f"C{place}", alpha=0.8)
        axes.vlines(deadline, first, first + nodes, color=f"C{place}", linestyle=":")
        axes.text(1, first + nodes / 2, f"{job}: {model.name}, {nodes} nodes", va="center")
        first += nodes
    axes.set_ylim(0, NODES)
    axes.set_xlim(0)
    axes.set_xlabel("days (dotted: the deadline)")
    axes.set_ylabel("nodes of eight H100s")
    axes.set_title("The cheapest plan in which every job keeps its deadline")
    figure.savefig(target)


def main(target: Path) -> None:
    """Plan the jobs together."""
    dse = DSE(
        space={f"{job}_{name}": values for job in JOBS for name, values in CHOICES.items()},
        objective="minimize: cost",
        constraints={
            "cluster": f"{' + '.join(f'{job}_nodes' for job in JOBS)} <= {NODES}",
            **{f"{job} in time": f"{job}_time <= {days} day" for job, (_, _, days) in JOBS.items()},
        },
    )
    result = dse.search(evaluate, top=1)
    print(result)
    draw(result, target)
    print(f"\n{target}: drawn")


if __name__ == "__main__":
    default = Path(tempfile.gettempdir()) / "joint_plan.png"
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else default)
