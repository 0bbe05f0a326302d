"""How a serving replica is laid out: the counts that follow from its design."""

from dataclasses import dataclass
from typing import Any

from mlsysim.expr.functions import logical_and, logical_or, maximum, minimum, where
from mlsysim.physics.partition import (
    filled_domain,
    fullest_share,
    members_together,
)
from mlsysim.physics.serving import paged
from mlsysim.problem.verdict import Check
from mlsysim.stages.kinds import kinds_of
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
    # At least the last token of a prompt is computed, or there would be no first one to give out.
    fresh = maximum(design.input_tokens * (1 - design.prefix_hit_rate), 1)
    chunks = fullest_share(fresh, design.chunk_tokens)
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
        group=group,
        replica=replica,
        accelerators=accelerators,
        layers=fullest_share(shape.layers, design.pp_size),
        held=held,
        turns=turns,
        sequences=sequences,
        groups=groups,
        pass_sequences=minimum(design.batch_size, sequences * groups),
        fresh=fresh,
        chunks=chunks,
        chunk=fresh / chunks,
        packed=maximum(minimum(design.chunk_tokens / fresh, sequences), 1),
        length=paged(design.input_tokens + design.output_tokens, design.page_tokens),
        together=together,
        across=fullest_share(design.tp_size, together),
        group_together=group_together,
        group_across=fullest_share(group, group_together),
    )


def _whole_in_domains(replicas: Any, size: Any, machine: Machine) -> Check:
    """Demand room for the replicas of an inventory where each stays within a domain."""
    inside = size <= machine.domain
    domains = machine.accelerators // machine.domain
    places = where(inside, machine.domain // size * domains, machine.accelerators // size)
    return Check.at_most(where(logical_and(machine.counted, inside), replicas, 0), places)


def serving_checks(
    design: ServingDesign, layout: ServingLayout, shape: ModelShape, machine: Machine
) -> dict[str, Check]:
    """State what engines cannot run, by reason."""
    tensor, expert, group = design.tp_size, design.ep_size, layout.group
    # A tensor-parallel group narrower than the key-value heads splits them; a wider one repeats.
    parts = [kind.cache_parts for kind in kinds_of(shape, "mixers")]
    even = (maximum(tensor, each) % minimum(tensor, each) == 0 for each in parts)
    return {
        # What is rented limits a replica; an inventory, all of them.
        "accelerators": Check.at_most(
            where(machine.counted, layout.accelerators, layout.replica), machine.accelerators
        ),
        "replicas within domains": _whole_in_domains(design.replicas, layout.replica, machine),
        "tensor parallel divides heads": Check.that(
            logical_and(shape.heads % tensor == 0, shape.linear_heads % tensor == 0)
        ),
        "tensor parallel fits key-value heads": Check.that(logical_and(*even)),
        "tensor parallel divides the MLP": Check.that(
            logical_and(shape.dense_width % tensor == 0, (shape.expert_width * expert) % group == 0)
        ),
        "pipeline stages within layers": Check.at_most(design.pp_size, shape.layers),
        "expert parallel of a model with experts": Check.that(
            logical_or(expert <= 1, shape.experts > 1)
        ),
        "expert parallel divides the stage": Check.that(group % expert == 0),
        "expert parallel divides experts": Check.that(shape.experts % expert == 0),
        "draft with an acceptance": Check.that(
            logical_or(design.draft_tokens < 1, design.draft_acceptance > 0)
        ),
        "sequence within the context": Check.at_most(
            design.input_tokens + design.output_tokens, shape.max_context
        ),
    }
