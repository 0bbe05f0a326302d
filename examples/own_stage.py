"""A model of your own in the pipeline: it takes what others produce, and is traced like them.

    python examples/own_stage.py layouts.png

Needs matplotlib: ``pip install '.[plot]'``.
"""

import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

import mlsysim
from mlsysim.core.dse import DSE
from mlsysim.core.pipeline import Pipeline
from mlsysim.core.solver import DistributedModel, ForwardModel
from mlsysim.results import SearchResult

TOKENS = 1.5e12
"""What the run is to read."""


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """What the stage below reports."""

    steps: Any
    duration: Any


class ScheduleModel(ForwardModel):
    """Counts the steps of a run and the days that they take, with an evaluation every so often."""

    def solve(
        self, *, effective_throughput: Any, batch_size: Any, seq_len: Any = 2048, every: Any = 1000
    ) -> Schedule:
        """Take the throughput from the stage before, the rest from the caller."""
        tokens_per_step = batch_size * seq_len
        steps = mlsysim.ceil(TOKENS / tokens_per_step)
        evaluations = mlsysim.floor(steps / every) * mlsysim.quantity(3, "minute")
        duration = steps * tokens_per_step / effective_throughput + evaluations
        return Schedule(steps=steps, duration=duration.to("day"))


PIPELINE = Pipeline([DistributedModel(), ScheduleModel()])


def evaluate(params: Mapping[str, Any]) -> Any:
    """Price one layout with the chain of two models."""
    return PIPELINE.run(
        model=mlsysim.Models.Language.Llama3_70B,
        fleet=mlsysim.Systems.Clusters.Frontier_8K,
        precision="fp16",
        efficiency=0.45,
        **params,
    )


def draw(result: SearchResult, target: Path) -> None:
    """Draw how long the run takes with each of the best layouts."""
    figure = Figure(figsize=(7.2, 3.0), layout="constrained")
    axes = figure.subplots()
    names = [
        ", ".join(f"{k}={v}" for k, v in item.params.items()) for item in result.top_candidates
    ]
    days = [item.objective_value for item in result.top_candidates]
    axes.bar_label(axes.barh(names[::-1], days[::-1]), fmt="%.2f", padding=3)
    axes.margins(x=0.1)
    axes.set_xlabel("days")
    figure.suptitle("1.5 trillion tokens with Llama 3 70B on 8,192 H100s: the best layouts")
    figure.savefig(target)


def main(target: Path) -> None:
    """Solve with both models, and show how they fit together."""
    space = {"batch_size": [1024, 2048, 4096], "tp_size": [2, 4, 8], "pp_size": [1, 2, 4, 8]}
    print(PIPELINE.explain(), end="\n\n")
    result = DSE(space=space, objective="minimize: ScheduleModel.duration").search(evaluate)
    print(result)
    draw(result, target)
    print(f"\n{target}: drawn")


if __name__ == "__main__":
    default = Path(tempfile.gettempdir()) / "own_stage.png"
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else default)
