"""What no record states is nobody's guess: whoever asks for it is told, by every method alike."""

from dataclasses import dataclass
from typing import Any

import pytest

import mlsysim
from mlsysim.core.dse import DSE
from mlsysim.core.pipeline import Pipeline
from mlsysim.core.solver import ContinuousBatchingModel, EconomicsModel, ServingEconomicsModel
from mlsysim.errors import Infeasible, MetricError, MissingFigureError

CLUSTERS = mlsysim.Systems.Clusters
METHODS = ("auto", "cp-sat", "branch-and-bound", "exhaustive")
REGIONS = [["France", "Iowa"], ["Iowa", "France"], ["France", "Iowa", "Quebec"]]


def serve(params: dict[str, Any]) -> Any:
    """Serve chats; the carbon intensity of Iowa is not in the catalogue."""
    return Pipeline([ContinuousBatchingModel(), ServingEconomicsModel()]).run(
        model=mlsysim.Models.Language.Llama3_8B,
        fleet=mlsysim.Systems.Accelerators.H100_SXM,
        batch_size=16,
        input_tokens=1000,
        output_tokens=200,
        request_rate=3.0,
        **params,
    )


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("regions", REGIONS)
def test_a_figure_that_some_records_lack(method: str, regions: list[str]) -> None:
    """The best of those that are known might not be the best: no method leaves the other out."""
    space = {"replicas": [1, 2, 3], "region": regions}
    question = DSE(space, "minimize: ServingEconomicsModel.carbon_per_hour")
    with pytest.raises(MetricError, match="None at this design"):
        question.search(serve, method=method)


@pytest.mark.parametrize("method", METHODS)
def test_a_limit_on_such_a_figure(method: str) -> None:
    """A constraint uses a number as much as an objective does."""
    limits = ["ServingEconomicsModel.carbon_per_hour <= 1 kg/hour"]
    space = {"replicas": [1, 2, 3], "region": ["France", "Iowa"]}
    question = DSE(space, "minimize: ServingEconomicsModel.cost_per_hour", limits)
    with pytest.raises(MetricError, match="None at this design"):
        question.search(serve, method=method)


@pytest.mark.parametrize("method", METHODS)
def test_what_nobody_asks_for_may_be_missing(method: str) -> None:
    """The cost needs no carbon intensity."""
    space = {"replicas": [1, 2, 3], "region": ["France", "Iowa"]}
    question = DSE(space, "minimize: ServingEconomicsModel.cost_per_hour")
    assert question.search(serve, method=method).status == "OPTIMAL"


def test_a_front_over_such_a_figure() -> None:
    """A front uses each of its objectives."""
    space = {"replicas": [1, 2, 3], "region": ["France", "Iowa"]}
    goals = [f"minimize: ServingEconomicsModel.{name}_per_hour" for name in ("cost", "carbon")]
    question = DSE(space, goals[0])
    for method in ("auto", "exhaustive"):
        with pytest.raises(MetricError, match="None at this design"):
            question.pareto(serve, goals, method=method)


@pytest.mark.parametrize("method", METHODS)
def test_a_model_that_refuses_a_record(method: str) -> None:
    """A model without a price raises: so does every method, with the model's own error."""
    question = DSE({"fleet": [CLUSTERS.Frontier_8K, unpriced()]}, "minimize: macro.tco_usd")
    with pytest.raises(MissingFigureError):
        question.search(
            lambda p: Pipeline([EconomicsModel()]).run(duration_days=3, nodes=1, **p),
            method=method,
        )


class Machine:
    """Some nodes, of which the price may not be known."""

    def __init__(self, name: str, nodes: int, price: float | None) -> None:
        self.name = name
        self.nodes = nodes
        self._price = price

    @property
    def price(self) -> float:
        """What a node costs."""
        if self._price is None:
            raise MissingFigureError(f"{self.name}: no price is known")
        return self._price

    def check(self, nodes: "Nodes") -> bool:
        """Insist on so many nodes."""
        if nodes.count > self.nodes:
            raise Infeasible(f"{self.name} has no {nodes.count} nodes")
        return True


@dataclass(frozen=True)
class Nodes:
    """A number of nodes that is a choice by its name."""

    name: str
    count: int


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("most", [3, 9])
def test_a_record_that_is_ruled_out_needs_no_figure(method: str, most: int) -> None:
    """A machine that has too few nodes, however many are taken, is not asked what it costs."""
    machines = [Machine("large", 9, 2.0), Machine("small", most - 2, None)]
    space = {"machine": machines, "nodes": [Nodes("two", 2), Nodes("three", 3)]}

    def bill(params: dict[str, Any]) -> Any:
        params["machine"].check(params["nodes"])
        return {"cost": params["machine"].price * params["nodes"].count}

    question = DSE(space, "minimize: cost")
    if most == 3:
        assert question.search(bill, method=method).best_objective == 4.0
    else:
        with pytest.raises(MissingFigureError):
            question.search(bill, method=method)


def unpriced() -> Any:
    """Give the smallest cluster whose accelerators have no price in the catalogue."""
    clusters = (CLUSTERS[name] for name in CLUSTERS)
    without = (
        one
        for one in clusters
        if not one.accelerator.has("unit_price") and not one.node.has("unit_price")
    )
    return min(without, key=lambda one: one.nodes)
