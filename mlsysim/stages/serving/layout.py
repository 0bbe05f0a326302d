"""How a serving replica is laid out: the counts that follow from its design."""

from dataclasses import dataclass, replace
from typing import Any

from mlsysim.expr.functions import maximum, minimum
from mlsysim.physics.partition import (
    filled_domain,
    fullest_share,
    members_together,
)
from mlsysim.physics.serving import paged
from mlsysim.stages.machine import Machine
from mlsysim.stages.serving.design import ServingDesign
from mlsysim.stages.shape import ModelShape


@dataclass(frozen=True, kw_only=True)
class ServingLayout:
    """What follows from the design.

    Parameters
    ----------
    group
        Accelerators of one pipeline stage: tensor times attention groups.
    replica
        Accelerators of a replica.
    accelerators
        Accelerators of all replicas.
    layers
        Layers of the heaviest stage.
    held
        Sequences that the fullest attention group holds.
    turns
        Micro-batches that are under way in the pipeline: no more than it has stages, and none
        without a sequence.
    sequences
        Sequences of the fullest group in the fullest micro-batch.
    groups
        Attention groups that have a sequence.
    pass_sequences
        Sequences of all groups in the fullest micro-batch.
    fresh
        Tokens of a prompt that no earlier request has left in the cache.
    chunks, chunk
        Passes of its prefill, and the tokens of each.
    packed
        Prompts that share a pass when many wait.
    length
        Tokens of a sequence when it ends, in whole pages.
    together, across
        Members of a tensor-parallel group per scale-up domain, and domains.
    group_together, group_across
        The same of a whole stage.
    """

    group: Any
    replica: Any
    accelerators: Any
    layers: Any
    held: Any
    turns: Any
    sequences: Any
    groups: Any
    pass_sequences: Any
    fresh: Any
    chunks: Any
    chunk: Any
    packed: Any
    length: Any
    together: Any
    across: Any
    group_together: Any
    group_across: Any


def lay_out_replica(design: ServingDesign, shape: ModelShape, machine: Machine) -> ServingLayout:
    """Derive the counts."""
    group = design.tp_size * design.attention_dp_size
    replica = group * design.pp_size
    accelerators = replica * design.replicas
    # Replicas are placed one by one, so that neighbours do not split a group between domains.
    node, tensor = machine.accelerators_per_node, design.tp_size
    domain = filled_domain(machine.domain, node, replica, tensor, group)
    together = members_together(tensor, 1, domain, replica)
    group_together = members_together(group, 1, domain, replica)
    held = fullest_share(design.batch_size, design.attention_dp_size)
    turns = minimum(design.pp_size, held)
    sequences = fullest_share(held, turns)
    groups = minimum(design.attention_dp_size, design.batch_size)
    return ServingLayout(
        **_prompts(design, design.prefix_hit_rate, sequences),
        group=group,
        replica=replica,
        accelerators=accelerators,
        layers=fullest_share(shape.layers, design.pp_size),
        held=held,
        turns=turns,
        sequences=sequences,
        groups=groups,
        pass_sequences=minimum(design.batch_size, sequences * groups),
        length=paged(design.input_tokens + design.output_tokens, design.page_tokens),
        together=together,
        across=fullest_share(design.tp_size, together),
        group_together=group_together,
        group_across=fullest_share(group, group_together),
    )


def finding(layout: ServingLayout, design: ServingDesign, found: Any) -> ServingLayout:
    """Lay out the prefill of prompts of which a share is found in caches."""
    return replace(layout, **_prompts(design, found, layout.sequences))


def _prompts(design: ServingDesign, found: Any, sequences: Any) -> dict[str, Any]:
    """Count the tokens of a prompt that are computed, and the passes over them."""
    # At least the last token of a prompt is computed, or there would be no first one to give out.
    fresh = maximum(design.input_tokens * (1 - found), 1)
    chunks = fullest_share(fresh, design.chunk_tokens)
    return {
        "fresh": fresh,
        "chunks": chunks,
        "chunk": fresh / chunks,
        "packed": maximum(minimum(design.chunk_tokens / fresh, sequences), 1),
    }
