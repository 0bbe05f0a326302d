"""Memory of the fullest accelerator, stage by stage: the reference walks all of them."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import examples

from mlsysim.catalog import Calibration, LanguageModel, Systems
from mlsysim.stages.shape import shape_of
from mlsysim.stages.training.distributed import DistributedModel

FLEET = Systems.Clusters.Production_2K
# Without gaps and reserve, memory is what it holds.
EXACT = Calibration(fragmentation=1.0, runtime_reserve=0.0)
TOKENS = 512


@st.composite
def shapes(draw: st.DrawFn) -> dict[str, Any]:
    """Draw the shape of a small model: dense, of experts, or of experts behind dense layers."""
    layers = draw(st.integers(1, 16))
    shape: dict[str, Any] = {
        "layers": layers,
        "hidden": 256,
        "ffn": draw(st.sampled_from([512, 4096])),
        "heads": 8,
        "vocab": draw(st.sampled_from([1000, 100_000])),
        "max_context": 4096,
        "tied": draw(st.booleans()),
    }
    if draw(st.booleans()):
        dense = draw(st.integers(0, layers - 1))
        if 2 * dense != layers:  # that is how layers alternate
            shape |= {
                "experts": 16,
                "experts_per_token": draw(st.sampled_from([1, 4])),
                "expert_ffn": draw(st.sampled_from([64, 1024])),
                "dense_layers": dense,
            }
    return shape


def dealt(layers: int, stages: int, chunks: int) -> Iterator[list[int]]:
    """Deal layers out: the first parts hold one more, and stage i has every p-th part from i on."""
    fewer, fuller = divmod(layers, stages * chunks)
    sizes = [fewer + (part < fuller) for part in range(stages * chunks)]
    starts = [sum(sizes[:part]) for part in range(stages * chunks)]
    for stage in range(stages):
        parts = range(stage, stages * chunks, stages)
        yield [layer for part in parts for layer in range(starts[part], starts[part] + sizes[part])]


def walked(model: LanguageModel, design: dict[str, Any]) -> float:
    """Add up what each accelerator holds, and give the fullest."""
    shape, stages, chunks = shape_of(model), design["pp_size"], design["virtual_stages"]
    replicas = FLEET.accelerators // stages
    microbatches = -(-design["batch_size"] // replicas)
    two_way = design["schedule"] == "dualpipe"
    ep, state = design["ep_size"], {0: 18.0, 1: 6.0 + 12 / replicas}[design["zero_stage"]]
    if two_way and design["zero_stage"]:
        state = 6 + 12 / (2 * replicas)
    routed_replicas = replicas * (2 if two_way else 1) // ep
    routed_state = 18.0 if not design["zero_stage"] else 6 + 12 / routed_replicas

    def layer(index: int) -> tuple[float, float]:
        """Bytes of state, and of activations of a microbatch."""
        kind = shape.front if index < model.dense_layers else shape.others[0]
        held = kind.parameters * state + kind.routed_parameters / ep * routed_state
        kept = kind.replicated + kind.divided + kind.routed_divided + kind.copies
        return held, 2.0 * TOKENS * kept

    def alive(stage: int) -> float:
        behind = stages - 1 - stage
        warm_up = behind if chunks == 1 else 2 * behind + (chunks - 1) * stages
        longer = design["schedule"] == "zero-bubble" and stages > 1
        return min(microbatches, (warm_up + 1) / chunks + longer)

    layout = list(dealt(model.layers, stages, chunks))
    fullest = 0.0
    for rank in range(stages):
        held = [rank, stages - 1 - rank] if two_way else [rank]
        total = 0.0
        for stage in held:
            for index in layout[stage]:
                bytes_held, bytes_kept = layer(index)
                total += bytes_held + alive(stage) * bytes_kept
        first, last = 0 in held, stages - 1 in held
        # Vectors that are in no layer count at either end.
        total += state * (shape.tables * (first or last) + shape.own_head * (first and last))
        fullest = max(fullest, total + last * 8.0 * TOKENS * model.vocab)
    return fullest


@st.composite
def designs(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, Any]]:
    """Draw a model and a pipeline that holds it."""
    shape = draw(shapes())
    schedule = draw(st.sampled_from(["1f1b", "zero-bubble", "dualpipe"]))
    chunks = draw(st.sampled_from([1, 1, 2, 4])) if schedule == "1f1b" else 1
    most = shape["layers"] // chunks
    stages = draw(st.sampled_from([size for size in (1, 2, 4, 8, 16) if size <= most] or [1]))
    if schedule == "dualpipe" and stages == 1:
        schedule = "1f1b"
    if stages == 1 or shape["layers"] < stages * chunks:
        chunks = 1
    design = {
        "pp_size": stages,
        "virtual_stages": chunks,
        "schedule": schedule,
        "ep_size": draw(st.sampled_from([1, 2, 16])) if "experts" in shape else 1,
        "zero_stage": draw(st.sampled_from([0, 1])),
        # microbatches in multiples of the stages, up to four times as many
        "batch_size": FLEET.accelerators * draw(st.integers(2 if schedule == "dualpipe" else 1, 4)),
    }
    return shape, design


@examples(400)
@given(designs())
def test_memory_is_that_of_the_fullest_stage(case: tuple[dict[str, Any], dict[str, Any]]) -> None:
    """The closed form is the largest of all stages; where layers come out uneven, no less."""
    shape, design = case
    model = LanguageModel(name="Drawn", **shape)
    result = DistributedModel(calibration=EXACT).solve(
        model=model,
        fleet=FLEET,
        seq_len=TOKENS,
        precision="bf16",
        recompute="none",
        **design,
    )
    assert not [reason for reason, check in result.checks.items() if not check.holds]
    found, expected = result.memory_per_accelerator.m_as("byte"), walked(model, design)
    assert found >= expected * (1 - 1e-12)
    dense = model.dense_layers if model.experts else 0
    chunk = -(-model.layers // (design["pp_size"] * design["virtual_stages"]))
    simple = model.layers % (design["pp_size"] * design["virtual_stages"]) == 0
    if simple and (design["virtual_stages"] == 1 or dense <= chunk):
        assert found == pytest.approx(expected, rel=1e-12)
