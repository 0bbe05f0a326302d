"""A ladder of limits on the time of a step: which can be met, and what else would have to give.

    python examples/sla_ladder.py ladder.png

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
from mlsysim.core.solver import DistributedModel
from mlsysim.results.what_if import Sweep

PIPELINE = Pipeline([DistributedModel()])
SPACE = {"batch_size": [64, 128, 256, 512, 1024, 2048], "tp": [1, 2, 4, 8], "pp": [1, 2, 4, 5, 8]}
LIMITS = [50, 250, 600, 800, 1000, 1500, 2000, 3000]


def evaluate(params: Mapping[str, Any]) -> Any:
    """Price one layout of Llama 3 70B on 8,192 H100s."""
    return PIPELINE.run(
        model=mlsysim.Models.Language.Llama3_70B,
        fleet=mlsysim.Systems.Clusters.Frontier_8K,
        batch_size=params["batch_size"],
        tp_size=params["tp"],
        pp_size=params["pp"],
        precision="fp16",
        efficiency=0.45,
    )


def tell(ladder: Sweep) -> None:
    """Print each point: the best design, or why there is none."""
    for point in ladder.points:
        limit, result = point.values["sla"], point.result
        if result.status == "INFEASIBLE":
            print(f"{limit:>8}  {result.status}")
            for relaxation in result.relaxations:
                print(f"          {relaxation}")
        else:
            design = ", ".join(f"{name}={value}" for name, value in result.best_params.items())
            print(f"{limit:>8}  {result.status}  {result.best_objective:>9,.0f} tokens/s  {design}")


def draw(ladder: Sweep, target: Path) -> None:
    """Draw the throughput that each limit leaves."""
    figure = Figure(figsize=(7.2, 3.8), layout="constrained")
    axes = figure.subplots()
    points = zip(LIMITS, ladder.points, strict=True)
    met = [(limit, point.result.best_objective / 1e3) for limit, point in points if point.result]
    axes.step(*zip(*met, strict=True), where="post", marker="o")
    missed = [point.result for point in ladder.points if point.result.relaxations]
    shortest = missed[0].relaxations[0].value or 0.0  # as long as the fastest step of all takes
    axes.axvspan(0, shortest, color="0.92")
    axes.text(shortest / 2, met[-1][1] / 2, "no design", rotation=90, ha="center", va="center")
    axes.set_xlim(0, LIMITS[-1])
    axes.set_ylim(0)
    axes.set_xlabel("limit on the time of a step [ms]")
    axes.set_ylabel("throughput [1000 tokens/s]")
    axes.set_title("Llama 3 70B on 8,192 H100s: what a limit costs")
    figure.savefig(target)


def main(target: Path) -> None:
    """Solve the same question under one limit after the other."""
    dse = DSE(
        space=SPACE,
        objective="maximize: DistributedModel.effective_throughput",
        constraints={"sla": "DistributedModel.step_latency_total <= 50 ms"},
    )
    # With executor=concurrent.futures.ProcessPoolExecutor() they are solved side by side.
    ladder = dse.sweep(evaluate, {"sla": [f"{limit} ms" for limit in LIMITS]}, top=1)
    tell(ladder)
    draw(ladder, target)
    print(f"\n{target}: drawn")


if __name__ == "__main__":
    default = Path(tempfile.gettempdir()) / "sla_ladder.png"
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else default)
