"""Law 1: sequences, layers and replicas are dealt out whole, and the fullest part counts."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from laws.designs import SERVING, Design, designs, law, numbers

from mlsysim.catalog import Models, Systems
from mlsysim.catalog.language_model import LanguageModel
from mlsysim.core.solver import DistributedModel, ServingModel
from mlsysim.stages.stage import ForwardModel
from mlsysim.units import magnitude


def dealt(things: int, *levels: int) -> int:
    """Deal things out one by one, level by level, and count those of the fullest part."""
    for parts in levels:
        hands = [0] * parts
        for number in range(things):
            hands[number % parts] += 1
        things = max(hands)
    return things


def _layout(design: Design) -> tuple[int, int]:
    """Give the attention groups and the pipeline stages that decode."""
    prefix = "decode_" if "decode_fleet" in design.arguments else ""
    names = (f"{prefix}attention_dp_size", f"{prefix}pp_size")
    groups, stages = (design.arguments.get(name, 1) for name in names)
    return groups, stages


def divided_sequences(design: Design) -> Iterator[str]:
    """Compare a batch with the largest that deals every turn of every group as many sequences.

    What the fullest part holds and computes is the same for both.
    """
    if (result := design.outcome()) is None:
        return
    groups, stages = _layout(design)
    most = dealt(design["batch_size"], groups, stages)
    full = design.but(batch_size=most * groups * stages).solve()
    parts = ["attention", "activations", "collectives", "hops"]
    # Experts are shared by all groups: their work follows the tokens of all, not of the fullest.
    parts += [] if design["model"].experts else ["weights"]
    for name in (f"decode_latency_{part}" for part in parts):
        if hasattr(result, name):
            mine, other = (magnitude(getattr(item, name), "ms") for item in (result, full))
            if mine != pytest.approx(other, rel=1e-9):
                yield f"{name} is {mine:.6g} ms, with {most} sequences everywhere {other:.6g}"
    if hasattr(result, "kv_cache_per_sequence"):
        held = dealt(design["batch_size"], groups)
        cache = magnitude(result.memory_kv_cache, "byte")
        expected = held * magnitude(result.kv_cache_per_sequence, "byte")
        if abs(cache - expected) > 1e-9 * expected:
            yield f"the cache is {cache:.6g} bytes; {held} whole sequences take {expected:.6g}"


def layer_bytes(model: LanguageModel) -> list[float]:
    """List what layers weigh in 16 bits, dense ones first or spread, as the record says."""
    common = model.attention_parameters + model.vector_parameters
    dense = 2.0 * (common + model.dense_mlp_parameters)
    expert = 0.0
    if model.experts:
        own = model.router_parameters + model.shared_experts * model.expert_parameters
        expert = 2.0 * (common + own + model.experts * model.expert_parameters)
    in_front = [dense] * model.dense_layers + [expert] * (model.layers - model.dense_layers)
    if 2 * model.dense_layers == model.layers:
        return [layer for pair in zip(in_front, reversed(in_front), strict=True) for layer in pair][
            : model.layers
        ]
    return in_front


def light_stages(model: LanguageModel, stages: int) -> Iterator[str]:
    """Compare weights and cache with those of the heaviest layers that are a stage's share."""
    result = ServingModel().solve(
        model=model, fleet=Systems.Clusters.Frontier_8K, batch_size=1, pp_size=stages,
        input_tokens=model.max_context // 2, output_tokens=1, page_tokens=1,
    )  # fmt: skip
    share = dealt(model.layers, stages)
    layers = layer_bytes(model)
    heaviest = max(sum(layers[at : at + share]) for at in range(model.layers - share + 1))
    weights = magnitude(result.memory_weights, "byte")
    if weights < heaviest * (1 - 1e-9):
        yield f"weights of {weights:.6g} bytes; {share} layers of {model.name} weigh {heaviest:.6g}"
    # Layers of either kind of attention alternate: a share has at least its part of full ones.
    tokens = model.max_context // 2 + 1
    full = dealt(model.layers - model.sliding_layers, stages) * tokens
    near = (share - dealt(model.layers - model.sliding_layers, stages)) * min(
        tokens, model.sliding_window or tokens
    )
    least = 2.0 * model.kv_elements * (full + near)
    cache = magnitude(result.kv_cache_per_sequence, "byte")
    if cache < least * (1 - 1e-9):
        yield f"a sequence takes {cache:.6g} bytes; the fullest stage of {model.name} {least:.6g}"


def divided_microbatches(design: Design) -> Iterator[str]:
    """Compare a training batch with the largest that fills every microbatch of every replica."""
    if (result := design.outcome()) is None:
        return
    replicas = int(result.data_parallel_size)
    batch, micro = design["batch_size"], design["micro_batch_size"]
    held = dealt(batch, replicas)
    rounds = -(-held // micro)
    if int(result.microbatches) != rounds:
        yield f"{result.microbatches} microbatches, {rounds} by dealing"
    if int(result.active_replicas) != min(batch, replicas):
        yield f"{result.active_replicas} replicas at work, of {replicas} for {batch} sequences"
    if batch < replicas:
        return
    full = numbers(design.but(batch_size=rounds * micro * replicas).solve())
    mine = numbers(result)
    for name, value in mine.items():
        if name.startswith(("step_latency", "memory")) and value != pytest.approx(full[name], 1e-9):
            yield f"{name} is {value:.6g}, of full microbatches {full[name]:.6g}"


@pytest.mark.parametrize("stage", SERVING, ids=lambda stage: stage.__name__)
def test_sequences_are_dealt_out_whole(stage: type[ForwardModel]) -> None:
    """The cache and the pace are those of the group with most sequences."""

    @law()
    @given(designs(stage))
    def holds(design: Design) -> None:
        assert not list(divided_sequences(design))

    holds()


@pytest.mark.parametrize("stages", range(1, 10))
def test_the_heaviest_stage_sets_the_memory(stages: int) -> None:
    """A pipeline stage holds at least the heaviest layers that fall to one, in every model."""
    models = [model for model in Models.Language.values() if model.layers >= stages]
    assert not [text for model in models for text in light_stages(model, stages)]


@law()
@given(designs(DistributedModel))
def test_microbatches_are_dealt_out_whole(design: Design) -> None:
    """A step takes as long, and holds as much, as with every microbatch filled."""
    assert not list(divided_microbatches(design))
