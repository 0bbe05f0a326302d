"""Measured rows in the models' terms: what is read, what is supposed, what is skipped."""

import dataclasses
from typing import Any

import pytest

from mlsysim.validation.accelerators import accelerator_of, catalogue_name
from mlsysim.validation.clusters import machinery_of
from mlsysim.validation.conversion import Configuration, Skipped, convert
from mlsysim.validation.measured import training_rows
from mlsysim.validation.models import named_model
from mlsysim.validation.training_row import TrainingRow
from mlsysim.validation.wording import precision_of, recompute_of, zero_stage_of

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
        ({"unit": ""}, "unit is missing"),
        ({"unit": "furlongs"}, "unit 'furlongs' is not known"),
        ({"accelerator": "Abacus 9000"}, "the catalogue has no accelerator 'Abacus 9000'"),
        ({"precision": "quick"}, "precision 'quick' is not known"),
        ({"recompute": "sometimes"}, "recompute 'sometimes' is not known"),
        ({"zero_stage": "some"}, "zero_stage 'some' is not known"),
        ({"node": "DGX_H10"}, "DGX_H100"),
        ({"gbs": None, "tp": None, "pp": None, "zero_stage": ""}, "gbs is missing, and so are"),
        ({"model": "X", "layers": None, "hidden": None}, "layers, hidden are not stated"),
        ({"heads": 7}, "7 heads do not divide a hidden width of 10240"),
    ],
)
def test_a_row_is_skipped_only_with_its_reason(changes: dict[str, Any], expected: str) -> None:
    """The reason names the column or what the catalogue lacks."""
    assert expected in reason(**changes)


def test_what_is_left_open_is_supposed_and_told() -> None:
    """Each convention of the module is used where a cell is empty, and noted."""
    found = converted(mbs=None, seq_len=None, precision="", recompute="", seq_parallel=None)
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
    smaller = accelerator_of("V100-SXM2-16GB (Jean Zay, 4 per node)")
    assert smaller is not None
    assert smaller.memory_capacity.m_as("GiB") == 16
    # 80 GB on the label are 79.6 GiB to software: no other size
    assert accelerator_of("H100-80GB") is accelerator_of("H100-80GB")
    plain = accelerator_of("H100-80GB")
    assert plain is not None
    assert plain.memory_capacity.m_as("GiB") < 80


def test_networks_are_those_of_the_words() -> None:
    """Links per node, bandwidth per node or per accelerator, and named systems."""

    def speed(words: str, count: int, per_node: int | None) -> float:
        machinery = machinery_of(words, count, per_node)
        assert machinery is not None
        return float(machinery.cluster.inter_node_bandwidth.m_as("GB/s"))

    # 4 links of 100 Gb/s for 8; 1600 Gb/s for 8; 4 links for 4; 400 Gb/s each
    assert speed("A100-SXM4-80GB (Omni-Path 4 links/node)", 384, 8) == pytest.approx(6.25)
    assert speed("A100-40GB (1600 Gbps RoCE)", 128, 8) == pytest.approx(25)
    assert speed("V100-SXM2-32GB (Jean Zay, 4 per node)", 8, 4) == pytest.approx(12.5)
    assert speed("H100 (Meta Grand Teton, 400 Gb/s per GPU)", 64, 8) == pytest.approx(50)
    assert speed("H100-SXM5-80GB (IB 8x50 GB/s)", 64, 8) == pytest.approx(50)
    assert speed("H100-80GB (GCP A3)", 64, 8) == pytest.approx(12.5)
    assert speed("H100", 64, None) == pytest.approx(50)


def test_racks_reach_beyond_the_node() -> None:
    """Four accelerators share a tray of NVL72, and 72 of them the links; servers end at eight."""
    rack, server = machinery_of("GB200 NVL72", 256, 4), machinery_of("H100", 256, 8)
    assert rack is not None
    assert server is not None
    assert (rack.cluster.nodes, rack.cluster.scale_up_domain) == (64, 72)
    assert (server.cluster.nodes, server.cluster.scale_up_domain) == (32, 8)


def test_a_part_of_a_node_is_a_smaller_node() -> None:
    """Two of sixteen accelerators are one node of two."""
    machinery = machinery_of("V100-SXM3-32GB", 2, 16)
    assert machinery is not None
    assert (machinery.cluster.nodes, machinery.cluster.node.accelerators) == (1, 2)


def test_models_keep_what_the_catalogue_knows_beyond_the_columns() -> None:
    """A proxy of Llama 3.1 405B with fewer layers has its gate, its head and its width."""
    model = converted(model="Llama3.1-405B proxy", layers=8, hidden=16384, heads=128, kv_heads=8,
                      ffn=53248, vocab=128256).model  # fmt: skip
    assert model.layers == 8
    assert model.gated
    assert not model.tied
    named = named_model("DeepSeek-V3")
    assert named is not None
    assert named.kv_rank == 512
    assert named_model("GPT-22B (one layer)") is None


@pytest.mark.parametrize(
    ("words", "precision"),
    [
        ("amp_bf16", "bf16"),
        ("fp8 (TransformerEngine hybrid)", "fp8"),
        ("mxfp8", "fp8"),
        ("nvfp4", "fp4"),
        ("int8 (AQT)", "int8"),
        ("bf16 (fp32 grad accumulation)", "bf16"),
        ("mixed", None),
    ],
)
def test_words_for_precision(words: str, precision: str | None) -> None:
    """The first precision named counts."""
    assert precision_of(words) == precision


def test_words_for_recomputation_and_sharding() -> None:
    """Policies of several frameworks, in three modes and four stages."""
    assert recompute_of("selective (mlp, mla up_proj)") == "selective"
    assert recompute_of("save_dot_except_mlpwi") == "selective"
    assert recompute_of("full") == "full"
    assert zero_stage_of("FSDP 8 in node, DP across nodes") == 2
    assert zero_stage_of("3 (fsdp=all)") == 3
    assert zero_stage_of("0") == 0
    assert zero_stage_of("sharded") is None
