"""Measured rows in the models' terms: what is read, what is supposed, what is skipped."""

import dataclasses
import enum
from typing import Any

import pytest

from mlsysim.catalog import Systems
from mlsysim.physics.activations import RECOMPUTE
from mlsysim.physics.schedule import SCHEDULES
from mlsysim.physics.state import ZeroStage
from mlsysim.stages.training.design import ATTENTIONS, OVERLAPS, SHARDINGS
from mlsysim.validation.accelerators import Figures, catalogue_name, stated_accelerator
from mlsysim.validation.clusters import Machinery, machinery_of
from mlsysim.validation.conversion import Configuration, Skipped, convert
from mlsysim.validation.measured import training_rows
from mlsysim.validation.models import named_model
from mlsysim.validation.training_row import TrainingRow
from mlsysim.validation.vocabulary import (
    WORDS,
    Attention,
    MeasuredPrecision,
    MeasuredRuntime,
    Overlap,
    PipelineSchedule,
    Recompute,
    Sharding,
)

ROWS = {row.id: row for row in training_rows()}
PLAIN = ROWS["nar21-t1-76.1B"]


def converted(row: TrainingRow = PLAIN, **changes: Any) -> Configuration:
    """Convert a row that can be."""
    found = convert(dataclasses.replace(row, **changes))
    assert isinstance(found, Configuration), found
    return found


def reason(**changes: Any) -> str:
    """Tell why a row is skipped."""
    found = convert(dataclasses.replace(PLAIN, **changes))
    assert isinstance(found, Skipped)
    return found.reason


def test_what_a_row_says_is_taken() -> None:
    """A complete row leaves nothing to suppose but the network."""
    found = converted()
    assert found.cluster.accelerators == 1024
    assert found.model.layers == 60
    arguments = found.arguments
    assert arguments["tp_size"] == 8
    assert arguments["pp_size"] == 4
    assert arguments["virtual_stages"] == 3
    assert arguments["batch_size"] == 1792
    assert arguments["micro_batch_size"] == 2
    assert arguments["precision"] == "fp16"
    assert arguments["recompute"] == "full"
    assert arguments["zero_stage"] == 0
    assert arguments["sequence_parallel"] is False
    assert found.notes == ("network of DGX_A100 supposed",)


def test_nearly_all_published_rows_can_be_predicted() -> None:
    """Of the rows that come with the package, at most one in fifty is skipped, with a reason."""
    found = [convert(row) for row in training_rows()]
    skipped = [one for one in found if isinstance(one, Skipped)]
    assert len(skipped) <= len(found) / 50
    assert all(one.reason for one in skipped)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"accelerator": ""}, "accelerator is missing"),
        ({"n_accel": None}, "n_accel is missing"),
        ({"value": None}, "value is missing"),
        ({"unit": None}, "unit is missing"),
        ({"accelerator": "Abacus 9000"}, "the catalogue has no accelerator 'Abacus 9000'"),
        ({"accelerator": "V100", "precision": MeasuredPrecision.BF16}, "has no bf16 arithmetic"),
        ({"unread": "recompute is 'sometimes'"}, "recompute is 'sometimes'"),
        ({"node": "DGX_H10"}, "DGX_H100"),
        ({"gbs": None, "tp": None, "pp": None, "zero_stage": None}, "gbs is missing, and so are"),
        ({"model": "X", "layers": None, "hidden": None}, "layers, hidden are not stated"),
        ({"heads": 7}, "7 heads do not divide a hidden width of 10240"),
    ],
)
def test_a_row_is_skipped_only_with_its_reason(changes: dict[str, Any], expected: str) -> None:
    """The reason names the column or what the catalogue lacks."""
    assert expected in reason(**changes)


def test_what_is_left_open_is_supposed_and_told() -> None:
    """Each convention of the module is used where a cell is empty, and noted."""
    found = converted(mbs=None, seq_len=None, precision=None, recompute=None, seq_parallel=None)
    arguments = found.arguments
    assert arguments["micro_batch_size"] == 1
    assert arguments["seq_len"] == 4096
    assert arguments["precision"] == "bf16"
    assert arguments["recompute"] == "none"
    assert arguments["sequence_parallel"] is False  # the A100 is of 2020
    assert "micro batch of 1 supposed" in found.notes
    assert "sequence length of 4096 supposed" in found.notes
    assert converted(accelerator="H100", seq_parallel=None).arguments["sequence_parallel"] is True


def test_a_run_without_parallel_sizes_gets_the_least_that_fits() -> None:
    """175 billion parameters at 6 bytes need 1,047 GB, and 60 % of Gaudi2's 96 GiB is 61.8 GB."""
    # 1047.7 / 61.8 = 16.9, so 32 ways: 8 within the node, and 4 stages
    found = converted(ROWS["mlperf-v3.0-gpt3-Intel-HabanaLabs-HLS-Gaudi2-N32-PT"])
    assert (found.arguments["tp_size"], found.arguments["pp_size"]) == (8, 4)
    assert "tp=8, pp=4 supposed" in found.notes


def test_accelerators_are_known_by_the_names_that_sources_use() -> None:
    """What stands before the parenthesis counts, and the memory size that it states."""
    assert catalogue_name("NVIDIA H100 80GB HBM3") == "H100_SXM"
    assert catalogue_name("TPU-trillium") == "TPU_v6e"
    assert catalogue_name("TPU v5 lite") == "TPU_v5e"
    assert catalogue_name("GB200 NVL72 (DGX Cloud)") == "GB200"
    assert catalogue_name("A100-PCIE-80GB") == "A100_80GB_PCIe"
    assert catalogue_name("H100_SXM") == "H100_SXM"
    assert catalogue_name("H100-NVL-94GB (3.9 TB/s)") == "H100_NVL"
    assert catalogue_name("A100-40GB (1600 Gbps RoCE)") == "A100_40GB_SXM"
    assert catalogue_name("RTX PRO 6000 Blackwell Server Edition") == "RTX_PRO_6000_Server"
    assert catalogue_name("Grace Hopper GH200 (Jupiter)") == "GH200_96GB"
    assert catalogue_name("DGX A100 80 GB") == "A100_80GB_SXM"
    assert catalogue_name("A100 PCIe 40GB") == "A100_80GB_PCIe"
    assert catalogue_name("TPU") is None
    assert catalogue_name("Abacus 9000") is None


def test_every_accelerator_of_the_catalogue_is_found_by_its_name_in_words() -> None:
    """With blanks or hyphens for underscores, so that a new one needs no table of its own."""
    for name in Systems.Accelerators:
        if any(letter.isdigit() for letter in name):
            assert catalogue_name(name.replace("_", " ")) == name
            assert catalogue_name(f"NVIDIA {name.replace('_', '-')}".lower()) == name


def test_figures_of_a_row_replace_those_of_the_catalogue() -> None:
    """A memory size in the name, a bandwidth and a link in columns."""

    def memory(words: str) -> float:
        found = stated_accelerator(words, Figures())
        assert found is not None
        return float(found.memory_capacity.m_as("GiB"))

    assert memory("V100-SXM2-16GB (Jean Zay, 4 per node)") == 16
    # 80 GB on the label are 79.6 GiB to software: no other size
    assert memory("H100-80GB") < 80
    found = stated_accelerator("H100", Figures(bandwidth=2.4, link=200, memory=96))
    assert found is not None
    assert found.memory_bandwidth.m_as("TB/s") == pytest.approx(2.4)
    assert found.link_bandwidth.m_as("GB/s") == pytest.approx(200)
    said = stated_accelerator("H100-SXM 96GB HBM2e 2.4TB/s, 500 W", Figures())
    assert said == stated_accelerator("H100", Figures(bandwidth=2.4, memory=96, power=500))


def machinery(words: str, count: int, per_node: int | None, **columns: Any) -> Machinery:
    """Build what a row ran on."""
    row = dataclasses.replace(PLAIN, accelerator=words, accel_per_node=per_node, **columns)
    found = machinery_of(row, count)
    assert isinstance(found, Machinery), found
    return found


def test_networks_are_those_of_the_columns_or_of_remarks_that_are_known() -> None:
    """What leaves a node for each accelerator, per node in remarks, and named systems."""

    def speed(words: str, count: int, per_node: int | None, **columns: Any) -> float:
        found = machinery(words, count, per_node, **columns)
        return float(found.cluster.inter_node_bandwidth.m_as("GB/s"))

    assert speed("H100", 64, 8, network_gb_s=17.5) == pytest.approx(17.5)
    assert speed("H100", 64, 8, node="GCP_a3_high") == pytest.approx(12.5)
    # 4 links of 100 Gb/s for 8; 1600 Gb/s for 8; 4 links for 4
    assert speed("A100-SXM4-80GB (Omni-Path 4 links/node)", 384, 8) == pytest.approx(6.25)
    assert speed("A100-40GB (1600 Gbps RoCE)", 128, 8) == pytest.approx(25)
    assert speed("V100-SXM2-32GB (Jean Zay, 4 per node)", 8, 4) == pytest.approx(12.5)
    assert speed("H100-80GB (GCP A3)", 64, 8) == pytest.approx(12.5)
    assert speed("H200-SXM-141GB (A3 Ultra)", 64, 8) == pytest.approx(50)  # not an A3
    assert speed("H100", 64, None) == pytest.approx(50)


def test_racks_reach_beyond_the_node() -> None:
    """Four accelerators share a tray of NVL72, and 72 of them the links; servers end at eight."""
    rack, server = machinery("GB200 NVL72", 256, 4), machinery("H100", 256, 8)
    assert (rack.cluster.nodes, rack.cluster.scale_up_domain) == (64, 72)
    assert (server.cluster.nodes, server.cluster.scale_up_domain) == (32, 8)


def test_a_part_of_a_node_is_a_smaller_node() -> None:
    """Two of sixteen accelerators are one node of two."""
    found = machinery("V100-SXM3-32GB", 2, 16).cluster
    assert (found.nodes, found.node.accelerators) == (1, 2)


def test_models_keep_what_the_catalogue_knows_beyond_the_columns() -> None:
    """A proxy of Llama 3.1 405B with fewer layers has its gate, its head and its width."""
    habits: dict[str, Any] = {"gated": None, "tied": None, "biased": None}
    model = converted(model="Llama3.1-405B proxy", layers=8, hidden=16384, heads=128, kv_heads=8,
                      ffn=53248, vocab=128256, **habits).model  # fmt: skip
    assert model.layers == 8
    assert model.gated
    assert not model.tied
    named = named_model("DeepSeek-V3")
    assert named is not None
    assert named.kv_rank == 512
    assert named_model("GPT-22B (one layer)") is None


@pytest.mark.parametrize(
    ("kind", "cell", "word"),
    [
        (MeasuredPrecision, "amp_bf16", "bf16"),
        (MeasuredPrecision, "fp8 (TransformerEngine hybrid)", "fp8"),
        (MeasuredPrecision, "fp8-mx", "mxfp8"),
        (MeasuredPrecision, "int8 (AQT)", "int8"),
        (MeasuredPrecision, "bf16 (fp32 grad accumulation)", "bf16"),
        (MeasuredPrecision, "mixed", None),
        (Recompute, "selective (mlp, mla up_proj)", "selective"),
        (Recompute, "selective (op)", "alternate"),
        (Recompute, "save_dot_except_mlpwi", "selective"),
        (Recompute, "Full", "full"),
        (Recompute, "not selective", None),
        (ZeroStage, "FSDP 8 in node, DP across nodes", 2),
        (ZeroStage, "3 (fsdp=all)", 3),
        (ZeroStage, "0", 0),
        (ZeroStage, "sharded", None),
    ],
)
def test_words_are_whole_cells_or_what_stands_before_a_remark(
    kind: Any, cell: str, word: object
) -> None:
    """Spellings of several frameworks; nothing is searched for inside a cell."""
    found = WORDS[kind].meaning(cell)
    assert (None if found is None else found.value) == word


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        (Recompute, RECOMPUTE),
        (PipelineSchedule, SCHEDULES),
        (Overlap, OVERLAPS),
        (Attention, ATTENTIONS),
        (Sharding, SHARDINGS),
        (MeasuredRuntime, tuple(Systems.Runtimes)),
    ],
)
def test_columns_that_are_options_of_models_have_their_words(
    kind: type[enum.Enum], options: tuple[str, ...]
) -> None:
    """An option that a model gains or loses is one that rows gain or lose."""
    assert {str(word.value) for word in kind} == set(options)


def test_negated_words_are_not_known() -> None:
    """Where sources speak, phrases count only after whole cells and first words."""
    assert WORDS[Recompute].meaning("none (no offload)", of_a_source=True) is Recompute.NONE
    assert WORDS[Recompute].meaning("no offload", of_a_source=True) is Recompute.NONE
    assert WORDS[ZeroStage].meaning("0, no FSDP", of_a_source=True) is ZeroStage.NOTHING


def test_the_first_word_counts_only_where_sources_speak() -> None:
    """A collection is read as it is; a file of one's own has to use the words."""
    for cell in ("fp8 tensorwise scaling", "fp8-hybrid"):
        assert WORDS[MeasuredPrecision].meaning(cell) is None
        assert WORDS[MeasuredPrecision].meaning(cell, of_a_source=True) is MeasuredPrecision.FP8
