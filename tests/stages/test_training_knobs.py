"""Laws of the training stages: no knob is free, none is without effect where it applies."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import examples

from mlsysim.catalog import Cluster, Infrastructure, Models, Systems
from mlsysim.core.solver import DistributedModel, EconomicsModel, GoodputModel
from mlsysim.errors import Infeasible
from mlsysim.physics.state import OPTIMIZERS
from mlsysim.stages.matrices import TARGETS
from mlsysim.stages.stage import ForwardModel
from mlsysim.units import is_quantity, quantity

LANGUAGE = Models.Language
MODELS = [
    LANGUAGE.Llama3_8B,
    LANGUAGE.DeepSeek_V3,
    LANGUAGE.Mixtral_8x7B,
    LANGUAGE.Llama4_Maverick,
    LANGUAGE.Gemma3_27B,
]
FLEETS = [Systems.Clusters.Production_2K, Systems.Clusters.Training_1K_B200]
TRAINING: dict[str, list[Any]] = {
    "model": MODELS,
    "fleet": FLEETS,
    "batch_size": [256, 1024, 2048],
    "tp_size": [1, 2, 4, 8],
    "pp_size": [1, 2, 4, 8],
    "cp_size": [1, 2, 4],
    "ep_size": [1, 2, 8],
    "precision": ["bf16", "fp8", "fp32"],
    "efficiency": [None, 0.4, 0.6],
    "seq_len": [2048, 4096],
    "micro_batch_size": [1, 2, 4],
    "virtual_stages": [1, 2],
    "schedule": ["1f1b", "interleaved", "zero-bubble", "dualpipe"],
    "overlap": ["none", "data", "all"],
    "attention": ["causal", "full", "unfused"],
    "zero_stage": [0, 1, 2, 3],
    "sharding": ["zero", "fsdp"],
    "recompute": ["none", "selective", "norms_and_up_projections", "alternate", "full"],
    "recompute_layers": [None, 1, 2],
    "first_stage_layers": [None, 2, 4],
    "last_stage_layers": [None, 2, 4],
    "stage_layers": [None, [20, 12], [18, 14]],
    "sequence_parallel": [False, True],
    "scatter_gather": [False, True],
    "stack": ["megatron", "torchtitan", "deepspeed"],
    "zero_group": [None, 2, 8],
    "graphs": ["none", "partial", "full", "unfused"],
    "dispatcher": ["alltoall", "deepep", "hybridep"],
    "fused_loss": [False, True],
    "optimizer_offload": [False, True],
    "activation_offload": [0.0, 0.5, 1.0],
    "gradient_bytes": [2, 4, 6],
    "moment_bytes": [2, 4],
    "optimizer": list(OPTIMIZERS),
    "master_weights": [True, False],
    "adapter_rank": [None, 8, 64],
    "adapter_targets": list(TARGETS),
    "base_format": [None, "nf4", "int8"],
    "frozen_layers": [0, 1, 8],
    "adapter_dropout": [False, True],
    "kernels": ["fused", "eager"],
    "parameter_offload": [False, True],
    "host_memory": [None, 100.0, 1e6],
    "document_len": [None, 512, 1024],
    "packed": [True, False],
    "activation_storage": ["wide", "fp8"],
    "dispatch": ["wide", "fp8"],
    "nodes": [16, 32, 64, 128],
}
SPLITS = {"first_stage_layers", "last_stage_layers", "stage_layers"}
Design = dict[str, Any]


def sharers(design: Design, group: int | None) -> tuple[int, ...]:
    """Count the accelerators that share state, and those that share that of experts."""
    model_parallel = design["tp_size"] * design["pp_size"] * design["cp_size"]
    data = max(8 * design["nodes"] // model_parallel, 1)
    everyone = min(data, design["batch_size"]) * design["cp_size"]
    alike = everyone
    if design["ep_size"] > 1 and design["model"].experts:
        alike = max(everyone * design["tp_size"] // design["ep_size"], 1)
    return tuple(min(group or count, count) for count in (everyone, alike))


# Where a knob says that it has no effect: `DistributedModel.solve` states each.
INERT: dict[str, Callable[[Design, Any], bool]] = {
    "sequence_parallel": lambda d, _: d["tp_size"] == 1,
    "scatter_gather": lambda d, _: d["tp_size"] == 1 or d["pp_size"] == 1 or d["sequence_parallel"],
    "dispatch": lambda d, _: d["ep_size"] == 1 and d["precision"] == "fp8",
    # one stage has no bubble, and interleaving is 1F1B with virtual stages
    "schedule": lambda d, other: (
        (d["pp_size"] == 1 and {d["schedule"], other} == {"1f1b", "zero-bubble"})
        or (d["virtual_stages"] > 1 and {d["schedule"], other} == {"1f1b", "interleaved"})
    ),
    # as many as a stage, or a chunk of it, has are all
    "recompute_layers": lambda d, other: (
        d["recompute"] == "full"
        and len(
            {
                count or -(-d["model"].layers // (d["pp_size"] * d["virtual_stages"]))
                for count in (d["recompute_layers"], other)
            }
        )
        == 1
    ),
    "zero_group": lambda d, other: (
        d["zero_stage"] == 0 or sharers(d, d["zero_group"]) == sharers(d, other)
    ),
    "graphs": lambda d, _: not d["model"].experts,
    "dispatcher": lambda d, other: (
        not d["model"].experts
        or d["ep_size"] == 1
        or {d["dispatcher"], other} == {"deepep", "hybridep"}
    ),
    "moment_bytes": lambda d, _: d["optimizer"] in {"adamw_8bit", "adafactor", "sgd"},
    "master_weights": lambda d, _: d["precision"] == "fp32",
    "host_memory": lambda d, other: _host_holds(d) == _host_holds(d | {"host_memory": other}),
    "packed": lambda d, _: d["document_len"] is None,
    "adapter_targets": lambda d, _: d["adapter_rank"] is None,
    # single precision has gradients of 4 bytes at least
    "gradient_bytes": lambda d, other: (
        d["precision"] == "fp32" and {d["gradient_bytes"], other} == {2, 4}
    ),
}


def _host_holds(design: Design) -> bool:
    return bool(DistributedModel().solve(**design).checks["host memory"].holds)


# What these save may be hidden by what else takes its time or memory, though never in most designs.
HIDDEN = {
    "efficiency", "overlap", "attention", "fused_loss", "activation_storage", "base_format",
    "adapter_dropout", "document_len",
    # without master copies stage 3 keeps one thing, but where frozen tables are let go of
    "sharding",
}  # fmt: skip


def outcome(stage: type[ForwardModel], design: Design) -> dict[str, Any] | str:
    """Give all metrics and verdicts, or the refusal."""
    try:
        result = stage().solve(**design)
    except Infeasible as refusal:
        return str(refusal)
    found = {
        name: value.m_as(value.units) if is_quantity(value) else value
        for name, value in vars(result).items()
    }
    return {**found, "checks": {name: check.holds for name, check in result.checks.items()}}


def possible(design: Design) -> bool:
    """Tell whether only memory, if anything, is in the way."""
    found = outcome(DistributedModel, design)
    return not isinstance(found, str) and all(
        holds for name, holds in found["checks"].items() if name != "memory"
    )


def drawn(knob: str) -> st.SearchStrategy[Design]:
    """Draw designs, plain in what seldom goes together unless it is the knob that is tested."""
    seldom = {
        "virtual_stages", "schedule", "sharding", "activation_storage", "dispatch", "zero_group",
        *SPLITS, knob,
    }  # fmt: skip
    plain = seldom - {knob}
    # Only where tokens travel do they wait for launches in every design.
    values = TRAINING | ({"ep_size": [2, 8]} if knob == "graphs" else {})
    if knob in SPLITS:
        values = values | {"pp_size": [2], "model": [LANGUAGE.Llama3_8B, LANGUAGE.Mixtral_8x7B]}
    return st.fixed_dictionaries(
        {
            name: st.just(known[0]) if name in plain else st.sampled_from(known)
            for name, known in values.items()
        }
    ).filter(possible)


@pytest.mark.parametrize("knob", sorted(set(TRAINING) - HIDDEN))
def test_a_knob_does_something_unless_it_says_that_it_does_not(knob: str) -> None:
    """Changing it changes a metric or the verdict; where it is stated as inert, nothing."""

    @examples(40)
    @given(drawn(knob), st.data())
    def check(design: Design, data: st.DataObject) -> None:
        others = [value for value in TRAINING[knob] if value != design[knob]]
        other = data.draw(st.sampled_from(others))
        before = outcome(DistributedModel, design)
        after = outcome(DistributedModel, design | {knob: other})
        inert = knob in INERT and INERT[knob](design, other)
        assert (before == after) == inert

    check()


@pytest.mark.parametrize("knob", sorted(HIDDEN))
def test_a_knob_whose_effect_may_be_hidden_shows_in_most_designs(knob: str) -> None:
    """More than half of the designs tell the values of such a knob apart."""
    told: list[bool] = []

    @examples(40)
    @given(drawn(knob), st.data())
    def check(design: Design, data: st.DataObject) -> None:
        others = [value for value in TRAINING[knob] if value != design[knob]]
        changed = design | {knob: data.draw(st.sampled_from(others))}
        told.append(outcome(DistributedModel, design) != outcome(DistributedModel, changed))

    check()
    assert sum(told) > len(told) / 2


def test_every_knob_is_under_the_law() -> None:
    """A new argument of the stage is one of those that are tested."""
    assert set(TRAINING) == set(DistributedModel.inputs()) - {"self"}


GOODPUT: dict[str, tuple[Any, Any]] = {
    "model": (LANGUAGE.Llama3_8B, LANGUAGE.Llama3_70B),
    "fleet": (FLEETS[0], FLEETS[1]),
    "effective_throughput": (quantity(1e6, "1/s"), quantity(2e6, "1/s")),
    "tokens": (1e12, 2e12),
    "nodes": (64, 128),
    "checkpoint_interval": (None, 900.0),
    "checkpoint_bandwidth": (1.0, 2.0),
    "checkpoint_size": (None, 2000.0),
    "state_bytes_per_parameter": (None, 18.0),
    "restart_time": (600.0, 60.0),
    "accelerator_mtbf": (86_300.0, 50_000.0),
    "node_mtbf": (15_300.0, 10_000.0),
    "accelerator_hour_price": (2.0, 3.0),
}
ECONOMICS: dict[str, tuple[Any, Any]] = {
    "fleet": (FLEETS[0], FLEETS[1]),
    "duration_days": (30, 60),
    "region": ("US_Average", next(g for g in dir(Infrastructure.Grids) if g[0] in "NQ")),
    "electricity_price": (0.08, 0.12),
    "pue": (1.1, 1.3),
    "utilization": (0.4, 0.8),
    "effective_throughput": (quantity(1e6, "1/s"), quantity(2e6, "1/s")),
    "nodes": (64, 128),
    "lifetime_years": (4.0, 3.0),
    "maintenance_rate": (0.05, 0.1),
    "idle_power_share": (0.3, 0.2),
    # of nodes whose price is derived from that of their accelerators
    "server_factor": (1.5, 1.3),
}
ESTIMATED = Systems.Clusters.Production_2K.replace(
    name="Estimated", node=Systems.Nodes.HGX_H100_EPYC.replace(name="Estimated", unit_price=None)
)


@pytest.mark.parametrize(
    ("stage", "arguments", "knob"),
    [
        (stage, arguments, knob)
        for stage, arguments in ((GoodputModel, GOODPUT), (EconomicsModel, ECONOMICS))
        for knob in arguments
    ],
)
def test_a_knob_of_the_macro_stages_does_something(
    stage: type[ForwardModel], arguments: dict[str, tuple[Any, Any]], knob: str
) -> None:
    """Changing one of them changes a metric."""
    assert set(arguments) == set(stage.inputs()) - {"self"}
    design = {name: values[0] for name, values in arguments.items()}
    if (stage, knob) == (GoodputModel, "fleet"):
        design["accelerator_hour_price"] = None
    if knob == "server_factor":
        design["fleet"] = ESTIMATED
    assert outcome(stage, design) != outcome(stage, design | {knob: arguments[knob][1]})


def better(fleet: Cluster, figure: str) -> Cluster:
    """Give a fleet whose accelerators, or whose network, have twice as much of something."""
    node, accelerator = fleet.node, fleet.accelerator
    if figure == "network":
        wire = node.replace(name="Better", nic_bandwidth=2 * node.nic_bandwidth)
        fabric = fleet.fabric.replace(name="Better", bandwidth=2 * fleet.fabric.bandwidth)
        return fleet.replace(name="Better", node=wire, fabric=fabric)
    if figure == "peaks":
        change: Any = {name: 2 * peak for name, peak in accelerator.peaks.items()}
    else:
        change = 2 * getattr(accelerator, figure)
    part = accelerator.replace(name="Better", **{figure: change})
    return fleet.replace(name="Better", node=node.replace(name="Better", accelerator=part))


@pytest.mark.parametrize(
    "figure", ["memory_capacity", "memory_bandwidth", "peaks", "link_bandwidth", "network"]
)
def test_better_hardware_is_never_worse(figure: str) -> None:
    """Twice the memory, bandwidth or peak keeps every design feasible, and at least as fast."""
    fleets = {fleet.name: better(fleet, figure) for fleet in FLEETS}

    @examples(60)
    @given(st.sampled_from(["schedule", "sharding", "activation_storage"]).flatmap(drawn))
    def check(design: Design) -> None:
        plain = DistributedModel().solve(**design)
        mended = DistributedModel().solve(**(design | {"fleet": fleets[design["fleet"].name]}))
        assert mended.effective_throughput >= plain.effective_throughput * (1 - 1e-12)
        assert mended.memory_per_accelerator <= plain.memory_per_accelerator * (1 + 1e-12)
        assert bool(mended.feasible) >= bool(plain.feasible)

    check()


def test_computation_hides_one_exchange_at_a_time() -> None:
    """Groups that shard weights: gathers fill a backward pass, and leave none to sums over groups.

    Faster products then hide less of the gathers, and as little of the sums as before.
    """
    node = Systems.Nodes.Gaudi3_HLS
    fleet = Cluster(name="Four", node=node, nodes=4, fabric=Systems.Fabrics.RoCE_100)

    def step(on: Cluster) -> float:
        result = DistributedModel().solve(
            model=LANGUAGE.GPT3_13B,
            fleet=on,
            batch_size=113,
            pp_size=2,
            precision="bf16",
            seq_len=128,
            schedule="zero-bubble",
            overlap="data",
            zero_stage=3,
            zero_group=8,
            sharding="fsdp",
            recompute="selective",
        )
        assert result.step_latency_data > 5 * result.step_latency_compute
        time: float = result.step_latency_total.m
        return time

    assert step(better(fleet, "peaks")) <= step(fleet)
