"""A choice between fleets: which one trains fast enough for the least money, and how."""

from collections.abc import Mapping
from typing import Any

import mlsysim
from mlsysim.core.dse import DSE
from mlsysim.core.pipeline import Pipeline
from mlsysim.core.solver import DistributedModel, EconomicsModel

PIPELINE = Pipeline([DistributedModel(), EconomicsModel()])


def evaluate(params: Mapping[str, Any]) -> Any:
    """Price a month of training Llama 3 70B on one of the fleets."""
    return PIPELINE.run(
        model=mlsysim.Models.Language.Llama3_70B,
        fleet=params["fleet"],
        batch_size=1024,
        tp_size=params["tp"],
        pp_size=params["pp"],
        precision="fp16",
        efficiency=0.45,
        duration_days=30,
    )


def main() -> None:
    """Solve, and show what was chosen."""
    clusters = mlsysim.Systems.Clusters
    mine = clusters.Frontier_8K.replace(name="Mine_1K", nodes=128)
    dse = DSE(
        space={
            "fleet": [clusters.Frontier_8K, mine],
            "tp": [1, 2, 4, 8],
            "pp": [1, 2, 4, 8],
        },
        objective="minimize: EconomicsModel.tco_usd",
        constraints={"pace": "DistributedModel.effective_throughput >= 200000 / s"},
    )
    result = dse.search(evaluate)
    print(result)
    best = result.best_params
    print(f"\nTake {best['fleet'].name}, with TP={best['tp']} and PP={best['pp']}.")


if __name__ == "__main__":
    main()
