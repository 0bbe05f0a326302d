"""What a report says about a design: read off the results of models, compared, put in words."""

from typing import Any

import pytest
from report.asked import FOUND, GOAL, SPACE, machine

from mlsysim import quantity
from mlsysim.catalog import Models, Systems
from mlsysim.core.dse import DSE
from mlsysim.core.pipeline import Pipeline
from mlsysim.core.solver import DistributedModel, EconomicsModel, ServingModel
from mlsysim.report import cloud_of, report_of
from mlsysim.report.breakdowns import disclosed_by
from mlsysim.report.drawing import scattered
from mlsysim.results import Status
from mlsysim.results.blocks import Tone, tone_of
from mlsysim.results.breakdowns import breakdowns_of
from mlsysim.results.formatting import change
from mlsysim.results.plain import drawn
from mlsysim.stages.layout_text import layout_text


def test_a_story_is_read_off_any_result() -> None:
    """Attributes, methods and keys all serve; the largest part of the time is the bottleneck."""
    # 4 wide and 2 deep: 960 / 8 = 120 ms of work; 7.5 * 3 + 2.5 = 25 ms of talk.
    story = disclosed_by(machine({"wide": 4, "deep": 2}))
    time, memory = story.breakdowns
    assert [(part.name, part.value) for part in time.parts] == [("work", 120.0), ("talk", 25.0)]
    assert (time.name, time.unit, time.total, time.capacity) == ("time", "ms", 145.0, None)
    assert (memory.total, memory.capacity) == (11.0, 40.0)
    # 120 of 145 is 82.76 %.
    assert story.bottlenecks == ("work: 82.8 % of the time",)
    assert story.arithmetic == ("8 = wide x deep",)
    assert story.accuracy == ("machine: within 5 % of 12 runs",)
    keys: dict[str, Any] = {
        "cost_breakdown": {"rent": quantity(3.0, "USD")},
        "bottleneck": "the budget",
    }
    assert disclosed_by(keys).bottlenecks == ("the budget",)
    assert disclosed_by(keys).breakdowns[0].name == "cost"


def test_without_a_story_a_report_shows_less() -> None:
    """An evaluator that returns bare numbers is reported all the same."""
    dse = DSE({"x": [1, 2]}, "maximize: gain")
    report = report_of(dse, dse.search(lambda params: {"gain": 2 * params["x"]}))
    assert report.designs[0].breakdowns == ()
    assert "Bottleneck" not in str(report)
    assert str(report).splitlines()[-1].split() == ["2", "1", "2", "-50.0", "%"]


def test_stages_of_one_kind_are_told_apart() -> None:
    """Where two stages break down a time, each is called by its name."""
    result = {"a": {"time_breakdown": {"x": 1.0}}, "b": {"time_breakdown": {"x": 2.0}}}
    assert [item.name for item in breakdowns_of(result)] == ["a time", "b time"]


def test_the_parts_of_the_packages_models_add_up() -> None:
    """Time, memory and cost of the tutorial's models are the sums of their parts."""
    result = Pipeline([DistributedModel(), EconomicsModel()]).run(
        model=Models.Language.Llama3_70B,
        fleet=Systems.Clusters.Frontier_8K,
        batch_size=128,
        tp_size=8,
        pp_size=4,
        efficiency=0.45,
        duration_days=30,
    )
    story = disclosed_by(result)
    totals = {item.name: quantity(item.total, item.unit) for item in story.breakdowns}
    training = result.DistributedModel
    assert totals["time"].m_as("ms") == pytest.approx(training.step_latency_total.m_as("ms"))
    assert totals["memory"].m_as("GB") == pytest.approx(training.memory_per_accelerator.m_as("GB"))
    assert totals["cost"].m_as("USD") == pytest.approx(result.EconomicsModel.tco_usd)
    # 8,192 / (8 * 4) = 256 replicas, of which a batch of 128 keeps 128 busy.
    layout, figures = story.arithmetic
    assert layout == "8,192 accelerators = 8 tp x 4 pp x 256 dp"
    assert figures.startswith(f"MFU {100 * training.mfu:.1f} %, ")
    assert figures.endswith("; 128 of 256 replicas idle")


def test_the_parts_of_serving_add_up() -> None:
    """The memory of an accelerator, and on one stage the time between two tokens."""
    result = ServingModel().solve(
        model=Models.Language.Llama3_8B,
        fleet=Systems.Clusters.Training_1K,
        batch_size=16,
        input_tokens=1024,
        output_tokens=256,
    )
    decode, memory = disclosed_by(result).breakdowns
    assert decode.name == "decode pass"
    assert decode.total == pytest.approx(result.inter_token_latency.m_as("ms"))
    assert memory.total == pytest.approx(result.memory_per_accelerator.m_as("GB"))


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.342, "+34.2 %"), (-0.5, "-50.0 %"), (0.0002, "+0.02 %"), (11.0, "12 times")],
)
def test_changes_keep_their_size(value: float, text: str) -> None:
    """A small change is not rounded away, a manifold one told as a factor."""
    assert change(value) == text


def test_what_a_layout_leaves_over_is_said() -> None:
    """Accelerators outside the product are spare; what does not divide is left out."""
    assert layout_text(1, {"tp": 1, "dp": 1}) == "1 accelerator"
    assert layout_text(100, {"tp": 8, "pp": 1, "dp": 12}) == (
        "100 accelerators = 8 tp x 12 dp + 4 spare"
    )


def test_changes_are_relative_to_the_best_and_know_which_way_is_better() -> None:
    """A slower design with less memory loses in one measure and gains in the other."""
    report = report_of(FOUND, FOUND.search(machine, top=9))
    best, *others = report.designs
    for item in others:
        for measure, ours in zip(item.measures, best.measures, strict=True):
            expected = measure.value / ours.value - 1.0
            assert (measure.change or 0.0) == pytest.approx(expected, abs=1e-6)
            more_is_better = measure.name == "rate"
            if measure.change:
                assert measure.is_worse is ((expected < 0) is more_is_better)


def test_limits_tell_the_room_that_is_left() -> None:
    """The best design is 4 wide and 8 deep: 30 ms of work and 40 ms of talk, of 90 ms."""
    # Designs by their steps: 8x8 15 + 70, 8x4 30 + 60, 4x8 30 + 40, 2x8 60 + 25, 4x4 60 + 30.
    report = report_of(FOUND, FOUND.search(machine))
    assert dict(report.designs[0].params) == {"wide": 4, "deep": 8, "kind": "only"}
    (row,) = [line for line in str(report).splitlines() if line.startswith("step")]
    assert row.split() == ["step", "70", "ms", "<=", "90", "ms", "20", "ms", "(22.2", "%)"]
    # 64 / 32 + 3 = 5 GB of 40.
    assert "memory 5 GB of 40 GB (12.5 %)" in report.to_text(full=True)


def test_the_cloud_holds_the_feasible_designs_only() -> None:
    """Beside the best designs the chart shows the others that meet every requirement."""
    cloud = cloud_of(FOUND.problem, machine)
    assert cloud is not None
    reference = FOUND.search(machine, method="exhaustive", top=50)
    shown = {
        tuple(params.values()): row for params, row in zip(cloud.params, cloud.values, strict=True)
    }
    assert set(shown) == {tuple(item.params.values()) for item in reference.top_candidates}
    assert cloud.feasible == len(shown)
    for item in reference.top_candidates:
        assert shown[tuple(item.params.values())][0] == pytest.approx(item.objective_value, 1e-6)


def test_the_cloud_of_a_huge_space_is_an_even_sample() -> None:
    """A space of 1e12 designs is thinned to a grid of a few thousand."""
    dse = DSE({"x": range(1, 1_000_001), "y": range(1, 1_000_001)}, "maximize: gain")
    cloud = cloud_of(dse.problem, lambda params: {"gain": params["x"] * params["y"]})
    assert cloud is not None
    assert cloud.designs == 10**12
    assert 1_000 <= cloud.evaluated <= 20_000


def test_an_evaluator_that_takes_no_arrays_has_no_cloud() -> None:
    """Python branches on a value: the chart shows the best designs alone."""
    dse = DSE(SPACE, GOAL)
    assert cloud_of(dse.problem, lambda p: {"machine": {"rate": 1 if p["wide"] > 2 else 2}}) is None


@pytest.mark.parametrize(("share", "bar"), [(0.0, ""), (1.0, "████"), (0.5, "██"), (0.156, "▋")])
def test_bars_are_drawn_in_eighths(share: float, bar: str) -> None:
    """A bar of 4 has 32 eighths: 0.156 of them are 5."""
    assert drawn(share, 4) == bar


def test_a_front_is_drawn_with_characters() -> None:
    """Four points of y = x: from the lower left corner to the upper right one."""
    rows = scattered([0.0, 1.0, 2.0, 3.0], [0.0, 1.0, 2.0, 3.0])
    found = {(row, text.index("●")) for row, text in enumerate(rows) if "●" in text}
    # 59 steps across and 13 up, in thirds: 19.67 and 39.33, 4.33 and 8.67.
    assert found == {(13, 0), (9, 20), (4, 39), (0, 59)}


def test_every_status_has_a_tone() -> None:
    """A proof is good or bad news, everything else neither."""
    tones = [tone_of(status) for status in Status]
    assert tones == [Tone.GOOD, Tone.PLAIN, Tone.BAD, Tone.PLAIN]


def test_what_is_offloaded_is_told_with_the_key_figures() -> None:
    """The hosts' memory that it takes, where anything is offloaded, and nothing of it otherwise."""
    for offload in (False, True):
        result = DistributedModel().solve(
            model=Models.Language.Llama3_8B,
            fleet=Systems.Clusters.Production_2K,
            batch_size=64,
            nodes=1,
            precision="bf16",
            zero_stage=1,
            optimizer_offload=offload,
        )
        amount = f"{result.host_memory_used.m_as('GB'):,.4g} GB of the memory of a node's hosts"
        assert (amount in result.key_figures()) is offload
