"""Stages of a pipeline that are told apart: their layers, and how many of these are repeated."""

from pathlib import Path
from typing import Any

import pytest
from laws.test_same_thing_said_twice import changed_by_tracing

from mlsysim.catalog import Models, Systems
from mlsysim.core.dse import DSE
from mlsysim.core.pipeline import Pipeline
from mlsysim.core.solver import DistributedModel
from mlsysim.emit.frameworks import emit
from mlsysim.errors import LaunchError, ParameterError, QuestionError
from mlsysim.files.question import Question, load
from mlsysim.units import is_quantity

# 32 layers, and a head that takes as long as 2.4 of them
DESIGN: dict[str, Any] = {
    "model": Models.Language.Llama3_8B,
    "fleet": Systems.Clusters.Production_2K,
    "nodes": 4,
    "batch_size": 64,
    "pp_size": 4,
    "precision": "bf16",
}
QUESTION = Path("models/training/uneven_stages.toml")


def solve(**changes: Any) -> Any:
    """Evaluate the design with some changes."""
    return DistributedModel().solve(**{**DESIGN, **changes})


def figures(**changes: Any) -> dict[str, float]:
    """Give all numbers of a result."""
    found = vars(solve(**changes)).items()
    return {name: one.m for name, one in found if is_quantity(one)}


def broken(**changes: Any) -> list[str]:
    """Name the conditions that fail."""
    return [name for name, check in solve(**changes).checks.items() if not check.holds]


@pytest.mark.parametrize(
    "kept",
    [
        {},
        {"virtual_stages": 2},
        {"schedule": "zero-bubble"},
        {"recompute": "full", "recompute_layers": 3},
        {"tp_size": 2, "zero_stage": 3, "overlap": "all", "sequence_parallel": True},
        {"adapter_rank": 16, "base_format": "nf4"},
    ],
    ids=str,
)
def test_the_even_split_has_one_price_however_it_is_told(kept: dict[str, Any]) -> None:
    """Eight layers of 32 on each of four stages: as a list, by its ends, or by no word."""
    wanted = figures(**kept)
    for told in (
        {"stage_layers": [8] * 4},
        {"first_stage_layers": 8},
        {"first_stage_layers": 8, "last_stage_layers": 8},
    ):
        assert figures(**kept, **told) == pytest.approx(wanted, rel=1e-12)
    if "recompute_layers" in kept:
        listed = {**kept, "recompute_layers": [3] * 4}
        assert figures(**listed) == pytest.approx(wanted, rel=1e-12)


def test_the_ends_are_a_short_way_to_write_a_list() -> None:
    """Seven layers first and five last leave ten each for the two between."""
    ends = figures(first_stage_layers=7, last_stage_layers=5)
    assert ends == pytest.approx(figures(stage_layers=[7, 10, 10, 5]), rel=1e-12)
    assert not broken(first_stage_layers=7, last_stage_layers=5)


def test_the_slowest_stage_sets_the_pace_and_waits_once_for_the_others() -> None:
    """``m max(τ) + sum of the other τ``; of two splits τ of a layer and of the head are known."""
    often = 8
    held = {last: solve(stage_layers=[8, 8, 16 - last, last]) for last in (8, 9)}
    compute = {last: one.step_latency_compute.m / often for last, one in held.items()}
    layer = compute[9] - compute[8]
    head = compute[8] - 8 * layer
    assert held[8].microbatches == often
    assert 0 < head < 4 * layer
    message = held[8].step_latency_pipeline.m / often
    for split in ([12, 8, 8, 4], [10, 10, 6, 6], [6, 6, 6, 14], [9, 9, 9, 5]):
        found = solve(stage_layers=split)
        passes = [count * layer for count in split]
        passes[-1] += head
        others = sum(passes) - max(passes) + 3 * message
        assert found.step_latency_compute.m == pytest.approx(often * max(passes))
        assert found.step_latency_bubble.m == pytest.approx(others)


def test_each_stage_keeps_its_own_microbatches() -> None:
    """The second of four stages keeps three: as the first does where there are only three."""
    kept = {"recompute": "full", "fused_loss": True}
    three = solve(**kept, recompute_layers=1, batch_size=24).memory_activations
    listed = solve(**kept, recompute_layers=[8, 1, 8, 8])
    assert listed.memory_activations.m == pytest.approx(three.m)
    # Repeating more where nothing is the matter saves nothing, and takes its time.
    more = solve(**kept, recompute_layers=[8, 1, 8, 8], stage_layers=[8] * 4)
    assert more.memory_per_accelerator.m == pytest.approx(listed.memory_per_accelerator.m)
    fewer = solve(**kept, recompute_layers=[4, 3, 0, 0])
    assert fewer.step_latency_total < solve(**kept, recompute_layers=4).step_latency_total
    assert (fewer.uneven_layers, fewer.uneven_recomputation) == (0, 4)


def test_nothing_repeated_anywhere_is_no_recomputation() -> None:
    """A list of zeros keeps everything."""
    none = figures(recompute="none")
    zeros = figures(recompute="full", recompute_layers=[0] * 4)
    assert zeros == pytest.approx(none, rel=1e-12)


def test_dense_layers_lie_where_they_stand() -> None:
    """DeepSeek-V3's first stage may hold its three dense layers alone: they keep little."""
    design = {"model": Models.Language.DeepSeek_V3, "nodes": 64, "ep_size": 16, "batch_size": 512}
    held = [
        solve(**design, stage_layers=[first, 20, 20, 21 - first]).memory_weights.m
        for first in (1, 2, 3)
    ]
    # The second stage has 18 layers with experts, then 19, then 20.
    assert held[1] - held[0] == pytest.approx(held[2] - held[1])
    assert held[1] > 1.01 * held[0]


def test_frozen_layers_are_those_of_the_first_stages() -> None:
    """Frozen below, the first stages are quick, so that they may hold more."""
    fine = {"frozen_layers": 16, "recompute": "none"}
    even, uneven = solve(**fine, stage_layers=[8] * 4), solve(**fine, stage_layers=[12, 8, 7, 5])
    assert uneven.step_latency_total < even.step_latency_total


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"stage_layers": [8, 8, 8, 9]}, "stages hold every layer once"),
        ({"stage_layers": [16, 16]}, "stage_layers has a number for each stage"),
        ({"recompute": "full", "recompute_layers": [1] * 5}, "recompute_layers has a number"),
        ({"recompute": "full", "recompute_layers": [1, 9, 1, 1]}, "recomputed layers within sta"),
        ({"recompute": "none", "recompute_layers": [1] * 4}, "counted recomputation is of whole"),
        ({"first_stage_layers": 7}, "other stages share their layers evenly"),
        ({"first_stage_layers": 31}, "first and last stages leave others their layers"),
        ({"pp_size": 1, "first_stage_layers": 32}, "first and last stages need a pipeline"),
        ({"stage_layers": [8] * 4, "last_stage_layers": 8}, "stages are listed, or the first"),
        ({"stage_layers": [8] * 4, "schedule": "dualpipe"}, "stages that differ have microbatches"),
        ({"stage_layers": [9, 9, 7, 7], "virtual_stages": 2}, "virtual stages divide the layers"),
    ],
    ids=str,
)
def test_splits_that_do_not_exist_are_infeasible(changes: dict[str, Any], reason: str) -> None:
    """Each with the reason."""
    assert broken(**changes)[0].startswith(reason)


def test_what_is_no_list_of_layers_is_refused() -> None:
    """By name and place."""
    for wrong, told in (([8, 0, 8, 16], r"stage_layers\[1\] is 0"), (8, "list"), ([], "list")):
        with pytest.raises(ParameterError, match=told):
            solve(stage_layers=wrong)
    with pytest.raises(ParameterError, match=r"recompute_layers\[0\] is -1"):
        solve(recompute="full", recompute_layers=[-1, 0, 0, 0])


def test_whole_splits_can_be_choices() -> None:
    """Of several lengths, of which each goes with its number of stages; or none."""
    space = {
        "pp_size": [2, 4],
        "stage_layers": [(8, 8, 8, 8), (9, 9, 8, 6), (17, 15), None],
        "micro_batch_size": [1, 2],
    }
    question = DSE(space, "minimize: DistributedModel.step_latency_total", ["pp_size == 4"])
    pipeline = Pipeline([DistributedModel()])

    def evaluate(params: dict[str, Any]) -> Any:
        return pipeline.run(**{**DESIGN, **params})

    for method in ("cp-sat", "exhaustive", "reference"):
        best = question.search(evaluate, method=method).best_params
        assert best == {"pp_size": 4, "stage_layers": (9, 9, 8, 6), "micro_batch_size": 1}


def test_meta_took_a_layer_from_either_end() -> None:
    """Llama 3.1 405B has 126 layers on 16 stages: 7 first and last, 8 between (arXiv 2407.21783).

    The first stage then keeps 16 microbatches in 7 layers, the next 15 in 8, instead of 16 in 8.
    """
    meta: dict[str, Any] = {
        "model": Models.Language.Llama3_1_405B,
        "fleet": Systems.Clusters.Meta_Llama3_16K_H100,
        "nodes": 2048,
        "batch_size": 2048,
        "tp_size": 8,
        "pp_size": 16,
        "seq_len": 8192,
        "sequence_parallel": True,
    }
    ends, even = solve(**meta, first_stage_layers=7, last_stage_layers=7), solve(**meta)
    assert ends.feasible
    saved = 1 - ends.memory_activations.m / even.memory_activations.m
    assert saved == pytest.approx(1 / 16, rel=0.01)
    assert ends.step_latency_total <= even.step_latency_total


# --------------------------------------------------------------------------- questions and proofs


def best_uniform(question: Question) -> float:
    """Find the best design with an even split, and one recomputation for all stages."""
    fixed = {**question.evaluate.fixed}
    del fixed["recompute"]
    pipeline = Pipeline([DistributedModel()])
    micro = list(question.problem.space["micro_batch_size"].values)
    found = []
    for space in (
        {"recompute": ["none", "selective", "full"]},
        {"recompute": ["full"], "recompute_layers": list(range(1, 9))},
    ):
        dse = DSE(
            {**space, "micro_batch_size": micro},
            question.problem.objective.text,
            [question.problem.constraints[0].text],
        )
        result = dse.search(lambda params: pipeline.run(**fixed, **params), method="exhaustive")
        found.append(result.best_objective)
    return max(found)


def test_a_hundred_million_strategies_are_proven_and_beat_the_best_uniform_one() -> None:
    """Layers of each stage and how many are repeated, of which evenness is one case."""
    question = load(QUESTION)
    assert question.problem.space.size > 1e8
    answer = question.solve()
    assert answer.bound == pytest.approx(answer.best_objective, rel=1e-9)
    assert answer.best_objective > 1.1 * best_uniform(question)


CUT = {
    "layers_1": [7, 8],
    "layers_2": [7, 8, 9],
    "layers_3": [8, 9],
    "layers_4": [7, 8],
    "again_1": [1, 2, 3],
    "again_2": [0, 1],
    "again_3": [0, 1],
    "again_4": [0],
    "micro_batch_size": [1, 2],
}


def test_a_smaller_cut_is_answered_as_by_the_reference() -> None:
    """Every method finds what evaluating one design after the other finds."""
    question = load(QUESTION)
    cut = DSE(CUT, question.problem.objective.text, [question.problem.constraints[0].text])
    wanted = cut.search(question.evaluate, method="reference", top=5)
    for method in ("auto", "cp-sat", "exhaustive"):
        found = cut.search(question.evaluate, method=method, top=5)
        assert found.best_objective == pytest.approx(wanted.best_objective, rel=1e-9)
        assert found.best_params == wanted.best_params


def test_a_file_lists_the_choices_of_an_argument(tmp_path: Path) -> None:
    """A list of choices feeds an argument that takes one, and a list of numbers fixes it."""
    text = QUESTION.read_text()
    for old, new, told in (
        ('"layers_4"]', '"layers_5"]', "pipeline.arguments.stage_layers: no choice is called"),
        ('recompute_layers = ["again_1"', 'tp_size = ["again_1"', "takes one choice"),
        ("pp_size = 4", "pp_size = [4, 4]", "fixed.pp_size: is a list"),
    ):
        file = tmp_path / "wrong.toml"
        file.write_text(text.replace(old, new))
        with pytest.raises(QuestionError, match=told):
            load(file)
    fixed = text.replace('stage_layers = ["layers_1", "layers_2", "layers_3", "layers_4"]\n', "")
    fixed = "".join(line for line in fixed.splitlines(keepends=True) if line[:7] != "layers_")
    file = tmp_path / "fixed.toml"
    head, _, _ = fixed.partition("[expected]")
    file.write_text(head.replace("pp_size = 4", "pp_size = 4\nstage_layers = [7, 8, 9, 8]"))
    assert load(file).evaluate.fixed["stage_layers"] == [7, 8, 9, 8]


# ------------------------------------------------------------------------------------- launching


def told(framework: str, **changes: Any) -> dict[str, Any]:
    """Give what a framework is told."""
    launch = emit(framework, DESIGN | changes).launches[0]
    return {item.name: item.value for item in launch.settings}


def test_megatron_is_told_the_split() -> None:
    """By its flags for either end, or as a layout."""
    ends = told("megatron", first_stage_layers=7, last_stage_layers=5)
    assert ends["--decoder-first-pipeline-num-layers"] == 7
    assert ends["--decoder-last-pipeline-num-layers"] == 5
    listed = told("megatron", stage_layers=[7, 9, 9, 7])
    assert listed["--pipeline-model-parallel-layout"] == "E(t*7|)*1(t*9|)*2t*7L"
    chunks = told("megatron", stage_layers=[6, 10, 10, 6], virtual_stages=2)
    assert chunks["--pipeline-model-parallel-layout"] == "E(t*3|)*1(t*5|)*2(t*3|)*2(t*5|)*2t*3L"
    alike = told("megatron", recompute="full", recompute_layers=[3] * 4)
    assert alike["--recompute-num-layers"] == 3
    nothing = told("megatron", recompute="full", recompute_layers=[0] * 4)
    assert "--recompute-granularity" not in nothing


@pytest.mark.parametrize(
    ("stages", "less"),
    [
        ({"stage_layers": [7, 9, 9, 7]}, (2, 2)),
        ({"stage_layers": [8, 9, 9, 6]}, (1, 3)),
        ({"first_stage_layers": 5}, (4, 0)),
        ({"last_stage_layers": 5}, (0, 4)),
        ({"first_stage_layers": 8, "last_stage_layers": 8}, (0, 0)),
        ({"pp_size": 2, "stage_layers": [20, 12]}, (0, 8)),
        ({"pp_size": 8, "first_stage_layers": 1, "last_stage_layers": 1}, (4, 4)),
    ],
    ids=str,
)
def test_torchtitan_counts_embedding_and_head_as_layers(
    stages: dict[str, Any], less: tuple[int, int]
) -> None:
    """Its own rule gives the split back: all together divided evenly, the ends less theirs."""
    design = DESIGN | stages
    launched = told("torchtitan", **stages)
    option = "--parallelism.pipeline-parallel-"
    fullest, first, last = (
        launched[f"{option}{name}"]
        for name in ("layers-per-stage", "first-stage-less-layers", "last-stage-less-layers")
    )
    assert (first, last) == less
    count, layers = design["pp_size"], design["model"].layers
    # torchtitan/distributed/pipeline_parallel.py, version 0.3.0
    assert -(-(layers + first + last) // fullest) == count
    each, rest = divmod(layers + first + last, count)
    assert max(first, last) <= each
    held = [each + (place < rest) for place in range(count)]
    held[0], held[-1] = held[0] - first, held[-1] - last
    split = solve(**stages)
    assert sum(held) == layers
    assert split.uneven_layers == max(held) - min(held)
    if "stage_layers" in stages:
        assert held == stages["stage_layers"]


@pytest.mark.parametrize(
    ("framework", "changes", "reason"),
    [
        ("megatron", {"recompute": "full", "recompute_layers": [2, 1, 0, 0]}, "each stage repeats"),
        ("torchtitan", {"stage_layers": [9, 9, 8, 6]}, "stages between the ends have equally many"),
        (
            "torchtitan",
            {"stage_layers": [10, 8, 8, 6]},
            "stages between the ends have equally many",
        ),
        (
            "torchtitan",
            {"stage_layers": [6, 10, 10, 6], "virtual_stages": 2},
            "each in one part",
        ),
        ("deepspeed", {"first_stage_layers": 5}, "stages share the layers evenly"),
    ],
)
def test_what_a_framework_has_no_words_for_is_refused(
    framework: str, changes: dict[str, Any], reason: str
) -> None:
    """With the constraint that a question has to add."""
    with pytest.raises(LaunchError, match=reason):
        emit(framework, DESIGN | changes)


def test_a_choice_among_schedules_holds_what_each_holds() -> None:
    """Stages that only a schedule of two ends has say nothing of one that has one end."""
    space: dict[str, list[Any]] = {
        "model": [Models.Language.GPT_OSS_20B],
        "fleet": [Systems.Clusters.Meta_GenAI_24K_RoCE],
        "batch_size": [333],
        "tp_size": [16],
        "pp_size": [1, 2],
        "first_stage_layers": [23],
        "last_stage_layers": [1],
        "ep_size": [8],
        "precision": ["fp32"],
        "seq_len": [4096],
        "schedule": ["1f1b", "zero-bubble", "dualpipe"],
    }
    assert not list(changed_by_tracing(DistributedModel, space))
