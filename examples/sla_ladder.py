"""A ladder of limits on the time of a step: which can be met, and what else would have to give."""

from collections.abc import Mapping
from typing import Any

import mlsysim
from mlsysim.core.dse import DSE
from mlsysim.core.pipeline import Pipeline
from mlsysim.core.solver import DistributedModel

PIPELINE = Pipeline([DistributedModel()])
SPACE = {"batch_size": [16, 32, 64, 128, 256, 512], "tp": [1, 2, 4, 8], "pp": [1, 2, 4, 5, 8]}


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


def main() -> None:
    """Solve the same question under one limit after the other."""
    for limit in ("50 ms", "250 ms", "600 ms", "800 ms", "1500 ms"):
        dse = DSE(
            space=SPACE,
            objective="maximize: DistributedModel.effective_throughput",
            constraints={"sla": f"DistributedModel.step_latency_total <= {limit}"},
        )
        result = dse.search(evaluate, top=1)
        if result.status == "INFEASIBLE":
            print(f"{limit:>7}  {result.status}")
            for relaxation in result.relaxations:
                print(f"        {relaxation}")
        else:
            design = ", ".join(f"{name}={value}" for name, value in result.best_params.items())
            print(f"{limit:>7}  {result.status}  {result.best_objective:>9,.0f} tokens/s  {design}")


if __name__ == "__main__":
    main()
