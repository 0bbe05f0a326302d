"""DistributedModel: context and expert parallelism, schedules, overlap, attention, and bounds."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlsysim.catalog import Calibration, Cluster, Models, Systems
from mlsysim.stages.training.distributed import DistributedModel
from mlsysim.stages.training.distributed_result import DistributedResult

DEEPSEEK = Models.Language.DeepSeek_V3
FLEET = Systems.Clusters.Production_2K


def solve(calibration: Calibration | None = None, **changes: Any) -> DistributedResult:
    """Evaluate a layout of DeepSeek-V3 with changes: 2,048 H100, 16 stages, 64-way experts."""
    inputs: dict[str, Any] = {
        "model": DEEPSEEK,
        "fleet": FLEET,
        "batch_size": 4096,
        "pp_size": 16,
        "ep_size": 64,
        "seq_len": 4096,
        "precision": "bf16",
        "recompute": "none",
    }
    return DistributedModel(calibration=calibration).solve(**{**inputs, **changes})


def seconds(result: DistributedResult, name: str = "total") -> float:
    """Read a time in seconds."""
    found: float = getattr(result, f"step_latency_{name}").m_as("s")
    return found


def memory(result: DistributedResult, name: str = "per_accelerator") -> float:
    """Read an amount in bytes."""
    amount: float = getattr(result, f"memory_{name}").m_as("byte")
    return amount


def failed(result: DistributedResult) -> set[str]:
    """List the reasons for which a design is impossible."""
    return {reason for reason, check in result.checks.items() if not check.holds}


def test_experts_are_dealt_out_and_the_rest_is_not() -> None:
    """Sixteen stages hold four layers; 64-way expert parallelism leaves 4 of 256 experts each."""
    # 3 * 7168 * 2048 matrix elements in an expert, 256 of them in a layer; two bytes each
    expert = 3 * 7168 * 2048
    alone, dealt = (solve(ep_size=size) for size in (1, 64))
    saved = memory(alone, "weights") - memory(dealt, "weights")
    assert saved == pytest.approx(4 * (256 - 256 / 64) * expert * 2)


def test_whole_experts_share_their_optimizer_among_fewer() -> None:
    """Four layers' experts lie with 128/64 = 2 accelerators, all else with 128 replicas."""
    own = 4 * 256 / 64 * 3 * 7168 * 2048 / 2 * 12
    assert memory(solve(), "optimizer") > own
    assert memory(solve(), "optimizer") == pytest.approx(own, rel=0.1)


def test_experts_in_other_nodes_cost_more() -> None:
    """Tokens that leave the node wait for the network."""
    inside, across = (solve(ep_size=size) for size in (8, 64))
    assert seconds(solve(ep_size=1), "expert") == 0
    assert seconds(across, "expert") > seconds(inside, "expert") > 0


def test_context_parallelism_divides_activations_and_passes_keys_on() -> None:
    """Half the tokens each: half the activations, and a ring of keys and values."""
    whole, halves = (solve(cp_size=c, seq_len=32768) for c in (1, 2))
    assert memory(halves, "activations") == pytest.approx(memory(whole, "activations") / 2)
    assert seconds(whole, "context") == 0
    assert seconds(halves, "context") > 0
    assert halves.data_parallel_size == whole.data_parallel_size / 2


def test_zero_bubble_fills_the_bubble_and_holds_one_microbatch_more() -> None:
    """A shorter wait, and 16 microbatches alive instead of 15 on the second stage.

    That is the fullest: it has four layers with experts, the first one has a single one.
    """
    plain, filled = (solve(schedule=name) for name in ("1f1b", "zero-bubble"))
    assert seconds(filled, "bubble") < seconds(plain, "bubble")
    assert memory(filled, "activations") == pytest.approx(16 / 15 * memory(plain, "activations"))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"schedule": "interleaved"}, "interleaved schedule needs virtual stages"),
        (
            {"schedule": "zero-bubble", "virtual_stages": 2},
            "zero-bubble schedule has no virtual stages",
        ),
        ({"cp_size": 3}, "context parallel divides the sequence"),
        ({"ep_size": 3}, "expert parallel divides the experts"),
        ({"ep_size": 256}, "expert parallel divides the ranks of a stage"),
        ({"cp_size": 4096}, "accelerators"),
    ],
)
def test_impossible_layouts_are_named(changes: dict[str, Any], reason: str) -> None:
    """What no framework runs is a verdict with its reason."""
    assert reason in failed(solve(**changes))


def test_a_dense_model_has_no_experts_to_deal_out() -> None:
    """Expert parallelism of a dense model is impossible, not free."""
    assert "expert parallel divides the experts" in failed(
        solve(model=Models.Language.Llama3_8B, ep_size=8)
    )


def test_overlap_hides_communication() -> None:
    """Each step of overlap hides more, and never adds."""
    layouts: dict[str, Any] = {"tp_size": 2, "sequence_parallel": True, "ep_size": 32}
    none, data, everything = (solve(overlap=o, **layouts) for o in ("none", "data", "all"))
    assert seconds(none) > seconds(data) > seconds(everything)
    assert seconds(none, "tensor") > seconds(data, "tensor") > seconds(everything, "tensor")
    assert seconds(none, "expert") == seconds(data, "expert") > seconds(everything, "expert")


def test_masks_and_kernels_differ() -> None:
    """A causal mask halves the core, and unfused kernels write their scores."""
    causal, full, unfused = (
        solve(attention=kind, seq_len=8192, batch_size=1024)
        for kind in ("causal", "full", "unfused")
    )
    assert seconds(causal, "compute") < seconds(full, "compute")
    assert memory(causal) == memory(full) < memory(unfused)


def test_eight_bits_speed_up_products_only() -> None:
    """Layers multiply twice as fast at best; attention and the head do not."""
    wide, narrow = (solve(precision=p, micro_batch_size=4) for p in ("bf16", "fp8"))
    assert 0.5 * seconds(wide, "compute") < seconds(narrow, "compute") < seconds(wide, "compute")


def test_the_optimizer_on_the_host_is_slow_and_leaves_room() -> None:
    """Offloading trades memory for time."""
    near, far = (solve(optimizer_offload=on) for on in (False, True))
    assert memory(far, "optimizer") == 0 < memory(near, "optimizer")
    assert seconds(far, "optimizer") > seconds(near, "optimizer")


def test_constants_come_with_the_accelerator() -> None:
    """The family's calibration is used unless another is given."""
    family = Systems.Calibrations.Hopper
    assert seconds(solve()) == seconds(solve(family))
    slower = family.replace(name="Slower", sustained=family.sustained / 2)
    assert seconds(solve(slower)) > 1.3 * seconds(solve())


def test_an_accelerator_without_measurements_has_the_generic_constants() -> None:
    """Any accelerator with a peak can be asked about."""
    own = Systems.Accelerators.H100_SXM.replace(
        name="Own", calibration=None, product_efficiencies={}, product_overheads={}
    )
    node = Systems.Nodes.DGX_H100.replace(name="Own_node", accelerator=own)
    fleet = Cluster(name="Own_fleet", node=node, nodes=256, fabric=Systems.Fabrics.IB_NDR)
    assert seconds(solve(fleet=fleet)) > 0


layouts = st.fixed_dictionaries(
    {
        "tp_size": st.sampled_from([1, 2, 8]),
        "pp_size": st.sampled_from([1, 4, 16]),
        "cp_size": st.sampled_from([1, 2, 4]),
        "ep_size": st.sampled_from([1, 8, 64]),
        "micro_batch_size": st.integers(1, 4),
        "schedule": st.sampled_from(["1f1b", "interleaved", "zero-bubble"]),
        "overlap": st.sampled_from(["none", "data", "all"]),
        "attention": st.sampled_from(["causal", "full", "unfused"]),
        "recompute": st.sampled_from(["none", "selective", "alternate", "full"]),
        "zero_stage": st.integers(0, 3),
        "sequence_parallel": st.booleans(),
    }
)
PARTS = [
    "compute",
    "tensor",
    "context",
    "expert",
    "pipeline",
    "data",
    "bubble",
    "optimizer",
    "straggler",
]


@given(layouts, st.integers(1, 10_000))
@settings(max_examples=60, deadline=None)
def test_throughput_stays_below_the_peak(layout: dict[str, Any], batch: int) -> None:
    """No layout passes n P / (6 N); tokens per second times the step are the tokens."""
    result = solve(**layout, batch_size=batch)
    paid = max(result.accelerators_used, result.accelerators_total)
    rate = result.effective_throughput.m_as("1/s")
    assert 0 < rate < paid * 989e12 / (6 * DEEPSEEK.matmul_parameters)
    assert rate * seconds(result) == pytest.approx(batch * 4096)
    assert min(seconds(result, part) for part in PARTS) >= 0
    assert sum(seconds(result, part) for part in PARTS) == pytest.approx(seconds(result))


@given(layouts, st.sampled_from([1024, 2048, 4096, 8192]))
@settings(max_examples=60, deadline=None)
def test_longer_sequences_take_no_less(layout: dict[str, Any], length: int) -> None:
    """Step time and memory grow with the sequence length."""
    short, long = (solve(**layout, seq_len=s) for s in (length, 2 * length))
    assert seconds(long) >= seconds(short)
    assert memory(long) >= memory(short)


@given(layouts, st.sampled_from([1, 2, 4, 8]))
@settings(max_examples=60, deadline=None)
def test_more_replicas_take_no_more_memory(layout: dict[str, Any], nodes: int) -> None:
    """From ZeRO-1 on, memory falls with the replicas, each with as much to do."""
    layout = {**layout, "zero_stage": max(layout["zero_stage"], 1), "pp_size": 1, "ep_size": 1}
    few, many = (solve(**layout, nodes=16 * n, batch_size=2048 * n) for n in (nodes, 2 * nodes))
    assert memory(many) <= memory(few) * (1 + 1e-12)
