"""How a measured run was divided over its accelerators, as far as its row does not say.

A source that states no parallel sizes is taken to have used the least model
parallelism with which the state fits, first inside the node and then in stages
(Narayanan et al. 2021, takeaways 1 and 2); on TPUs, fully sharded data
parallelism, as MaxText does, with as much tensor parallelism as gives every
replica a sequence.  Where a source states the number of replicas and it leaves
accelerators over, these share the sequences.

Fully sharded data parallelism in a pipeline gathers weights once a step and
sums gradients before they are shared, as torchtitan does: what stage 1 does.
"""

from dataclasses import dataclass

from mlsysim.catalog.cluster import Cluster
from mlsysim.catalog.language_model import LanguageModel
from mlsysim.units import magnitude
from mlsysim.validation.training_row import TrainingRow

# Weights and gradients stay with every replica: 2 and 4 bytes a parameter.
_REPLICATED_BYTES = 6
# What of the memory they may take, so that activations find room.
_SHARE = 0.6
_ALL_SHARED = 3


@dataclass(frozen=True, kw_only=True)
class ParallelSizes:
    """The parallel sizes of a run.

    Parameters
    ----------
    tensor, pipeline, context, expert, data
        Accelerators that share a layer, a stack, a sequence, the experts; and replicas.
    chunks
        Chunks of layers per stage.
    zero_stage
        What replicas share.
    notes
        What had to be supposed.
    """

    tensor: int
    pipeline: int
    context: int
    expert: int
    data: int
    chunks: int
    zero_stage: int
    notes: tuple[str, ...]


def states_layout(row: TrainingRow) -> bool:
    """Tell whether a row says anything about how the model was divided."""
    return any((row.tp, row.pp, row.cp, row.ep)) or row.zero_stage is not None


def division_of(row: TrainingRow, model: LanguageModel, cluster: Cluster) -> ParallelSizes:
    """Complete the parallel sizes of a row.

    A size that is left out beside others that are stated is 1; ZeRO is stage 1,
    the distributed optimizer of Megatron-LM.
    """
    notes: tuple[str, ...] = ()
    tensor, pipeline = row.tp or 1, row.pp or 1
    stage = None if row.zero_stage is None else int(row.zero_stage)
    if not states_layout(row):
        if cluster.accelerator.name.startswith("TPU"):
            stage, notes = 3, ("fully sharded data parallelism supposed",)
            while row.gbs and cluster.accelerators > row.gbs * tensor:
                tensor *= 2
        else:
            tensor, pipeline = _least_parallelism(model, cluster)
            notes = (f"tp={tensor}, pp={pipeline} supposed",)
    if stage == _ALL_SHARED and pipeline > 1:
        stage, notes = 1, (*notes, "weights supposed to stay gathered over a step")
    context = row.cp or 1
    if row.cp is None and row.dp:
        context, over = divmod(cluster.accelerators, tensor * pipeline * row.dp)
        if over or not context:
            context = 1
        elif context > 1:
            notes = (*notes, f"cp={context} supposed from dp={row.dp}")
    return ParallelSizes(
        tensor=tensor,
        pipeline=pipeline,
        context=context,
        expert=row.ep or 1,
        data=max(cluster.accelerators // (tensor * pipeline * context), 1),
        chunks=(row.vpp or 1) if pipeline > 1 else 1,
        zero_stage=1 if stage is None else stage,
        notes=notes,
    )


def _least_parallelism(model: LanguageModel, cluster: Cluster) -> tuple[int, int]:
    room = _SHARE * magnitude(cluster.accelerator.memory_capacity, "byte")
    tensor = pipeline = 1
    while _REPLICATED_BYTES * model.parameters / (tensor * pipeline) > room:
        if 2 * tensor <= cluster.node.accelerators and model.heads % (2 * tensor) == 0:
            tensor *= 2
        elif 2 * pipeline <= model.layers and 2 * tensor * pipeline <= cluster.accelerators:
            pipeline *= 2
        else:
            break
    return tensor, pipeline
