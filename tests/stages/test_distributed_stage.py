"""DistributedModel: parts, verdicts, bounds, and the traps that earlier tools fell into."""

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mlsysim.catalog import Cluster, Models, Systems
from mlsysim.errors import Infeasible, ParameterError
from mlsysim.stages.training.distributed import DistributedModel
from mlsysim.stages.training.distributed_result import DistributedResult

LLAMA = Models.Language.Llama3_70B
FRONTIER = Systems.Clusters.Frontier_8K
TIMES = (
    "compute",
    "tensor",
    "context",
    "expert",
    "pipeline",
    "data",
    "bubble",
    "optimizer",
    "straggler",
)
MEMORIES = ("weights", "gradients", "optimizer", "activations", "logits", "reserve")


def h100(nodes: int, name: str = "IB_NDR") -> Cluster:
    """Build a cluster of DGX H100."""
    fabric = Systems.Fabrics[name]
    return Cluster(name="Mine", node=Systems.Nodes.DGX_H100, nodes=nodes, fabric=fabric)


def solve(**changes: Any) -> DistributedResult:
    """Evaluate the tutorial's best design with changes."""
    inputs: dict[str, Any] = {
        "model": LLAMA,
        "fleet": FRONTIER,
        "batch_size": 128,
        "tp_size": 8,
        "pp_size": 4,
        "efficiency": 0.45,
    }
    return DistributedModel().solve(**{**inputs, **changes})


def step(result: DistributedResult) -> float:
    """Read the step time in seconds."""
    seconds: float = result.step_latency_total.m_as("s")
    return seconds


def part(result: DistributedResult, name: str) -> float:
    """Read a part of the step in seconds."""
    seconds: float = getattr(result, f"step_latency_{name}").m_as("s")
    return seconds


def memory(result: DistributedResult) -> float:
    """Read the memory of the fullest accelerator in bytes."""
    amount: float = result.memory_per_accelerator.m_as("byte")
    return amount


def failed(result: DistributedResult) -> set[str]:
    """List the reasons for which a design is impossible."""
    return {reason for reason, check in result.checks.items() if not check.holds}


# --- the parts ------------------------------------------------------------------------------


@pytest.mark.parametrize("zero_stage", [0, 1, 2, 3])
@pytest.mark.parametrize("recompute", ["none", "selective", "full"])
def test_parts_add_up(zero_stage: int, recompute: str) -> None:
    """The parts of time and memory add up to the totals."""
    result = solve(zero_stage=zero_stage, recompute=recompute, batch_size=1024)
    assert sum(part(result, name) for name in TIMES) == pytest.approx(step(result))
    amounts = [getattr(result, f"memory_{name}").m_as("byte") for name in MEMORIES]
    assert sum(amounts) == pytest.approx(memory(result))
    assert min(amounts) >= 0


def test_what_sharding_keeps_whole() -> None:
    """A layer at work is not sharded, nor is, for the whole step, what is in no layer."""
    # layer: 855,654,400 (below); head: 128,256 * 8,192 = 1,050,673,152; tables: twice that and
    # 8,192 in the last norm; all over 8 accelerators of a tensor-parallel group
    layer, head = 855_654_400 / 8, 1_050_673_152 / 8
    tables = 2 * head + 8_192 / 8
    parameters = 80 * layer + tables
    second, third = (
        solve(zero_stage=stage, pp_size=1, batch_size=1024, gradient_bytes=4) for stage in (2, 3)
    )
    share = parameters / 1024  # 8,192 accelerators in groups of 8
    # two bytes as computed and four as summed for the layer, two for the head
    gradients = 4 * share + 6 * layer + 2 * head
    assert second.memory_gradients.m_as("byte") == pytest.approx(gradients)
    assert third.memory_gradients.m_as("byte") == pytest.approx(gradients)
    weights = 2 * share + 2 * 2 * layer + 2 * tables
    assert third.memory_weights.m_as("byte") == pytest.approx(weights)


def test_a_pipeline_has_the_head_on_another_stage() -> None:
    """The first stage gathers the embedding and waits for no gradient of the head."""
    layer, embedding = 855_654_400 / 8, 1_050_673_152 / 8 + 8_192 / 8
    share = (20 * layer + embedding) / 256
    result = solve(zero_stage=3, batch_size=1024)
    assert result.memory_weights.m_as("byte") == pytest.approx(
        2 * share + 2 * 2 * layer + 2 * embedding
    )
    assert result.memory_gradients.m_as("byte") == pytest.approx(4 * share + 6 * layer)


def test_weights_of_one_stage() -> None:
    """One accelerator of 32 holds a quarter of the layers and the embedding, an eighth of each."""
    # a layer has 8,192 (2 * 8,192 + 2 * 1,024) in attention, 3 * 8,192 * 28,672 in the MLP and
    # 2 * 8,192 in norms, which is 855,654,400; over 8 accelerators, with two bytes each:
    # 20 layers, 128,256 * 8,192 in the embedding and 8,192 in the last norm
    expected = (20 * 855_654_400 + 128_256 * 8_192 + 8_192) / 8 * 2
    assert solve().memory_weights.m_as("byte") == pytest.approx(expected, rel=1e-12)
    assert solve().memory_gradients.m_as("byte") == pytest.approx(2 * expected)
    # 12 bytes over 128 active replicas
    assert solve().memory_optimizer.m_as("byte") == pytest.approx(6 * expected / 128)


def test_all_parameters_are_on_one_accelerator() -> None:
    """Without parallelism the weights are the published parameter count."""
    weights = solve(tp_size=1, pp_size=1).memory_weights.m_as("byte")
    assert weights == 2 * LLAMA.parameters


def test_compute_is_bounded_by_the_peak() -> None:
    """Matrix products alone take 6 N tokens / (8 accelerators * 0.45 * 989 Tflop/s)."""
    result = solve(pp_size=1)
    products = 6 * LLAMA.matmul_parameters * 2048 / (8 * 0.45 * 989e12)
    assert products < part(result, "compute") < 1.5 * products


def test_mfu_counts_the_models_own_operations() -> None:
    """The MFU is 3 (2 N + core) tokens / (step * accelerators * peak), recomputation or not."""
    # causal core per token and layer: 4 * (2048 + 1) / 2 * 64 * 128
    core = 80 * 4 * 2049 / 2 * 8192
    flops = 3 * (2 * LLAMA.matmul_parameters + core) * 128 * 2048
    for recompute in ("selective", "full"):
        result = solve(recompute=recompute)
        assert result.mfu == pytest.approx(flops / (step(result) * 8192 * 989e12))
        assert result.hfu > result.mfu


# --- what an optimizer would exploit ----------------------------------------------------------


def test_throughput_is_batch_over_step_without_credit_for_idle_replicas() -> None:
    """B9: a batch of 1 on 256 replicas is one sequence per step."""
    result = solve(batch_size=1)
    assert result.data_parallel_size == 256
    assert result.active_replicas == 1
    assert result.effective_throughput.m_as("1/s") == pytest.approx(2048 / step(result))


@pytest.mark.parametrize("batch", [1, 100, 256, 257, 511, 512, 513])
def test_the_fullest_replica_sets_the_pace(batch: int) -> None:
    """B9: ceil(batch / replicas) sequences; 257 cost what 512 cost."""
    result, fullest = solve(batch_size=batch), -(-batch // 256)
    assert result.microbatches == fullest
    # every part but communication, whose group may be smaller, is that of the full batch
    full = solve(batch_size=256 * fullest)
    assert part(result, "compute") == part(full, "compute")
    assert part(result, "bubble") == part(full, "bubble")


def test_idle_replicas_cost_mfu() -> None:
    """B8: 16 sequences on 8,192 accelerators are half a percent of the peak at best."""
    result = solve(batch_size=16)
    assert result.mfu < 0.005
    assert result.utilization < 16 / 256


def test_gradient_accumulation_does_not_shrink_data_parallel_traffic() -> None:
    """B10: more microbatches of the same batch leave the exchange per step as it is."""
    coarse = solve(batch_size=2048, micro_batch_size=8, zero_stage=0)
    fine = solve(batch_size=2048, micro_batch_size=1, zero_stage=0)
    assert (coarse.microbatches, fine.microbatches) == (1, 8)
    assert part(fine, "data") >= part(coarse, "data") > 0


def test_microbatches_cannot_exceed_the_sequences() -> None:
    """B10: a replica of 4 sequences has at most 4 microbatches, and none of 8."""
    assert solve(batch_size=1024).microbatches == 4
    assert failed(solve(batch_size=1024, micro_batch_size=8)) == {"micro batch within the replica"}


def test_a_last_microbatch_that_is_short_costs_a_full_one() -> None:
    """B10: 5 sequences in microbatches of 2 cost what 6 cost."""
    five, six = (solve(batch_size=256 * n, micro_batch_size=2) for n in (5, 6))
    assert five.microbatches == six.microbatches == 3
    assert step(five) == step(six)


def test_virtual_stages_cost_messages_and_memory() -> None:
    """B10: interleaving shortens the bubble and lengthens messages and memory."""
    plain, split = (solve(batch_size=4096, virtual_stages=v) for v in (1, 4))
    assert split.feasible
    # 1F1B keeps 4 microbatches; interleaved in 4 chunks 4 + 3/4
    assert split.memory_activations.m / plain.memory_activations.m == pytest.approx(4.75 / 4)
    assert part(split, "pipeline") == pytest.approx(4 * part(plain, "pipeline"))
    assert part(split, "bubble") < part(plain, "bubble")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        # 84 chunks of 80 layers
        ({"virtual_stages": 21, "batch_size": 1024}, "pipeline stages within layers"),
        ({"virtual_stages": 1000, "batch_size": 1024}, "pipeline stages within layers"),
        ({"virtual_stages": 2, "pp_size": 1}, "virtual stages need a pipeline"),
        ({"virtual_stages": 2, "batch_size": 6 * 256}, "interleaving divides microbatches"),
    ],
)
def test_virtual_stages_are_bounded(changes: dict[str, Any], reason: str) -> None:
    """B10: more chunks than layers, or chunks that microbatches cannot fill, are impossible."""
    assert reason in failed(solve(**changes))


def test_uneven_chunks_cost_the_fullest() -> None:
    """80 layers in 4 * 3 chunks are 7 in the fullest chunk, so 21 a stage and not 20."""
    plain, split = (solve(batch_size=4096, virtual_stages=v) for v in (1, 3))
    assert part(split, "tensor") / part(plain, "tensor") == pytest.approx(21 / 20)


def test_zero_3_pays_for_its_gathers() -> None:
    """B10: sharded weights save memory and are gathered for every microbatch."""
    first, third = (solve(batch_size=4096, zero_stage=stage) for stage in (1, 3))
    assert memory(third) < memory(first)
    assert part(third, "data") > part(first, "data")


def test_zero_2_pays_for_its_scatters() -> None:
    """Sharded gradients cannot be accumulated, so each microbatch sends them."""
    first, second = (solve(batch_size=4096, zero_stage=stage) for stage in (1, 2))
    assert memory(second) < memory(first)
    assert part(second, "data") > part(first, "data")


def test_recomputation_trades_time_for_memory() -> None:
    """Each step of recomputation saves memory; repeating whole layers costs a third more."""
    kept, core, full = (solve(recompute=mode) for mode in ("none", "selective", "full"))
    assert memory(kept) > memory(core) > memory(full)
    assert part(full, "compute") > 1.2 * part(core, "compute")
    core, full = (solve(recompute=mode, overlap="none") for mode in ("selective", "full"))
    assert part(full, "tensor") == pytest.approx(1.5 * part(core, "tensor"))


def test_sequence_parallelism_trades_messages_for_memory() -> None:
    """Splitting the sequence saves activations and gathers inputs once more."""
    plain, split = (solve(sequence_parallel=on, overlap="none") for on in (False, True))
    assert memory(split) < memory(plain)
    # 8 gathers or scatters and 2 more
    assert part(split, "tensor") == pytest.approx(10 / 8 * part(plain, "tensor"))
    assert failed(solve(seq_len=2047, sequence_parallel=True)) == {
        "sequence parallel divides the sequence"
    }


def test_tensor_parallel_latency_is_paid_for_every_microbatch() -> None:
    """Collectives of twice as many microbatches of half the size pay twice the latency."""
    coarse = solve(batch_size=2048, micro_batch_size=2, overlap="none")
    fine = solve(batch_size=2048, micro_batch_size=1, overlap="none")
    # 4 all-reduces in 20 layers, each a scatter and a gather of 7 hops and a start, for 4 more
    # microbatches
    hop = Systems.Accelerators.H100_SXM.link_latency.m_as("s")
    start = Systems.Accelerators.H100_SXM.collective_overhead.m_as("s")
    expected = 4 * 20 * 4 * 2 * (7 * hop + start)
    assert part(fine, "tensor") - part(coarse, "tensor") == pytest.approx(expected)


def test_pipeline_messages_have_a_price() -> None:
    """B11: a slower fabric slows a pipeline down."""
    fast, slow = (
        solve(fleet=h100(16, name), batch_size=8, tp_size=2, pp_size=8)
        for name in ("IB_NDR", "Ethernet_100")
    )
    assert part(slow, "pipeline") > 2 * part(fast, "pipeline") > 0


def test_the_bubble_contains_communication() -> None:
    """B11: what fills and drains the pipeline is compute and communication alike."""
    result = solve()
    own = part(result, "tensor") + part(result, "pipeline")
    # one microbatch: three more stages' worth of its layers and messages, without the head
    assert part(result, "bubble") > 3 * own + 2.5 * part(result, "compute")


@pytest.mark.parametrize("tensor", [3, 5, 6, 7])
def test_tensor_parallelism_divides_the_heads(tensor: int) -> None:
    """B11: 64 heads and 8 key-value heads do not split in 3, 5, 6 or 7."""
    reasons = failed(solve(tp_size=tensor))
    assert "tensor parallel divides heads" in reasons
    assert "tensor parallel fits key-value heads" in reasons


def test_tensor_parallelism_beyond_the_node_pays_the_network() -> None:
    """B11: 16 ways are possible where 64 heads allow it, and slow."""
    inside, beyond = (solve(tp_size=size, pp_size=2) for size in (8, 16))
    assert beyond.feasible
    assert part(beyond, "tensor") > part(inside, "tensor")


def test_more_stages_than_layers_are_impossible() -> None:
    """B11: 128 stages of 80 layers."""
    assert "pipeline stages within layers" in failed(solve(pp_size=128))


def test_a_replica_larger_than_the_fleet_is_a_verdict() -> None:
    """16 accelerators on one node of eight: infeasible, and no division by zero."""
    result = solve(fleet=h100(1), pp_size=2)
    assert failed(result) == {"accelerators", "memory"}
    assert 0 <= result.utilization <= 1


def test_no_false_infeasibility_for_odd_numbers_of_stages() -> None:
    """B12: Llama 70B on 5 nodes of eight runs with five stages of 16 layers."""
    result = solve(fleet=h100(5), batch_size=40, pp_size=5, recompute="full")
    assert result.feasible
    assert result.data_parallel_size == 1


def test_uneven_stages_cost_the_fullest() -> None:
    """Three stages of 80 layers are as slow as 81 layers would be: 27 on the fullest."""
    three, four = (solve(pp_size=p, batch_size=4096) for p in (3, 4))
    assert part(three, "tensor") / three.microbatches == pytest.approx(
        27 / 20 * part(four, "tensor") / four.microbatches
    )


def test_left_over_accelerators_are_idle_and_paid_for() -> None:
    """Three stages of eight leave 8,192 - 341 * 24 accelerators without work."""
    result = solve(pp_size=3)
    assert result.data_parallel_size == 341
    assert result.accelerators_used == 341 * 24
    assert result.accelerators_total == 8192


def test_small_layouts_do_not_fit() -> None:
    """B1: one accelerator cannot train 70 billion parameters; B2: nor can a small batch help."""
    for batch in (1, 16, 128):
        result = solve(batch_size=batch, tp_size=1, pp_size=1)
        assert failed(result) == {"memory"}
        assert memory(result) > 6 * LLAMA.parameters


def test_sequence_length_matters() -> None:
    """B15: time, memory and tokens follow the sequence length, which the context bounds."""
    short, long = (solve(seq_len=s) for s in (512, 8192))
    assert step(long) > step(short)
    assert memory(long) > memory(short)
    assert long.tokens_per_step == 16 * short.tokens_per_step
    assert "sequence within the context" in failed(solve(seq_len=16384))


def test_nodes_are_a_choice_within_the_fleet() -> None:
    """Fewer nodes mean fewer replicas; more than there are is a verdict."""
    assert solve(nodes=256).data_parallel_size == 64
    assert failed(solve(nodes=2048)) == {"nodes"}


def test_gradient_width_is_priced_in_memory_and_time() -> None:
    """Gradients of two bytes take half the memory and less traffic than of four."""
    narrow, wide = (solve(gradient_bytes=width) for width in (2, 4))
    assert wide.memory_gradients.m == pytest.approx(2 * narrow.memory_gradients.m)
    assert part(wide, "data") > part(narrow, "data")


def test_single_precision_gradients_are_never_narrower_than_weights() -> None:
    """fp32 has gradients of four bytes whatever is asked for."""
    narrow, wide = (solve(precision="fp32", gradient_bytes=width) for width in (2, 4))
    assert narrow.memory_gradients == wide.memory_gradients


def test_experts_count_in_memory_and_not_in_time() -> None:
    """Mixtral stores all eight experts and computes with two."""
    mixtral = solve(model=Models.Language.Mixtral_8x7B, pp_size=1)
    # 46.7e9 stored, 12.7e9 multiplied per token
    assert mixtral.memory_weights.m_as("byte") == pytest.approx(46.7e9 / 8 * 2, rel=0.01)
    # eight sequences at once, so that launching kernels does not set the pace
    mixtral = solve(
        model=Models.Language.Mixtral_8x7B, pp_size=1, batch_size=8 * 1024, micro_batch_size=8
    )
    products = 8 * 6 * 12.7e9 * 2048 / (8 * 0.45 * 989e12)
    assert products < part(mixtral, "compute") < 2 * products


def test_missing_arithmetic_makes_a_design_infeasible() -> None:
    """V100 has no bf16: a verdict, not a number."""
    fleet = Cluster(
        name="Old",
        node=Systems.Nodes.DGX_1_V100,
        nodes=4,
        fabric=Systems.Fabrics.IB_EDR,
    )
    with pytest.raises(Infeasible, match=r"V100.*no bf16 arithmetic"):
        solve(fleet=fleet, precision="bf16")


# --- bad input --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"batch_size": 0}, "batch_size is 0; it must be a whole number from 1"),
        ({"batch_size": -4}, "batch_size is -4"),
        ({"batch_size": 16.5}, r"batch_size is 16\.5"),
        ({"batch_size": float("nan")}, "batch_size is nan"),
        ({"batch_size": "16"}, "batch_size is '16'"),
        ({"batch_size": None}, "batch_size is None"),
        ({"tp_size": True}, "tp_size is True"),
        ({"pp_size": 0}, "pp_size is 0"),
        ({"seq_len": -1}, "seq_len is -1"),
        ({"efficiency": 1.5}, r"efficiency is 1\.5; it must be a number above 0 to 1"),
        ({"efficiency": 0}, "efficiency is 0"),
        ({"zero_stage": 4}, "zero_stage is 4; it must be a whole number from 0 to 3"),
        ({"precision": "fp99"}, "precision is 'fp99', which is not an option"),
        ({"precision": 16}, "precision is 16"),
        ({"recompute": "ful"}, "recompute is 'ful'.*did you mean 'full'"),
        ({"recompute": True}, "recompute is True"),
        ({"sequence_parallel": "yes"}, "sequence_parallel is 'yes'; it must be True or False"),
        ({"sequence_parallel": 2}, "sequence_parallel is 2"),
        ({"gradient_bytes": 3}, "gradient_bytes is 3"),
        ({"micro_batch_size": 0}, "micro_batch_size is 0"),
        ({"virtual_stages": 0}, "virtual_stages is 0"),
        ({"nodes": 0}, "nodes is 0"),
        ({"model": "Llama3_70B"}, "model is 'Llama3_70B'; it must be a LanguageModel"),
        ({"fleet": Systems.Nodes.DGX_H100}, "fleet is .*; it must be a Cluster"),
        ({"tpsize": 8}, "no argument 'tpsize'; did you mean 'tp_size'"),
    ],
)
def test_bad_arguments(changes: dict[str, Any], message: str) -> None:
    """B5: an argument out of range is named with its value and what it must be."""
    with pytest.raises(ParameterError, match=message):
        solve(**changes)


# --- properties -------------------------------------------------------------------------------

layouts = st.fixed_dictionaries(
    {
        "tp_size": st.sampled_from([1, 2, 4, 8, 16]),
        "pp_size": st.integers(1, 20),
        "micro_batch_size": st.integers(1, 4),
        "virtual_stages": st.integers(1, 4),
        "zero_stage": st.integers(0, 3),
        "recompute": st.sampled_from(["none", "selective", "full"]),
        "sequence_parallel": st.booleans(),
    }
)


@given(layouts, st.integers(1, 5000), st.integers(1, 16))
@settings(max_examples=100)
def test_throughput_stays_below_the_peak(layout: dict[str, Any], batch: int, kilo: int) -> None:
    """No layout trains faster than n P / (6 N) tokens per second, and all is positive."""
    result = solve(**layout, batch_size=batch, seq_len=512 * kilo, efficiency=1.0)
    paid = max(result.accelerators_used, result.accelerators_total)
    bound = paid * 989e12 / (6 * LLAMA.matmul_parameters)
    assert 0 < result.effective_throughput.m_as("1/s") < bound
    assert 0 < result.utilization <= 1
    assert 0 < result.mfu <= result.hfu
    assert min(part(result, name) for name in TIMES) >= 0


@example(
    # All traffic is exposed; a lone stage has no lighter one to hide the head behind.
    {
        "tp_size": 1,
        "pp_size": 1,
        "micro_batch_size": 1,
        "virtual_stages": 3,
        "zero_stage": 1,
        "recompute": "none",
        "sequence_parallel": False,
    },
    3,
    3,
)
@given(layouts, st.integers(1, 5000), st.integers(1, 15))
@settings(max_examples=100)
def test_longer_sequences_take_no_less(layout: dict[str, Any], batch: int, kilo: int) -> None:
    """Step time and memory grow with the sequence length."""
    short, long = (solve(**layout, batch_size=batch, seq_len=512 * k) for k in (kilo, kilo + 1))
    assert step(long) >= step(short)
    assert memory(long) >= memory(short)


@given(layouts, st.integers(0, 2000))
@settings(max_examples=100)
def test_larger_batches_take_no_less(layout: dict[str, Any], more: int) -> None:
    """Once every replica has work, the step time grows with the batch."""
    start = solve(**layout, batch_size=8192)
    assert step(solve(**layout, batch_size=8192 + more)) >= step(start)


@given(layouts, st.sampled_from([1, 2, 4]))
@settings(max_examples=100)
def test_memory_falls_with_tensor_parallelism(layout: dict[str, Any], tensor: int) -> None:
    """With as many replicas, splitting each layer further never takes more memory."""
    few, many = (
        solve(
            **{**layout, "tp_size": size},
            nodes=size * layout["pp_size"],
            batch_size=8 * 12,
        )
        for size in (tensor, 2 * tensor)
    )
    assert few.data_parallel_size == many.data_parallel_size == 8
    assert memory(many) <= memory(few)


def test_zero_bubble_without_a_pipeline_waits_for_nothing() -> None:
    """There is no bubble to fill, so that gradients of weights come at once."""
    plain, filled = (
        solve(pp_size=1, batch_size=4096, schedule=schedule) for schedule in ("1f1b", "zero-bubble")
    )
    assert filled.memory_activations == plain.memory_activations
