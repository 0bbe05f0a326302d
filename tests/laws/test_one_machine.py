"""Law 7: training, serving and a single accelerator read one record of the machine."""

from typing import Any

import pytest

from mlsysim.catalog import Models, Systems
from mlsysim.catalog.cluster import Cluster
from mlsysim.catalog.node import Node
from mlsysim.core.solver import DistributedModel, ServingModel, SingleNodeModel
from mlsysim.units import magnitude

MODEL = Models.Language.GPT2


@pytest.mark.parametrize("node", [*Systems.Nodes.values()], ids=lambda node: node.name)
def test_memory_is_that_of_the_record(node: Node) -> None:
    """Whoever reports what an accelerator holds reports the figure of the catalogue."""
    accelerator = node.accelerator
    precision = next(name for name in ("bf16", "fp16") if accelerator.supports(name))
    one = Cluster(name="One", node=node, nodes=1, fabric=Systems.Fabrics.IB_NDR)
    found: dict[str, Any] = {
        "one": SingleNodeModel().solve(
            model=MODEL, accelerator=accelerator, precision=precision, efficiency=0.5, seq_len=64
        ),
        "training": DistributedModel().solve(
            model=MODEL, fleet=one, batch_size=64, precision=precision, efficiency=0.5, seq_len=64
        ),
        "serving": ServingModel().solve(
            model=MODEL,
            fleet=node,
            batch_size=1,
            precision=precision,
            input_tokens=64,
            output_tokens=1,
            memory_fraction=1.0,
        ),
    }
    stated = magnitude(accelerator.memory_capacity, "byte")
    held = {name: magnitude(result.memory_capacity, "byte") for name, result in found.items()}
    assert held == pytest.approx(dict.fromkeys(found, stated))
