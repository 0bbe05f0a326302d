"""How a training step is laid out over a fleet: the whole numbers that follow from the design."""

from dataclasses import dataclass, replace
from typing import Any

from mlsysim.expr.functions import (
    logical_and,
    logical_not,
    logical_or,
    maximum,
    minimum,
    select,
    where,
)
from mlsysim.physics.activations import RECOMPUTE, UP_PROJECTIONS
from mlsysim.physics.partition import filled_domain, fullest_share
from mlsysim.physics.schedule import SCHEDULES
from mlsysim.physics.state import ZeroStage
from mlsysim.problem.verdict import Check
from mlsysim.stages.machine import Machine
from mlsysim.stages.shape import ModelShape
from mlsysim.stages.training.design import TrainingDesign
from mlsysim.stages.training.split import (
    StageGroup,
    StagePart,
    other_layers,
    slowest_others,
    split_of,
)
from mlsysim.stages.training.split_checks import split_checks


@dataclass(frozen=True, kw_only=True)
class Layout:
    """What follows from the design; each count is that of the fullest part.

    Parameters
    ----------
    nodes, accelerators
        Nodes and accelerators that are paid for.
    data
        Replicas that fit on them.
    replicas
        Those that have a sequence to work on.
    used, per_node
        Accelerators of all replicas, and those of a node among them.
    domain
        Those of them that reach one another without the network.
    held
        Stages that an accelerator holds: two where microbatches enter the pipeline at both ends.
    shards
        Accelerators that share what replicas share: replicas at work, times the ranks of context
        parallelism, times the places of a pipeline that hold the same stage; or a group of these.
    copies
        Such groups.
    expert_shards, expert_replicas, expert_copies
        Parts in which the routed experts of a stage are dealt out, accelerators that hold
        the same part and share its state, and groups of these.
    sequences
        Sequences of the fullest replica.
    microbatches
        Its microbatches.
    groups
        The stages of the pipeline (`split_of`).
    layers, frozen, slack, at_end
        Of the stage in question, the last unless another is chosen: as in `StagePart`.  Of stages
        that are listed one is chosen in any case.
    others_held, other_layers
        Its layers that are not of the kind that stands in front, or alternates with them: the
        fewest and the most (`other_layers`), and those with which it takes longest.
    """

    nodes: Any
    accelerators: Any
    data: Any
    replicas: Any
    used: Any
    per_node: Any
    domain: Any
    held: Any
    shards: Any
    copies: Any
    expert_shards: Any
    expert_replicas: Any
    expert_copies: Any
    sequences: Any
    microbatches: Any
    groups: tuple[StageGroup, ...]
    layers: Any
    others_held: tuple[Any, ...]
    other_layers: Any
    frozen: Any
    slack: Any
    at_end: Any

    def of_part(self, part: StagePart, shape: ModelShape) -> "Layout":
        """Choose another stage."""
        return replace(self, **_stage_counts(part, shape))


def lay_out(design: TrainingDesign, shape: ModelShape, machine: Machine) -> Layout:
    """Derive the counts."""
    nodes = machine.nodes if design.nodes is None else design.nodes
    accelerators = nodes * machine.accelerators_per_node
    model_parallel = design.tp_size * design.pp_size * design.cp_size
    # A replica that does not fit is an infeasible verdict, not a division by zero.
    data = maximum(accelerators // model_parallel, 1)
    used = data * model_parallel
    sequences = fullest_share(design.batch_size, data)
    replicas = minimum(data, design.batch_size)
    held = where(two_way(design.schedule), 2, 1)
    everyone = replicas * design.cp_size * held
    shards = shared_among(everyone, design)
    groups = split_of(design, shape)
    dealt = design.ep_size > 1
    # Expert parallelism takes its ranks from all that work on a stage.
    alike = where(dealt, maximum(everyone * design.tp_size // design.ep_size, 1), everyone)
    expert_replicas = shared_among(alike, design)
    return Layout(
        nodes=nodes,
        accelerators=accelerators,
        data=data,
        replicas=replicas,
        used=used,
        per_node=minimum(used, machine.accelerators_per_node),
        domain=filled_domain(
            machine.domain,
            machine.accelerators_per_node,
            used,
            design.tp_size,
            design.tp_size * design.cp_size,
            design.ep_size,
            used // design.pp_size,
        ),
        held=held,
        shards=shards,
        copies=everyone // shards,
        expert_shards=where(dealt, design.ep_size, design.tp_size),
        expert_replicas=expert_replicas,
        expert_copies=maximum(alike // expert_replicas, 1),
        sequences=sequences,
        microbatches=fullest_share(sequences, design.micro_batch_size),
        groups=groups,
        # A list may be of more stages than there are: its last one is no end then.
        **{**_stage_counts(groups[-1].slowest, shape), "at_end": True},
    )


def _stage_counts(part: StagePart, shape: ModelShape) -> dict[str, Any]:
    """Give the figures of `Layout` that are about one stage."""
    held = other_layers(shape, part.place, part.layers)
    return {
        "layers": part.layers,
        "others_held": held,
        "other_layers": slowest_others(shape, held),
        "frozen": part.frozen,
        "slack": part.slack,
        "at_end": part.at_end,
    }


def two_way(schedule: Any) -> Any:
    """Tell whether microbatches enter the pipeline at both ends."""
    return select(schedule, {name: name == "dualpipe" for name in SCHEDULES})


def shared_among(everyone: Any, design: TrainingDesign) -> Any:
    """Count the accelerators among which state is divided: all, or those of a group."""
    if design.zero_group is None:
        return everyone
    # Where nothing is divided, there are no groups.
    return where(design.zero_stage > 0, minimum(design.zero_group, everyone), everyone)


def layout_checks(
    design: TrainingDesign, layout: Layout, shape: ModelShape, machine: Machine
) -> dict[str, Check]:
    """State what frameworks cannot run, by reason."""
    tensor, stages, chunks = design.tp_size, design.pp_size, design.virtual_stages
    context, expert = design.cp_size, design.ep_size
    plain_schedule = chunks <= 1
    wants_chunks, splits_backward, both_ends = (
        select(design.schedule, {schedule: schedule == name for schedule in SCHEDULES})
        for name in ("interleaved", "zero-bubble", "dualpipe")
    )
    alone, narrow = logical_not(both_ends), design.activation_storage
    rebuilds = select(design.recompute, {mode: mode == UP_PROJECTIONS for mode in RECOMPUTE})
    fully = select(design.sharding, {"zero": False, "fsdp": True})
    return {
        "nodes": Check.at_most(layout.nodes, machine.nodes),
        "accelerators": Check.at_most(tensor * stages * context, layout.accelerators),
        "tensor parallel divides heads": Check.that(
            logical_and(shape.heads % tensor == 0, shape.linear_heads % tensor == 0)
        ),
        "tensor parallel fits key-value heads": Check.that(
            logical_or(shape.kv_heads % tensor == 0, tensor % shape.kv_heads == 0)
        ),
        "tensor parallel divides the MLP": Check.that(
            logical_and(shape.dense_width % tensor == 0, shape.expert_width % tensor == 0)
        ),
        "sequence parallel divides the sequence": Check.that(
            logical_or(
                logical_not(design.sequence_parallel), design.seq_len % (tensor * context) == 0
            )
        ),
        # Each rank takes a block from either end, so that causal masks load all alike.
        "context parallel divides the sequence": Check.that(
            logical_or(context <= 1, design.seq_len % (2 * context) == 0)
        ),
        "expert parallel divides the experts": Check.that(shape.experts % expert == 0),
        "expert parallel divides the ranks of a stage": Check.that(
            layout.data * tensor * context % expert == 0
        ),
        "pipeline stages within layers": Check.at_most(stages * chunks, shape.layers),
        "interleaved schedule needs virtual stages": Check.that(
            logical_not(logical_and(wants_chunks, plain_schedule))
        ),
        "zero-bubble schedule has no virtual stages": Check.that(
            logical_or(logical_not(splits_backward), plain_schedule)
        ),
        "bidirectional schedule has no virtual stages": Check.that(
            logical_or(alone, plain_schedule)
        ),
        # Half of the stages meet in the middle, and each half needs as many microbatches as stages.
        "bidirectional schedule needs an even number of stages": Check.that(
            logical_or(alone, stages % 2 == 0)
        ),
        "bidirectional schedule divides microbatches": Check.that(
            logical_or(alone, layout.microbatches % 2 == 0)
        ),
        "bidirectional schedule fills the pipeline": Check.that(
            logical_or(alone, layout.microbatches >= 2 * stages)
        ),
        "recomputed up-projections need latent attention": Check.that(
            logical_or(logical_not(rebuilds), shape.latent)
        ),
        "fully sharded state needs ZeRO stage 2 or 3": Check.that(
            logical_or(logical_not(fully), design.zero_stage >= ZeroStage.GRADIENTS)
        ),
        "8-bit activations need 8-bit products": Check.that(
            logical_or(select(narrow, {"wide": True, "fp8": False}), machine.narrow)
        ),
        "8-bit dispatch needs 8-bit products": Check.that(
            logical_or(select(design.dispatch, {"wide": True, "fp8": False}), machine.narrow)
        ),
        "virtual stages need a pipeline": Check.that(logical_or(plain_schedule, stages > 1)),
        "interleaving divides microbatches": Check.that(
            logical_or(plain_schedule, layout.microbatches % stages == 0)
        ),
        "micro batch within the replica": Check.at_most(design.micro_batch_size, layout.sequences),
        "sequence within the context": Check.at_most(design.seq_len, shape.max_context),
        "sharding groups divide the replicas": Check.that(
            layout.replicas * context * layout.held % layout.shards == 0
        ),
        **_recomputation_checks(design),
        **split_checks(design, shape, layout.groups, both_ends),
        "offloaded weights are sharded": Check.that(
            logical_or(
                logical_not(design.parameter_offload), design.zero_stage >= ZeroStage.WEIGHTS
            )
        ),
        **_document_checks(design),
        **_frozen_checks(design, shape, both_ends),
    }


def _document_checks(design: TrainingDesign) -> dict[str, Check]:
    """State which documents can be packed, where there are any."""
    if design.document_len is None:
        return {}
    return {"document within a sequence": Check.at_most(design.document_len, design.seq_len)}


def _frozen_checks(design: TrainingDesign, shape: ModelShape, both_ends: Any) -> dict[str, Check]:
    """State which layers can be frozen."""
    return {
        "frozen layers leave some to train": Check.that(design.frozen_layers < shape.layers),
        "frozen layers are at one end of the pipeline": Check.that(
            logical_or(design.frozen_layers <= 0, logical_not(both_ends))
        ),
    }


def _recomputation_checks(design: TrainingDesign) -> dict[str, Check]:
    """State which layers can be recomputed, where they are counted."""
    if design.recompute_layers is None:
        return {}
    whole = select(design.recompute, {mode: mode == "full" for mode in RECOMPUTE})
    return {"counted recomputation is of whole layers": Check.that(whole)}
