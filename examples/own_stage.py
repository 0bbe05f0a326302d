"""A model of your own in the pipeline, and an evaluator that is a black box."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import mlsysim
from mlsysim.core.dse import DSE
from mlsysim.core.pipeline import Pipeline
from mlsysim.core.solver import DistributedModel, ForwardModel

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


def black_box(params: Mapping[str, Any]) -> dict[str, float]:
    """Stand for code that cannot be traced: it asks ``if`` about a choice."""
    if params["batch_size"] > 1024:
        return {"loss": 1.9}
    return {"loss": 2.0 - params["batch_size"] / 1e4}


def main() -> None:
    """Solve both."""
    space = {"batch_size": [1024, 2048, 4096], "tp_size": [2, 4, 8], "pp_size": [1, 2, 4, 8]}
    print(PIPELINE.explain(), end="\n\n")
    print(DSE(space=space, objective="minimize: ScheduleModel.duration").search(evaluate, top=3))

    result = DSE(space={"batch_size": range(1, 2049)}, objective="minimize: loss").search(black_box)
    print(f"\n{result.method}, because {result.statistics.fallback_reason}")
    print(f"batch_size={result.best_params['batch_size']}, loss={result.best_objective}")


if __name__ == "__main__":
    main()
