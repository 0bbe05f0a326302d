"""What a planner chooses about a serving replica, and the counts that follow."""

from dataclasses import dataclass
from typing import Any

from mlsysim.core.stages.arguments import check_number, check_whole
from mlsysim.core.stages.serving_machine import ServingMachine
from mlsysim.core.stages.serving_shape import ServingShape
from mlsysim.expr.functions import logical_and, logical_or, maximum, minimum, where
from mlsysim.physics.partition import fullest_share, members_together
from mlsysim.physics.serving import paged
from mlsysim.problem.verdict import Check


@dataclass(frozen=True, kw_only=True)
class ServingChoices:
    """What a planner chooses (`ServingModel.solve` describes each), and what follows at once.

    Parameters
    ----------
    batch_size, input_tokens, output_tokens, tensor, pipeline, expert, attention, replicas
        Whole numbers.
    weight_width, attention_width, cache_width
        Bytes per weight of the MLPs and of attention, and per number of the cache.
    expert_rate
        Rate of products with experts over that with one matrix.
    page_tokens, chunk_tokens, prefix_hit_rate
        Of cache and prefill.
    draft_tokens, draft_acceptance, draft_layers
        Of speculative decoding.
    memory_fraction
        Share of the memory that the runtime may use.
    """

    batch_size: Any
    input_tokens: Any
    output_tokens: Any
    tensor: Any
    pipeline: Any
    expert: Any
    attention: Any
    replicas: Any
    weight_width: Any
    expert_rate: Any
    attention_width: Any
    cache_width: Any
    page_tokens: Any
    chunk_tokens: Any
    prefix_hit_rate: Any
    draft_tokens: Any
    draft_acceptance: Any
    draft_layers: Any
    memory_fraction: Any


@dataclass(frozen=True, kw_only=True)
class ServingLayout:
    """What follows from the choices.

    Parameters
    ----------
    group
        Accelerators of one pipeline stage: tensor times attention groups.
    replica
        Accelerators of a replica.
    accelerators
        Accelerators of all replicas.
    stage_layers
        Layers of the fullest stage.
    stage_share
        The same over all layers.
    sequences
        Sequences that one attention group decodes in one pass: those of the batch
        are shared by groups and by the stages that take turns; a group that is at work has one.
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
    stage_layers: Any
    stage_share: Any
    sequences: Any
    fresh: Any
    chunks: Any
    chunk: Any
    packed: Any
    length: Any
    together: Any
    across: Any
    group_together: Any
    group_across: Any


def check_choices(choices: ServingChoices) -> None:
    """Refuse arguments that are out of range."""
    for name in ("batch_size", "input_tokens", "output_tokens", "replicas", "page_tokens"):
        check_whole(name, getattr(choices, name))
    for name, value in (
        ("tp_size", choices.tensor),
        ("pp_size", choices.pipeline),
        ("ep_size", choices.expert),
        ("attention_dp_size", choices.attention),
        ("chunk_tokens", choices.chunk_tokens),
        ("draft_layers", choices.draft_layers),
    ):
        check_whole(name, value)
    check_whole("draft_tokens", choices.draft_tokens, least=0)
    check_number("prefix_hit_rate", choices.prefix_hit_rate, most=1.0)
    check_number("draft_acceptance", choices.draft_acceptance, most=1.0)
    check_number("memory_fraction", choices.memory_fraction, most=1.0, above=True)


def lay_out_replica(
    choices: ServingChoices, shape: ServingShape, machine: ServingMachine
) -> ServingLayout:
    """Derive the counts."""
    group = choices.tensor * choices.attention
    replica = group * choices.pipeline
    accelerators = replica * choices.replicas
    layers = fullest_share(shape.layers, choices.pipeline)
    # At least the last token of a prompt is computed, or there would be no first one to give out.
    fresh = maximum(choices.input_tokens * (1 - choices.prefix_hit_rate), 1)
    chunks = fullest_share(fresh, choices.chunk_tokens)
    together = members_together(choices.tensor, 1, machine.domain, accelerators)
    group_together = members_together(group, 1, machine.domain, accelerators)
    busy = maximum(choices.batch_size / (choices.attention * choices.pipeline), 1)
    return ServingLayout(
        group=group,
        replica=replica,
        accelerators=accelerators,
        stage_layers=layers,
        stage_share=layers / shape.layers,
        sequences=busy,
        fresh=fresh,
        chunks=chunks,
        chunk=fresh / chunks,
        packed=maximum(minimum(choices.chunk_tokens / fresh, busy), 1),
        length=paged(choices.input_tokens + choices.output_tokens, choices.page_tokens),
        together=together,
        across=fullest_share(choices.tensor, together),
        group_together=group_together,
        group_across=fullest_share(group, group_together),
    )


def serving_checks(
    choices: ServingChoices, layout: ServingLayout, shape: ServingShape, machine: ServingMachine
) -> dict[str, Check]:
    """State what engines cannot run, by reason."""
    tensor, expert, group = choices.tensor, choices.expert, layout.group
    # A tensor-parallel group narrower than the key-value heads splits them; a wider one repeats.
    narrow = minimum(tensor, shape.cache_parts)
    wide = maximum(tensor, shape.cache_parts)
    experts = where(shape.experts > 0, shape.experts, 1)
    return {
        "accelerators": Check.at_most(layout.accelerators, machine.accelerators),
        "tensor parallel divides heads": Check.that(shape.heads % tensor == 0),
        "tensor parallel fits key-value heads": Check.that(wide % narrow == 0),
        "tensor parallel divides the MLP": Check.that(
            logical_and(shape.dense_width % tensor == 0, (shape.expert_width * expert) % group == 0)
        ),
        "pipeline stages within layers": Check.at_most(choices.pipeline, shape.layers),
        "expert parallel divides the stage": Check.that(group % expert == 0),
        "expert parallel divides experts": Check.that(experts % expert == 0),
        "draft with an acceptance": Check.that(
            logical_or(choices.draft_tokens < 1, choices.draft_acceptance > 0)
        ),
        "sequence within the context": Check.at_most(
            choices.input_tokens + choices.output_tokens, shape.max_context
        ),
    }
