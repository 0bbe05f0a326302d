"""How a serving replica is laid out: the counts that follow from its design."""

from dataclasses import dataclass
from typing import Any

from mlsysim.expr.functions import logical_and, logical_or, maximum, minimum, where
from mlsysim.physics.partition import (
    expert_layers_on_stage,
    filled_domain,
    fullest_share,
    members_together,
)
from mlsysim.physics.serving import paged
from mlsysim.problem.verdict import Check
from mlsysim.stages.machine import Machine
from mlsysim.stages.serving.design import ServingDesign
from mlsysim.stages.shape import ModelShape


@dataclass(frozen=True, kw_only=True)
class StageLayers:
    """Layers of the heaviest pipeline stage: what it holds most of depends on what is heavier.

    Parameters
    ----------
    layers
        All of them.
    most_experts, fewest_experts
        Those with experts, on the stage with most of them and on the one with fewest.
    full
        Those that attend to everything, on the stage with most of them.
    """

    layers: Any
    most_experts: Any
    fewest_experts: Any
    full: Any

    def attending(self, full: Any, near: Any) -> Any:
        """Add up what attention takes; a layer without a window takes no less than one with."""
        return self.full * full + (self.layers - self.full) * near

    def mixed(self, dense: Any, expert: Any) -> Any:
        """Add up what MLPs take where the heavier kind is most frequent."""
        step = expert - dense
        return self.layers * dense + maximum(self.most_experts * step, self.fewest_experts * step)


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
    stage
        Layers of the heaviest stage, by kind.
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
    stage: StageLayers
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
        stage=_heaviest_stage(design, shape),
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


def _heaviest_stage(design: ServingDesign, shape: ModelShape) -> StageLayers:
    layers = fullest_share(shape.layers, design.pp_size)
    experts, dense = (
        expert_layers_on_stage(layers, shape.layers, count, shape.spread)
        for count in (shape.expert_layers, shape.dense_layers)
    )
    return StageLayers(
        layers=layers,
        most_experts=experts,
        fewest_experts=layers - dense,
        # Layers with and without a window alternate (Gemma, GPT-OSS, Llama 4).
        full=expert_layers_on_stage(layers, shape.layers, shape.full_layers, spread=True),
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
    narrow = minimum(tensor, shape.cache_parts)
    wide = maximum(tensor, shape.cache_parts)
    return {
        # What is rented limits a replica; an inventory, all of them.
        "accelerators": Check.at_most(
            where(machine.counted, layout.accelerators, layout.replica), machine.accelerators
        ),
        "replicas within domains": _whole_in_domains(design.replicas, layout.replica, machine),
        "tensor parallel divides heads": Check.that(shape.heads % tensor == 0),
        "tensor parallel fits key-value heads": Check.that(wide % narrow == 0),
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
