"""The analytical models by the names that pipelines and question files use."""

from mlsysim.stages.economics.economics import EconomicsModel
from mlsysim.stages.economics.serving_economics import ServingEconomicsModel
from mlsysim.stages.fleets.mixed_fleet import MixedFleetModel
from mlsysim.stages.serving.continuous_batching import ContinuousBatchingModel
from mlsysim.stages.serving.disaggregated import DisaggregatedModel
from mlsysim.stages.serving.serving import ServingModel
from mlsysim.stages.single_node import SingleNodeModel
from mlsysim.stages.stage import ForwardModel
from mlsysim.stages.training.distributed import DistributedModel
from mlsysim.stages.training.goodput import GoodputModel

__all__ = [
    "ContinuousBatchingModel",
    "DisaggregatedModel",
    "DistributedModel",
    "EconomicsModel",
    "ForwardModel",
    "GoodputModel",
    "MixedFleetModel",
    "ServingEconomicsModel",
    "ServingModel",
    "SingleNodeModel",
]
