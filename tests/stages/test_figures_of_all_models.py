"""Figures of every model of the catalogue, as they were before models had groups of layers.

``python -m tests.stages.test_figures_of_all_models`` writes the file anew, for a change of formulas
that is meant.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from mlsysim.catalog import LanguageModel, Models, Systems
from mlsysim.core.solver import DistributedModel
from mlsysim.stages.serving.serving import ServingModel

FILE = Path(__file__).with_name("figures_of_all_models.json")
CLUSTER = Systems.Clusters.Frontier_8K
TRAINING: tuple[dict[str, Any], ...] = (
    {"tp_size": 8, "pp_size": 4},
    {"tp_size": 2, "pp_size": 3, "ep_size": 2, "recompute": "full", "zero_stage": 3},
    {"pp_size": 5, "cp_size": 2, "recompute": "full", "recompute_layers": 2},
    {"tp_size": 2, "pp_size": 8, "schedule": "dualpipe", "ep_size": 8, "recompute": "none"},
)
SERVING: tuple[dict[str, Any], ...] = (
    {"tp_size": 8},
    {"tp_size": 2, "pp_size": 3, "ep_size": 2, "attention_dp_size": 2},
    {"pp_size": 4, "draft_tokens": 3, "draft_layers": 2, "kv_precision": "fp8"},
)


def figures_of(model: LanguageModel) -> list[float]:
    """Give times in ms and memory in GB of several layouts."""
    found: list[float] = []
    for layout in TRAINING:
        trained = DistributedModel().solve(model=model, fleet=CLUSTER, batch_size=1024, **layout)
        found.append(float(trained.step_latency_total.m_as("ms")))
        found.append(float(trained.memory_per_accelerator.m_as("GB")))
    for layout in SERVING:
        served = ServingModel().solve(
            model=model,
            fleet=CLUSTER,
            batch_size=50,
            input_tokens=3000,
            output_tokens=500,
            **layout,
        )
        found.append(float(served.time_to_first_token.m_as("ms")))
        found.append(float(served.inter_token_latency.m_as("ms")))
        found.append(float(served.memory_per_accelerator.m_as("GB")))
    return found


@pytest.mark.parametrize("model", Models.Language.values(), ids=str)
def test_figures_stay_what_they_were(model: LanguageModel) -> None:
    """A model of one kind of layers is the case of one group: to the last digits."""
    known = json.loads(FILE.read_text())
    assert figures_of(model) == pytest.approx(known[model.name], rel=1e-12)


if __name__ == "__main__":
    rows = {model.name: figures_of(model) for model in Models.Language.values()}
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(row)}" for name, row in rows.items())
    FILE.write_text(f"{{\n{lines}\n}}\n")
