"""Models from Hugging Face configurations: published counts, to the last digit, and clear errors.

The files under ``hf/`` hold the keys of the published ``config.json`` that say something about the
shape, with their published values.  `COUNTED` was counted independently of this package: each
architecture was built with transformers 5.23.0 on torch's meta device (no weights), and its
parameters and router corrections were summed.  `PUBLISHED` is what the authors state themselves.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from mlsysim.catalog import LanguageModel, Models
from mlsysim.catalog.hugging_face import ARCHITECTURES
from mlsysim.errors import CatalogError, MlsysimError

FOLDER = Path(__file__).parent / "hf"

COUNTED = {
    "DeepSeek-V2-Lite": 15_706_484_224,
    "DeepSeek-V3": 671_026_419_200,  # with 58 x 256 router corrections, without the MTP layer
    "Llama-3.1-8B": 8_030_261_248,
    "Llama-3.2-1B": 1_235_814_400,
    "Llama-4-Scout-17B-16E": 107_769_861_120,  # the text decoder
    "Mistral-7B-v0.1": 7_241_732_096,
    "Mixtral-8x7B-v0.1": 46_702_792_704,
    "OLMo-2-1124-7B": 7_298_617_344,
    "OLMo-7B-hf": 6_888_095_744,
    "OLMoE-1B-7B-0924": 6_919_161_856,
    "Phi-3-mini-4k-instruct": 3_821_079_552,
    "Qwen1.5-MoE-A2.7B": 14_315_784_192,
    "Qwen2.5-7B": 7_615_616_512,
    "Qwen3-0.6B": 596_049_920,
    "Qwen3-30B-A3B": 30_532_122_624,
    "bloom-7b1": 7_069_016_064,
    "c4ai-command-r-plus": 103_810_674_688,
    "c4ai-command-r-v01": 34_980_831_232,
    "falcon-40b": 41_303_293_952,
    "falcon-7b": 6_921_720_704,
    "gemma-2-9b": 9_241_705_984,
    "gemma-3-1b-it": 999_885_952,
    "gemma-3-4b-it": 3_880_263_168,  # the text decoder
    "gemma-7b": 8_537_680_896,
    "gpt-j-6b": 6_050_882_784,
    "gpt-oss-20b": 20_914_757_184,
    "gpt2": 124_439_808,
    "opt-125m": 125_239_296,
    "phi-2": 2_779_683_840,
    "pythia-6.9b": 6_857_302_016,
    "stablelm-2-1_6b": 1_644_515_328,
    "stablelm-3b-4e1t": 2_795_443_200,
    "starcoder2-7b": 7_173_923_840,
}

# Exact totals in model cards and papers; rounded ones with the digits that are printed.
PUBLISHED = {
    "bloom-7b1": (7_069_016_064, 1, "model card of bigscience/bloom-7b1"),
    "pythia-6.9b": (6_857_302_016, 1, "model card of EleutherAI/pythia-6.9b, table of sizes"),
    "stablelm-3b-4e1t": (2_795_443_200, 1, "model card of stabilityai/stablelm-3b-4e1t"),
    "gpt-oss-20b": (20_910_000_000, 10**7, "OpenAI 2025, gpt-oss model card, table 1: 20.91B"),
    "DeepSeek-V3": (671_000_000_000, 10**9, "arXiv 2412.19437: 671B without the MTP module"),
    "DeepSeek-V2-Lite": (15_700_000_000, 10**8, "arXiv 2405.04434, appendix B: 15.7B"),
    "Mixtral-8x7B-v0.1": (46_700_000_000, 10**8, "mistral.ai, Mixtral of experts: 46.7B"),
    "Qwen3-30B-A3B": (30_500_000_000, 10**8, "model card of Qwen/Qwen3-30B-A3B: 30.5B"),
    "Qwen2.5-7B": (7_620_000_000, 10**7, "Hugging Face Hub, Qwen/Qwen2.5-7B: 7.62B params"),
    "Qwen1.5-MoE-A2.7B": (14_300_000_000, 10**8, "model card of Qwen/Qwen1.5-MoE-A2.7B: 14.3B"),
    "gemma-7b": (8_540_000_000, 10**7, "arXiv 2403.08295, table 2: 8.54B"),
    "OLMoE-1B-7B-0924": (6_900_000_000, 10**8, "arXiv 2409.02060: 6.9B"),
    "c4ai-command-r-v01": (35_000_000_000, 10**9, "model card of CohereLabs/c4ai-command-r-v01"),
    "c4ai-command-r-plus": (104_000_000_000, 10**9, "model card: 104B"),
}

# The same models in the catalogue of the package, whose shapes have other sources.
BUILT_IN = {
    "DeepSeek-V2-Lite": "DeepSeek_V2_Lite",
    "DeepSeek-V3": "DeepSeek_V3",
    "Llama-3.1-8B": "Llama3_1_8B",
    "Llama-3.2-1B": "Llama3_2_1B",
    "Llama-4-Scout-17B-16E": "Llama4_Scout",
    "Mistral-7B-v0.1": "Mistral_7B_v0_1",
    "Mixtral-8x7B-v0.1": "Mixtral_8x7B",
    "Qwen2.5-7B": "Qwen2_5_7B",
    "Qwen3-0.6B": "Qwen3_0_6B",
    "Qwen3-30B-A3B": "Qwen3_30B_A3B",
    "falcon-40b": "Falcon_40B",
    "gemma-2-9b": "Gemma2_9B",
    "gemma-3-1b-it": "Gemma3_1B",
    "gpt-oss-20b": "GPT_OSS_20B",
    "gpt2": "GPT2",
    "phi-2": "Phi2",
}


def read(name: str) -> LanguageModel:
    """Read one of the files beside this test."""
    return Models.from_hf(FOLDER / f"{name}.json")


def test_every_file_has_its_count() -> None:
    """No file is forgotten, and they cover what planners ask for."""
    assert {path.stem for path in FOLDER.glob("*.json")} == set(COUNTED)
    assert len(PUBLISHED) >= 12


@pytest.mark.parametrize("name", COUNTED)
def test_the_count_is_exact(name: str) -> None:
    """Shape, norms, biases, ties and router corrections sum to the independent count."""
    assert read(name).parameters == COUNTED[name]


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_count_is_the_published_one(name: str) -> None:
    """Rounded as the authors round, the total is theirs; where they give all digits, all agree."""
    published, rounding, _source = PUBLISHED[name]
    assert round(read(name).parameters / rounding) * rounding == published


@pytest.mark.parametrize(("name", "built_in"), BUILT_IN.items())
def test_a_configuration_gives_the_shape_of_the_catalogue(name: str, built_in: str) -> None:
    """Everything that formulas read is equal to the vetted record of the same model."""
    ours, theirs = read(name), Models.Language[built_in]
    for figure in (
        "parameters",
        "active_parameters",
        "matmul_parameters",
        "attention_parameters",
        "kv_elements",
        "score_width",
        "dense_layers",
        "sliding_window",
        "sliding_layers",
        "max_context",
        "vocab",
    ):
        assert getattr(ours, figure) == getattr(theirs, figure), figure


def test_what_no_field_describes_is_said() -> None:
    """Command R+ has norms over 96 query and 8 key heads of 128 in each of 64 layers."""
    model = read("c4ai-command-r-plus")
    assert model.other_parameters == 64 * (96 + 8) * 128
    assert "norms of all query and key heads 851,968" in model.figures["other_parameters"].note


def test_a_model_is_named_after_its_file_folder_or_cache(tmp_path: Path) -> None:
    """Names can follow a dot in Python, whatever the file is called."""
    content = (FOLDER / "Llama-3.1-8B.json").read_text(encoding="utf-8")
    assert read("Llama-3.1-8B").name == "Llama_3_1_8B"
    cached = tmp_path / "models--meta-llama--Llama-3.1-8B" / "snapshots" / "0e9e39f"
    plain = tmp_path / "8B-mine"
    for folder in (cached, plain):
        folder.mkdir(parents=True)
        (folder / "config.json").write_text(content, encoding="utf-8")
    assert Models.from_hf(cached).title == "Llama-3.1-8B"
    assert Models.from_hf(plain / "config.json").name == "Model_8B_mine"
    assert Models.from_hf(str(plain), name="Mine").name == "Mine"


LLAMA: dict[str, Any] = json.loads((FOLDER / "Llama-3.2-1B.json").read_text(encoding="utf-8"))
QWEN_MOE: dict[str, Any] = json.loads(
    (FOLDER / "Qwen1.5-MoE-A2.7B.json").read_text(encoding="utf-8")
)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("no json", "is not JSON"),
        ("[1]", "holds no JSON object"),
        ({}, 'model_type: missing; write the architecture, e.g. "model_type": "llama"'),
        ({"model_type": "lama"}, "model_type: what the layers of 'lama' hold is not described"),
        ({"model_type": "mamba2"}, "or describe the shape yourself, as LanguageModel(...)"),
        ({"model_type": "zzz"}, "described are bloom, cohere,"),
        (
            {key: value for key, value in LLAMA.items() if key != "hidden_size"},
            "hidden_size: missing; a model of type 'llama' needs it",
        ),
        (LLAMA | {"num_hidden_layers": "16"}, "num_hidden_layers: '16' is not a whole number"),
        (LLAMA | {"tie_word_embeddings": 1}, "tie_word_embeddings: 1 is neither true nor false"),
        (LLAMA | {"num_key_value_heads": 5}, "32 heads cannot share 5 kv_heads"),
        (LLAMA | {"num_attention_heads": 0}, "must be at least 1"),
        (
            QWEN_MOE | {"shared_expert_intermediate_size": 5633},
            "shared_expert_intermediate_size: 5633 is no multiple of an expert's 1408",
        ),
        (QWEN_MOE | {"mlp_only_layers": ["1"]}, "mlp_only_layers: ['1'] is not a list of whole"),
        (
            {"model_type": "llava", "text_config": {"model_type": "lama"}},
            "text_config: model_type: what the layers of 'lama' hold",
        ),
    ],
)
def test_what_cannot_be_read_is_told_with_its_cure(
    content: object, message: str, tmp_path: Path
) -> None:
    """Every message begins with the file and names the key."""
    path = tmp_path / "config.json"
    text = content if isinstance(content, str) else json.dumps(content)
    path.write_text(text, encoding="utf-8")
    with pytest.raises(CatalogError) as caught:
        Models.from_hf(path)
    assert str(caught.value).startswith(str(path))
    assert message in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """The message says what to give instead."""
    with pytest.raises(CatalogError, match=r"cannot be read: .*give the path of a config\.json"):
        Models.from_hf(tmp_path / "nowhere.json")


@pytest.mark.parametrize("model_type", ARCHITECTURES)
def test_no_architecture_fails_with_a_bare_error(model_type: str, tmp_path: Path) -> None:
    """Every architecture meets an empty file with a message that names the missing key."""
    path = tmp_path / "config.json"
    path.write_text(json.dumps({"model_type": model_type}), encoding="utf-8")
    with pytest.raises(MlsysimError, match="missing; a model of type"):
        Models.from_hf(path)
