"""The analytical models by the names that pipelines and question files use."""

from mlsysim.core.stage import ForwardModel
from mlsysim.core.stages.continuous_batching import ContinuousBatchingModel
from mlsysim.core.stages.disaggregated import DisaggregatedModel
from mlsysim.core.stages.distributed import DistributedModel
from mlsysim.core.stages.economics import EconomicsModel
from mlsysim.core.stages.goodput import GoodputModel
from mlsysim.core.stages.mixed_fleet import MixedFleetModel
from mlsysim.core.stages.serving import ServingModel
from mlsysim.core.stages.serving_economics import ServingEconomicsModel
from mlsysim.core.stages.single_node import SingleNodeModel

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
