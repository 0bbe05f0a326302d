"""Law 4: every knob is priced or bounded, and does something wherever it applies.

An argument is changed in a feasible design.  Some number or verdict has to
follow, unless the argument's documentation says that it has no use there:
`INERT` states these places, one line each.
"""

from collections.abc import Callable, Mapping

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from laws.designs import STAGES, Complete, Design, feasible, law, numbers, shown, values_of
from mlsysim.catalog import Infrastructure
from mlsysim.catalog.cluster import Cluster
from mlsysim.catalog.node import Node
from mlsysim.catalog.vision_model import VisionModel
from mlsysim.core.stage import ForwardModel
from mlsysim.units import is_quantity

Inert = Callable[[Design, Design], bool]


def _same(name: str) -> Callable[[Design, Design], bool]:
    """Say where two values stand for the same."""
    return lambda old, new: old.arguments.get(name) == new.arguments.get(name)


def _no_draft(old: Design, new: Design) -> bool:
    return old["draft_tokens"] == 0


def _rented(old: Design, new: Design) -> bool:
    return old.arguments.get("purchase", "rented") == "rented"


def _owned(old: Design, new: Design) -> bool:
    return not _rented(old, new)


def _fresh(design: Design) -> float:
    return max(design["input_tokens"] * (1 - design["prefix_hit_rate"]), 1)


def _prompts_fit_a_pass(old: Design, new: Design) -> bool:
    """Every prompt of the batch fits into one pass, before and after."""
    smallest = min(old["chunk_tokens"], new["chunk_tokens"])
    together = 1
    if "prefill_fleet" not in old.arguments:
        turns = old.arguments.get("attention_dp_size", 1) * old.arguments.get("pp_size", 1)
        together = -(-old["batch_size"] // turns)
    return smallest >= _fresh(old) * together


def _same_pages(old: Design, new: Design) -> bool:
    def length(design: Design) -> int:
        page = design["page_tokens"]
        return -(-(design["input_tokens"] + design["output_tokens"]) // page) * page

    return length(old) == length(new)


def _server(design: Design) -> Node | None:
    fleet = design["fleet"]
    if isinstance(fleet, Cluster):
        return fleet.node
    return fleet if isinstance(fleet, Node) else None


def _server_has(figure: str) -> Callable[[Design, Design], bool]:
    def known(old: Design, new: Design) -> bool:
        server = _server(old)
        return server is not None and server.has(figure)

    return known


def _never_idle(old: Design, new: Design) -> bool:
    return getattr(old.solve(), "utilization", old.arguments.get("utilization")) == 1


def _never_saves(old: Design, new: Design) -> bool:
    return old.arguments.get("idle_power_share") == 1


def _own_pue(old: Design, new: Design) -> bool:
    grid = Infrastructure.Grids[old["region"]]
    return {old.arguments.get("pue"), new.arguments.get("pue")} <= {None, grid.pue}


def _no_power(old: Design, new: Design) -> bool:
    power = getattr(old.solve(), "power", 1)
    return power is None or power == 0


# Figures of the catalogue are the same for these; what tells them apart is not in a time.
_TWINS = ({"bf16", "fp16"}, {"fp8", "int8"}, {"fp4", "int4"})


def _twins(name: str) -> Inert:
    """Say that two names of as many bits, or a name and the default that it is, are one."""

    def same(old: Design, new: Design) -> bool:
        pair = {design.arguments.get(name) or design["precision"] for design in (old, new)}
        return len(pair) == 1 or any(pair <= twins for twins in _TWINS)

    return same


def _hides_nothing(old: Design, new: Design) -> bool:
    """What goes between stages and to experts is hidden by "all" alone."""
    kinds = ["tensor", "context", "data"]
    if "all" in {old["overlap"], new["overlap"]}:
        kinds += ["expert", "pipeline"]
    times = [design.but(overlap="none").solve() for design in (old, new)]
    return all(getattr(time, f"step_latency_{kind}").m == 0 for time in times for kind in kinds)


def _same_schedule(old: Design, new: Design) -> bool:
    """There is no bubble to fill, or virtual stages interleave by either name."""
    names = {old["schedule"], new["schedule"]}
    return old["pp_size"] == 1 or (names == {"1f1b", "interleaved"} and old["virtual_stages"] > 1)


def _other_stage_is_fuller(old: Design, new: Design) -> bool:
    return old.but(fused_loss=False).solve().memory_logits.m == 0


def _all_nodes(old: Design, new: Design) -> bool:
    return {old["nodes"] or old["fleet"].nodes} == {new["nodes"] or new["fleet"].nodes}


def _nothing_to_scatter(old: Design, new: Design) -> bool:
    return old["tp_size"] == 1 or old["pp_size"] == 1 or old["sequence_parallel"]


def _alone(old: Design, new: Design) -> bool:
    return old.solve().active_replicas * old["cp_size"] == 1


# Argument -> where its documentation says that it has no use, or that two values are one.
INERT: Mapping[str, tuple[Inert, ...]] = {
    # "Tokens that a draft proposes per pass; 0 for none."
    "draft_acceptance": (_no_draft,),
    "draft_layers": (_no_draft,),
    # "Tokens of a prompt that one pass takes at most."
    "chunk_tokens": (_prompts_fit_a_pass,),
    "page_tokens": (_same_pages,),
    "prefix_hit_rate": (lambda old, new: _fresh(old) == _fresh(new),),
    # "No limit without a rate."
    "utilization": (_never_saves,),
    "utilization_limit": (lambda old, new: "request_rate" not in old.arguments,),
    # "As `precision` unless given."
    "weight_precision": (_twins("weight_precision"),),
    "attention_precision": (_twins("attention_precision"),),
    "precision": (_twins("precision"),),
    "kv_precision": (_twins("kv_precision"),),
    # "Whether norms and residuals are split along the sequence, within tensor parallelism."
    "sequence_parallel": (lambda old, new: old["tp_size"] == 1,),
    # "Whether a tensor-parallel group shares the sending of what goes to the next stage."
    "scatter_gather": (_nothing_to_scatter,),
    # "What computation hides of communication."
    "overlap": (_hides_nothing,),
    # "`zero-bubble`, which fills the bubble with gradients of weights."
    "schedule": (_same_schedule,),
    # "All unless given."
    "nodes": (_all_nodes,),
    # "What logits add to the fullest stage."
    "fused_loss": (_other_stage_is_fuller,),
    # "What replicas share."
    "zero_stage": (_alone,),
    # "A vision model has no use for it."
    "seq_len": (lambda old, new: isinstance(old["model"], VisionModel),),
    # "Where only the price (the power) of its accelerators is known."
    "server_factor": (_rented, _server_has("unit_price")),
    "server_power_factor": (_server_has("max_power"), _no_power),
    # "Rented by the hour, electricity included, or owned."
    "electricity_price": (_rented,),
    "lifetime_years": (_rented,),
    "maintenance_rate": (_rented,),
    "rental_price": (_owned,),
    # "What an idle server draws of its maximum."
    "idle_power_share": (_never_idle, _no_power),
    "pue": (_own_pue, _no_power),
    "region": (_no_power,),
    # "Output and prompt tokens at this rate": a price per token needs both.
    "tokens_per_second": (lambda old, new: "input_tokens_per_second" not in new.arguments,),
    "input_tokens_per_second": (lambda old, new: "tokens_per_second" not in new.arguments,),
    "prefill_share": (
        lambda old, new: (
            not {"tokens_per_second", "input_tokens_per_second"} <= new.arguments.keys()
        ),
    ),
}


def told(design: Design) -> dict[str, object] | None:
    """Give every metric, verdict and limit of a design; nothing where it is refused."""
    result = design.outcome()
    if result is None:
        return None
    limits = {
        f"{reason} {what}": getattr(check, what)
        for reason, check in result.checks.items()
        for what in ("value", "limit")
    }
    bare = {name: item.m if is_quantity(item) else item for name, item in limits.items()}
    return {**numbers(result), **bare}


def applies(old: Design, new: Design, name: str) -> bool:
    """Tell whether a change of one argument has to change something."""
    if name not in old.arguments or old[name] == new[name]:
        return False
    plain = (
        name if name == "prefill_share" else name.removeprefix("prefill_").removeprefix("decode_")
    )
    return not any(reason(old, new) for reason in INERT.get(plain, ()))


def knobs(stage: type[ForwardModel]) -> list[str]:
    """List what can be chosen apart from what is computed, and on what."""
    given = ("model", "designs", "fleet", "accelerator")
    return [name for name in stage.inputs() if not name.endswith(given)]


@st.composite
def changes(draw: st.DrawFn, stage: type[ForwardModel], name: str) -> tuple[Design, Design]:
    """Draw a feasible design, and the same with another value of one argument."""
    old = draw(feasible(stage))
    return old, old.but(**{name: draw(values_of(stage, name, Complete(stage, old)))})


PAIRS = [(stage, name) for stage in STAGES for name in knobs(stage)]


@pytest.mark.parametrize(("stage", "name"), PAIRS, ids=lambda item: getattr(item, "__name__", item))
def test_every_knob_does_something(stage: type[ForwardModel], name: str) -> None:
    """Changing an argument changes a number or a verdict, or the stage refuses it."""

    @law(5)
    @given(changes(stage, name))
    def holds(change: tuple[Design, Design]) -> None:
        old, new = change
        assume(applies(old, new, name))
        assert told(old) != told(new), f"{name}={shown(new[name])} changes nothing"

    holds()
