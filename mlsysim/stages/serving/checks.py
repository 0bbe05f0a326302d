"""What serving engines cannot run."""

from typing import Any

from mlsysim.expr.functions import logical_and, logical_or, maximum, minimum, where
from mlsysim.problem.verdict import Check
from mlsysim.stages.amounts import gigabytes
from mlsysim.stages.kinds import kinds_of
from mlsysim.stages.machine import Machine
from mlsysim.stages.serving.passes import ServingRun


def _whole_in_domains(replicas: Any, size: Any, machine: Machine) -> Check:
    """Demand room for the replicas of an inventory where each stays within a domain."""
    inside = size <= machine.domain
    domains = machine.accelerators // machine.domain
    places = where(inside, machine.domain // size * domains, machine.accelerators // size)
    return Check.at_most(where(logical_and(machine.counted, inside), replicas, 0), places)


def serving_checks(run: ServingRun) -> dict[str, Check]:
    """State what engines cannot run, by reason."""
    design, layout, shape, machine = run.design, run.layout, run.shape, run.machine
    tensor, expert, group = design.tp_size, design.ep_size, layout.group
    spare = design.redundant_experts
    # A tensor-parallel group narrower than the key-value heads splits them; a wider one repeats.
    parts = [kind.cache_parts for kind in kinds_of(shape, "mixers")]
    even = (maximum(tensor, each) % minimum(tensor, each) == 0 for each in parts)
    found = {
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
        "expert parallel divides experts": Check.that((shape.experts + spare) % expert == 0),
        "redundant experts over ranks": Check.that(logical_or(spare <= 0, expert > 1)),
        "draft with an acceptance": Check.that(
            logical_or(design.draft_tokens < 1, design.draft_acceptance > 0)
        ),
        "sequence within the context": Check.at_most(
            design.input_tokens + design.output_tokens, shape.max_context
        ),
    }
    if design.host_cache is not None:
        asked = 1e9 * design.host_cache
        limit = where(machine.host_known, machine.host_memory, asked)
        found["host memory"] = Check.at_most(gigabytes(asked), gigabytes(limit))
    return found if run.draft is None else found | _draft_checks(run, run.draft)


def _draft_checks(run: ServingRun, draft: ServingRun) -> dict[str, Check]:
    """State what a model that drafts cannot be, by reason."""
    idle, size = run.design.draft_tokens < 1, draft.design.tp_size
    heads = logical_and(draft.shape.heads % size == 0, draft.shape.linear_heads % size == 0)
    return {
        "draft within the tensor-parallel group": Check.that(
            logical_or(idle, run.design.tp_size % size == 0)
        ),
        "tensor parallel divides heads of the draft": Check.that(logical_or(idle, heads)),
        "sequence within the context of the draft": Check.at_most(
            where(idle, 0, run.design.input_tokens + run.design.output_tokens),
            draft.shape.max_context,
        ),
    }
