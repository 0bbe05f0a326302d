"""A number of layers is recomputed, not all: memory for time, layer by layer."""

import itertools
from typing import Any

import pytest

from mlsysim.catalog import Models, Systems
from mlsysim.core.dse import DSE
from mlsysim.core.pipeline import Pipeline
from mlsysim.core.solver import DistributedModel
from mlsysim.emit.frameworks import emit

# 32 layers, in 4 stages of 8, of which the first is the fullest
DESIGN: dict[str, Any] = {
    "model": Models.Language.Llama3_8B,
    "fleet": Systems.Clusters.Production_2K,
    "nodes": 4,
    "batch_size": 64,
    "pp_size": 4,
    "precision": "bf16",
    "recompute": "full",
    "fused_loss": True,
}


def figures(**changes: Any) -> tuple[float, float, float]:
    """Give the time of a step, its activations, and the operations per second that repeat some."""
    result = DistributedModel().solve(**{**DESIGN, **changes})
    repeated = result.hfu * result.step_latency_total.m
    return result.step_latency_total.m, result.memory_activations.m, repeated


def test_all_layers_one_by_one_are_all_layers() -> None:
    """So many as a stage has are what full recomputation repeats."""
    for chunks in (1, 2):
        whole = figures(virtual_stages=chunks)
        assert figures(virtual_stages=chunks, recompute_layers=8 // chunks) == pytest.approx(whole)


def test_each_layer_costs_its_share() -> None:
    """Between nothing and everything, each layer adds as much time and takes as much memory."""
    counted = [figures(recompute_layers=number) for number in range(1, 9)]
    steps = [
        [after - before for before, after in zip(one, other, strict=True)]
        for one, other in itertools.pairwise(counted)
    ]
    for step in steps:
        assert step == pytest.approx(steps[0], rel=1e-6)
    time, memory, operations = steps[0]
    assert time > 0 > memory
    nothing, everything = figures(recompute="none"), figures()
    assert time == pytest.approx((everything[0] - nothing[0]) / 8)
    assert operations == pytest.approx((everything[2] - nothing[2]) / 8)
    # what is made again is one layer at a time, which the first repeated layer brings
    first = counted[0][1] - nothing[1]
    assert 7 * memory + first == pytest.approx(everything[1] - nothing[1])
    assert first > memory


def test_dense_layers_in_front_are_the_first_to_go() -> None:
    """DeepSeek-V3 begins with 3 dense layers, which keep less than those with experts."""
    design = {"model": Models.Language.DeepSeek_V3, "pp_size": 1, "ep_size": 8, "nodes": 8}
    held = [figures(**design, recompute_layers=number)[1] for number in range(1, 62)]
    saved = [before - after for before, after in itertools.pairwise(held)]
    assert saved[:2] == pytest.approx(saved[:1] * 2)
    assert saved[2:] == pytest.approx(saved[2:3] * 58)
    assert saved[2] > 1.2 * saved[0] > 0
    assert held[-1] == pytest.approx(figures(**design)[1])


def test_a_frozen_stage_has_nothing_to_repeat() -> None:
    """Of 36 layers in 8 stages 34 are frozen, and so is the fullest: nothing there to repeat."""
    frozen = {
        "model": Models.Language.GPT_OSS_120B,
        "nodes": 16,
        "tp_size": 2,
        "pp_size": 8,
        "seq_len": 128,
        "adapter_rank": 8,
        "frozen_layers": 34,
    }
    (_, all_repeated, _), (_, one_repeated, _) = (
        figures(**frozen, recompute_layers=count) for count in (None, 1)
    )
    assert one_repeated == pytest.approx(all_repeated)
    assert one_repeated > 0


def test_what_cannot_be_counted_is_refused() -> None:
    """More layers than a stage has, and layers of a recomputation that is not of layers."""
    for changes, reason in (
        ({"recompute_layers": 9}, "recomputed layers within a stage"),
        ({"recompute_layers": 2, "recompute": "selective"}, "counted recomputation is of whole"),
    ):
        checks = DistributedModel().solve(**{**DESIGN, **changes}).checks
        assert next(name for name, check in checks.items() if not check.holds).startswith(reason)


def test_the_solver_repeats_as_few_layers_as_fit() -> None:
    """Memory decides how many, and both ways to search agree."""
    counts = [None, 1, 2, 3, 4, 5, 6, 7, 8]
    memory = figures(recompute_layers=3)[1]
    dse = DSE(
        {"recompute_layers": counts},
        "minimize: DistributedModel.step_latency_total",
        [f"DistributedModel.memory_activations <= {memory * 1.01} GB"],
    )

    def evaluate(params: dict[str, Any]) -> Any:
        return Pipeline([DistributedModel()]).run(**DESIGN, **params)

    for method in ("cp-sat", "exhaustive"):
        assert dse.search(evaluate, method=method).best_params == {"recompute_layers": 3}


def test_megatron_is_told_how_many() -> None:
    """By the block method; without a number, uniformly."""
    for number, method, told in ((3, "block", 3), (None, "uniform", 1)):
        launch = emit("megatron", DESIGN | {"recompute_layers": number}).launches[0]
        settings = {item.name: item.value for item in launch.settings}
        assert settings["--recompute-method"] == method
        assert settings["--recompute-num-layers"] == told
    text = emit("torchtitan", DESIGN | {"recompute_layers": 3}).text
    assert "no counterpart in torchtitan: recompute_layers = 3" in text
