"""Draw the tutorial's answer: all 48 designs by the time of a step and the throughput.

    python examples/picture.py examples/tutorial.svg

Needs matplotlib: ``pip install '.[plot]'``.
"""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

import mlsysim
from mlsysim.core.dse import DSE, SearchSpace
from mlsysim.core.pipeline import Pipeline
from mlsysim.core.solver import DistributedModel, EconomicsModel

PIPELINE = Pipeline([DistributedModel(), EconomicsModel()])
SPACE = SearchSpace({"batch_size": [16, 32, 64, 128], "tp": [1, 2, 4, 8], "pp": [1, 2, 4]})


def evaluate(params: Mapping[str, Any]) -> Any:
    """Evaluate one design of the tutorial."""
    return PIPELINE.run(
        model=mlsysim.Models.Language.Llama3_70B,
        fleet=mlsysim.Systems.Clusters.Frontier_8K,
        batch_size=params["batch_size"],
        tp_size=params["tp"],
        pp_size=params["pp"],
        precision="fp16",
        efficiency=0.45,
        duration_days=30,
    )


def coordinates(params: Mapping[str, Any]) -> tuple[float, float, bool]:
    """Give the step time in seconds, the throughput, and whether the design fits."""
    result = evaluate(params)["DistributedModel"]
    latency = result.step_latency_total.m_as("s")
    return latency, result.effective_throughput.m_as("1/s") / 1e3, result.feasible


def draw(target: Path) -> None:
    """Draw all designs and mark the best."""
    best = DSE(SPACE, "maximize: DistributedModel.effective_throughput").search(evaluate)
    points = [coordinates(SPACE.point(index)) for index in range(SPACE.size)]
    figure = Figure(figsize=(7.2, 3.8), layout="constrained")
    axes = figure.subplots()
    for fits, colour, label in ((False, "0.75", "does not fit in memory"), (True, "C0", "fits")):
        chosen = [point for point in points if point[2] == fits]
        axes.scatter([p[0] for p in chosen], [p[1] for p in chosen], color=colour, label=label)
    latency, throughput, _ = coordinates(best.best_params)
    design = ", ".join(f"{name}={value}" for name, value in best.best_params.items())
    axes.scatter([latency], [throughput], s=160, facecolor="none", edgecolor="C3", linewidth=2)
    axes.annotate(
        f"best, proven: {design}",
        (latency, throughput),
        xytext=(12, -4),
        textcoords="offset points",
    )
    axes.set_xlabel("time of a step [s]")
    axes.set_ylabel("throughput [1000 tokens/s]")
    axes.set_title("Llama 3 70B on 8,192 H100s: the 48 designs of the tutorial")
    axes.legend(loc="upper right")
    mpl.rcParams["svg.hashsalt"] = "mlsysim"
    figure.savefig(target, metadata={"Date": None} if target.suffix == ".svg" else None)


if __name__ == "__main__":
    draw(Path(sys.argv[1] if len(sys.argv) > 1 else "tutorial.svg"))
