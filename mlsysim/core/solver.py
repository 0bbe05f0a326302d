"""The analytical models by the names that pipelines and question files use."""

from mlsysim.core.stage import ForwardModel
from mlsysim.core.stages.distributed import DistributedModel
from mlsysim.core.stages.economics import EconomicsModel
from mlsysim.core.stages.single_node import SingleNodeModel

__all__ = ["DistributedModel", "EconomicsModel", "ForwardModel", "SingleNodeModel"]
