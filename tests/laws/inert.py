"""Where an argument has no use, as its record says, and which of its values are one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from laws.designs import Design, Pasted, numbers, shown, with_accelerator

from mlsysim.catalog import Infrastructure, Models
from mlsysim.catalog.cluster import Cluster
from mlsysim.catalog.node import Node
from mlsysim.catalog.vision_model import VisionModel
from mlsysim.stages.machine import accelerator_of
from mlsysim.stages.serving.formats import attention_arithmetic, attention_width
from mlsysim.stages.training.frozen import frozen_width


@dataclass(frozen=True, repr=False)
class Change(Pasted):
    """A feasible design, and the same with another value of one argument."""

    name: str
    old: Design
    new: Design

    def __repr__(self) -> str:
        return f"{self.name}={shown(self.new[self.name])} in {self.old!r}"


Same = Callable[[Change], bool]
Inert = Callable[[Change], bool]


def _no_draft(it: Change) -> bool:
    return it.old["draft_tokens"] == 0


def _rented(it: Change) -> bool:
    owner = "purchase" not in it.old.stage.inputs()
    return not owner and it.old.arguments.get("purchase", "rented") == "rented"


def _owned(it: Change) -> bool:
    return not _rented(it)


def _fresh(design: Design) -> float:
    return max(design["input_tokens"] * (1 - design["prefix_hit_rate"]), 1)


def _prompts_fit_a_pass(it: Change) -> bool:
    """Say that every prompt of a turn fits into one pass, before and after."""
    smallest = min(it.old["chunk_tokens"], it.new["chunk_tokens"])
    together = 1
    if "prefill_fleet" not in it.old.arguments:
        turns = it.old.arguments.get("attention_dp_size", 1) * it.old.arguments.get("pp_size", 1)
        together = -(-it.old["batch_size"] // turns)
    return smallest >= _fresh(it.old) * together


def _same_pages(it: Change) -> bool:
    def length(design: Design) -> int:
        page = design["page_tokens"]
        return -(-(design["input_tokens"] + design["output_tokens"]) // page) * page

    return length(it.old) == length(it.new)


def _server(design: Design) -> Node | None:
    fleet = design["fleet"]
    if isinstance(fleet, Cluster):
        return fleet.node
    return fleet if isinstance(fleet, Node) else None


def _server_has(figure: str) -> Inert:
    def known(it: Change) -> bool:
        server = _server(it.old)
        return server is not None and server.has(figure)

    return known


def _never_idle(it: Change) -> bool:
    return getattr(it.old.solve(), "utilization", it.old.arguments.get("utilization")) == 1


def _never_saves(it: Change) -> bool:
    return it.old.arguments.get("idle_power_share") == 1


def _own_pue(it: Change) -> bool:
    grid = Infrastructure.Grids[it.old["region"]]
    return {it.old.arguments.get("pue"), it.new.arguments.get("pue")} <= {None, grid.pue}


def _all_at_hand(it: Change) -> bool:
    """Say that no stage has more than the two layers whose activations are on the accelerator."""
    awake = it.old["model"].layers - it.old["frozen_layers"]
    return bool(awake <= 2 * it.old["pp_size"])


def _same_state(it: Change) -> bool:
    told = {it.old.arguments.get(_STATE), it.new.arguments.get(_STATE)}
    return told <= {None, 14} and it.old.arguments.get("checkpoint_size") is None


_STATE = "state_bytes_per_parameter"


def _no_power(it: Change) -> bool:
    power = getattr(it.old.solve(), "power", 1)
    return power is None or power == 0


# Figures of the catalogue are the same for these; what tells them apart is not in a time.
_ARITHMETIC = ({"bf16", "fp16"}, {"fp8", "int8"}, {"fp4", "int4"})


def _twins(name: str) -> Inert:
    """Say that two precisions of as many bits, or two formats of the same width, are one."""

    def same(it: Change) -> bool:
        one, two = (
            design.arguments.get(name) or design["precision"] for design in (it.old, it.new)
        )
        kept = [Models.Formats[item] for item in (one, two)]
        fed = {str(item.arithmetic or it.old["precision"]) for item in kept}
        like = len(fed) == 1 or any(fed <= twins for twins in _ARITHMETIC)
        if name in {"weight_precision", "kv_precision"}:
            like = kept[0].element_bits == kept[1].element_bits
        return like and kept[0].bits == kept[1].bits

    return same


def _attention_as_before(it: Change) -> bool:
    """Say that nothing given stands for what is given, as the documentation derives it."""
    widths, fed = set(), set()
    for design in (it.old, it.new):
        model, precision = design["model"], design["precision"]
        weights, stated = design["weight_precision"] or precision, design["attention_precision"]
        widths.add(attention_width(model, precision, weights, stated))
        fed.add(str(attention_arithmetic(model, precision, weights, stated) or "bf16"))
    return len(widths) == 1 and (len(fed) == 1 or any(fed <= twins for twins in _ARITHMETIC))


def _hides_nothing(it: Change) -> bool:
    """Say that nothing is sent of what one of the two hides and the other does not."""
    pair = {it.old["overlap"], it.new["overlap"]}
    kinds = {"tensor", "context", "data"} if "none" in pair else set()
    if "all" in pair:
        # All-reduces of tensor parallelism are waited for, save with sequence parallelism.
        kinds |= {"expert", "pipeline"} | ({"tensor"} if it.old["sequence_parallel"] else set())
    time = it.old.but(overlap="none").solve()
    return all(getattr(time, f"step_latency_{kind}").m == 0 for kind in kinds)


_SLOWER = 1e-6


def _paced(design: Design, factor: float) -> Design:
    """Give the same design on accelerators that calculate so many times as fast.

    No two precisions are equally fast there.  Those that calculate faster read memory faster, too.
    """
    changes = {}
    for role, fleet in design.fleets.items():
        accelerator = accelerator_of(fleet)
        peaks = {
            name: factor * (1 + place / 10) * accelerator.peak(name)
            for place, name in enumerate(sorted(accelerator.precisions))
        }
        bandwidth = max(factor, 1) * accelerator.memory_bandwidth
        other = accelerator.replace(peaks=peaks, memory_bandwidth=bandwidth)
        changes[role] = with_accelerator(fleet, other)
    return design.but(**changes)


def _outpaced(it: Change) -> bool:
    """Say that arithmetic is faster than what it waits for: where it is slow, it is felt."""
    one, two = (_paced(design, _SLOWER).outcome() for design in (it.old, it.new))
    return one is not None and two is not None and numbers(one) != numbers(two)


def _layers_of(design: Design) -> list[int]:
    """Give the layers of each stage."""
    if design["stage_layers"] is not None:
        return list(design["stage_layers"])
    first, last = design["first_stage_layers"], design["last_stage_layers"]
    stages, layers, virtual = (
        design["pp_size"], design["model"].layers, design["virtual_stages"],
    )  # fmt: skip
    if first is None and last is None:
        return [-(-layers // (stages * virtual)) * virtual] * stages
    told = [size for size in (first, last) if size is not None]
    between = (layers - sum(told)) // max(stages - len(told), 1)
    return [first or between, *[between] * (stages - 2), last or between]


def _outlasts_launches(it: Change) -> bool:
    """Say that passes take longer than their launches: where work takes no time, these are felt."""
    one, two = (_paced(design, 1 / _SLOWER).outcome() for design in (it.old, it.new))
    return one is not None and two is not None and numbers(one) != numbers(two)


def _nothing_to_cast(it: Change) -> bool:
    """Say that all is in single precision already, and nothing else is passed on."""
    old = it.old
    single = old["precision"] == "fp32" and old["model"].mlp_matrices == 2
    # Another stage than the one with logits may be the fullest and the slowest.
    logits = not old["fused_loss"] and old["pp_size"] == 1
    return single and old["attention"] != "unfused" and not logits


def _every_layer(it: Change) -> bool:
    """Say that both repeat as many layers on each stage."""

    def repeated(design: Design) -> list[int]:
        chunks = [layers // design["virtual_stages"] for layers in _layers_of(design)]
        counted = design["recompute_layers"]
        each = counted if isinstance(counted, tuple) else [counted] * len(chunks)
        return [
            size if count is None else min(count, size)
            for count, size in zip(each, chunks, strict=True)
        ]

    return repeated(it.old) == repeated(it.new)


def _same_split(it: Change) -> bool:
    return _layers_of(it.old) == _layers_of(it.new)


def _same_schedule(it: Change) -> bool:
    """Say that there is no bubble to fill, or that virtual stages interleave by either name."""
    names = {it.old["schedule"], it.new["schedule"]}
    return it.old["pp_size"] == 1 or (
        names == {"1f1b", "interleaved"} and it.old["virtual_stages"] > 1
    )


def _last_stage_alone_trains(it: Change) -> bool:
    """Say that the stages which a step waits for are frozen: no gradients of weights to put off."""
    old, layers = it.old, it.old["model"].layers
    last = old["last_stage_layers"] or -(-layers // old["pp_size"])
    listed = old["stage_layers"]
    return bool(old["frozen_layers"] >= layers - (listed[-1] if listed else last))


def _gradients_hide_messages(it: Change) -> bool:
    """Say that the gradients of weights that could fill a bubble all hide messages instead."""
    free = [design.but(overlap="none").solve() for design in (it.old, it.new)]
    return bool(it.old["overlap"] != "none" and numbers(free[0]) != numbers(free[1]))


def _other_stage_is_fuller(it: Change) -> bool:
    return it.old.but(fused_loss=False).solve().memory_logits.m == 0


def _all_nodes(it: Change) -> bool:
    return {it.old["nodes"] or it.old["fleet"].nodes} == {it.new["nodes"] or it.new["fleet"].nodes}


def _nothing_frozen(it: Change) -> bool:
    """Say that no weight is frozen, or that a stage whose weights are not may be the fullest."""
    some = it.old["frozen_layers"] > 0
    return it.old["adapter_rank"] is None and not (some and it.old["pp_size"] == 1)


def _same_base(it: Change) -> bool:
    """Say that both stand for the format of working weights, or have as many bits."""
    widths = [
        frozen_width(it.old["model"], it.old["precision"], design["base_format"])
        for design in (it.old, it.new)
    ]
    return widths[0] == widths[1]


def _nothing_offloaded(it: Change) -> bool:
    return not any(
        it.old[name] for name in ("optimizer_offload", "parameter_offload", "activation_offload")
    )


def _whole_sequences(it: Change) -> bool:
    """Say that a document is all of a sequence, before and after."""
    length = it.old["seq_len"]
    return {it.old["document_len"] or length, it.new["document_len"] or length} == {length}


def _no_whole_moment(it: Change) -> bool:
    return it.old["optimizer"] in {"adamw_8bit", "adafactor", "sgd"}


def _nothing_to_scatter(it: Change) -> bool:
    return it.old["tp_size"] == 1 or it.old["pp_size"] == 1 or it.old["sequence_parallel"]


def _alone(it: Change) -> bool:
    return it.old.solve().active_replicas * it.old["cp_size"] == 1


def _same_groups(it: Change) -> bool:
    """Tell whether both are groups of all that there are; experts have fewer replicas."""
    everyone = it.old.solve().active_replicas * it.old["cp_size"]
    counts = {everyone}
    if it.old["ep_size"] > 1 and _has_experts(it):
        counts.add(max(everyone * it.old["tp_size"] // it.old["ep_size"], 1))
    return all(
        len({min(one["zero_group"] or count, count) for one in (it.old, it.new)}) == 1
        for count in counts
    )


def _same_kernels(it: Change) -> bool:
    """Two names of one kind of kernel; beside the network, that is what is meant unless given."""
    both = {it.old["dispatcher"], it.new["dispatcher"]}
    near = it.old["ep_size"] <= accelerator_of(it.old["fleet"]).scale_up_domain
    return "alltoall" not in both and (None not in both or near)


def _has_experts(it: Change) -> bool:
    return bool(getattr(it.old["model"], "experts", 0))


def _none_found(it: Change) -> bool:
    """Say that neither of two numbers of prefixes leaves room for one."""
    return {design.solve().prefix_share for design in (it.old, it.new)} == {0}


def _same_draft(it: Change) -> bool:
    """Say that both stand for as many accelerators as the model has."""
    size = "decode_tp_size" if "decode_tp_size" in it.old.arguments else "tp_size"
    return len({one["draft_tp_size"] or one[size] for one in (it.old, it.new)}) == 1


# Argument -> which of its values are one.
SAME: Mapping[str, tuple[Same, ...]] = {
    "draft_tp_size": (_same_draft,),
    "page_tokens": (_same_pages,),
    # At least one token of a prompt is computed.
    "prefix_hit_rate": (lambda it: _fresh(it.old) == _fresh(it.new),),
    # "As `precision` unless given."
    "weight_precision": (_twins("weight_precision"),),
    "attention_precision": (_attention_as_before,),
    "precision": (_twins("precision"),),
    "kv_precision": (_twins("kv_precision"),),
    # "Each sequence is one document unless given."
    "document_len": (_whole_sequences,),
    # "As working weights unless given."
    "base_format": (_same_base,),
    # "All unless given."
    "recompute_layers": (_every_layer,),
    # "Shared evenly unless given."
    "first_stage_layers": (_same_split,),
    "last_stage_layers": (_same_split,),
    "stage_layers": (_same_split,),
    "zero_group": (_same_groups,),
    "dispatcher": (_same_kernels,),
    "nodes": (_all_nodes,),
    # A mask of one token hides nothing.
    "attention": (
        lambda it: (
            1 in {it.old["seq_len"], it.old["document_len"]}
            and "unfused" not in {it.old["attention"], it.new["attention"]}
        ),
    ),
    # "The grid's unless given."
    "pue": (_own_pue,),
    # "14 ... where nothing else tells."
    "state_bytes_per_parameter": (_same_state,),
}

# Argument -> where its record says that it does not apply.
INERT: Mapping[str, tuple[Inert, ...]] = {
    "prefixes": (lambda it: it.old["prefix_hit_rate"] == 0, _none_found),
    "draft_acceptance": (_no_draft,),
    "draft_layers": (_no_draft, lambda it: it.old["draft_model"] is not None),
    "draft_tp_size": (_no_draft, lambda it: it.old["draft_model"] is None),
    "chunk_tokens": (_prompts_fit_a_pass,),
    "utilization": (_never_saves, _no_power),
    "utilization_limit": (lambda it: "request_rate" not in it.old.arguments,),
    "attention_precision": (_outpaced,),
    "precision": (_outpaced,),
    "sequence_parallel": (lambda it: it.old["tp_size"] == 1,),
    "scatter_gather": (_nothing_to_scatter,),
    "overlap": (_hides_nothing,),
    "dispatch": (lambda it: it.old["ep_size"] == 1 or it.old["overlap"] == "all",),
    "schedule": (_same_schedule, _last_stage_alone_trains, _gradients_hide_messages),
    "attention": (_outpaced,),
    "efficiency": (_outpaced,),
    "gradient_bytes": (lambda it: it.old["precision"] == "fp32",),
    "fused_loss": (_other_stage_is_fuller,),
    "moment_bytes": (_no_whole_moment,),
    "checkpoint_size": (lambda it: it.old.arguments.get("state_bytes_per_parameter") is not None,),
    "master_weights": (lambda it: it.old["precision"] == "fp32",),
    "adapter_targets": (lambda it: it.old["adapter_rank"] is None,),
    "adapter_dropout": (
        lambda it: it.old["adapter_rank"] is None,
        lambda it: it.old.solve().memory_logits.m > 0,
    ),
    "packed": (lambda it: (it.old["document_len"] or it.old["seq_len"]) >= it.old["seq_len"],),
    "sharding": (
        lambda it: (
            it.old["zero_stage"] == 3
            and (not it.old["master_weights"] or it.old["precision"] == "fp32")
        ),
    ),
    "host_memory": (_nothing_offloaded,),
    "activation_offload": (_all_at_hand,),
    "base_format": (_nothing_frozen,),
    "zero_stage": (_alone,),
    "zero_group": (_alone, lambda it: it.old["zero_stage"] == 0),
    "kernels": (_nothing_to_cast,),
    "graphs": (lambda it: not _has_experts(it), _outlasts_launches),
    "dispatcher": (lambda it: it.old["ep_size"] == 1 or not _has_experts(it),),
    "stack": (_alone,),
    "seq_len": (lambda it: isinstance(it.old["model"], VisionModel),),
    "server_factor": (_rented, _server_has("unit_price")),
    "server_power_factor": (_server_has("max_power"), _no_power),
    "electricity_price": (_rented,),
    "lifetime_years": (_rented,),
    "maintenance_rate": (_rented,),
    "rental_price": (_owned,),
    "idle_power_share": (_never_idle, _no_power),
    "pue": (_no_power,),
    "region": (_no_power,),
    "tokens_per_second": (lambda it: "input_tokens_per_second" not in it.new.arguments,),
    "input_tokens_per_second": (lambda it: "tokens_per_second" not in it.new.arguments,),
    "prefill_share": (
        lambda it: not {"tokens_per_second", "input_tokens_per_second"} <= it.new.arguments.keys(),
    ),
}
