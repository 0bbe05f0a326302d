"""Launches: only documented options, nothing dropped, and no design that a framework refuses."""

import argparse
import inspect
import json
import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from launches import (
    MIXTURE,
    POOLS,
    SERVERS,
    SERVING,
    SERVING_DESIGNS,
    TRAINERS,
    TRAINING,
    TRAINING_DESIGNS,
    TUNER,
    TUNING,
    launched,
)

from mlsysim.catalog import LanguageModel, Models
from mlsysim.core.solver import (
    ContinuousBatchingModel,
    DisaggregatedModel,
    DistributedModel,
    ServingModel,
)
from mlsysim.emit import Framework, emit
from mlsysim.emit.megatron import even_parts, uneven_layout
from mlsysim.emit.writing import arguments_of
from mlsysim.errors import LaunchError, suggest
from mlsysim.launch.frameworks import frameworks

OPTIONS = Path(__file__).parent / "options"
LANGUAGE = Models.Language
EMITTED = [
    *(
        (name, framework, design)
        for name, design in TRAINING_DESIGNS.items()
        for framework in TRAINERS
    ),
    *(
        (name, framework, design)
        for name, design in SERVING_DESIGNS.items()
        for framework in SERVERS
    ),
]


def recorded(framework: str) -> Mapping[str, Any]:
    """Read the recorded options of a framework."""
    record = json.loads((OPTIONS / f"{framework}.json").read_text(encoding="utf-8"))
    options: Mapping[str, Any] = record["options"]
    return options


class Refusing(argparse.ArgumentParser):
    """A parser that raises."""

    def error(self, message: str) -> Any:
        """Raise what argparse would print."""
        raise ValueError(message)


def recorded_parser(framework: str) -> argparse.ArgumentParser:
    """Make a parser of the recorded options."""
    parser = Refusing(allow_abbrev=False, add_help=False)
    for name, entry in recorded(framework).items():
        if not name.startswith("--"):
            continue
        if entry["takes"] == "none":
            parser.add_argument(name, action="store_true")
            continue
        parser.add_argument(
            name,
            nargs="+" if entry["takes"] == "many" else None,
            choices=entry.get("choices"),
            type={"int": int, "float": float}.get(entry.get("type", ""), str),
        )
    if framework == "torchtitan":
        words = [name for name, entry in recorded(framework).items() if entry["takes"] == "word"]
        parser.add_argument("checkpointing", choices=words)
    return parser


@pytest.mark.parametrize(("name", "framework", "design"), EMITTED)
def test_only_documented_options(name: str, framework: Framework, design: dict[str, Any]) -> None:
    """The framework's recorded options take every word, of the right kind and choice."""
    found = launched(framework, name, design)
    if found is None:
        return
    if framework is Framework.DEEPSPEED:
        known = recorded("deepspeed")
        for setting in found.launches[0].settings:
            assert setting.name in known, suggest(setting.name, known)
    else:
        recorded_parser(framework.name).parse_args(arguments_of(found.launches[0]))


@pytest.mark.parametrize(("name", "framework", "design"), EMITTED)
def test_the_text_says_what_the_settings_say(
    name: str, framework: Framework, design: dict[str, Any]
) -> None:
    """A shell reads the same words back, and JSON the same tree."""
    found = launched(framework, name, design)
    if found is None:
        return
    lines = [line for line in found.text.splitlines() if not line.startswith(("#", "export "))]
    if framework is Framework.DEEPSPEED:
        tree = json.loads("\n".join(lines))
        for setting in found.launches[0].settings:
            branch = tree
            for key in setting.name.split("."):
                branch = branch[key]
            assert branch == setting.value
    else:
        words = shlex.split("\n".join(lines).replace("\\\n", " "))
        expected = arguments_of(found.launches[0])
        assert words[-len(expected) :] == expected


@pytest.mark.parametrize(("name", "framework", "design"), EMITTED)
def test_no_option_is_given_twice(name: str, framework: Framework, design: dict[str, Any]) -> None:
    """The last of two would win in silence."""
    found = launched(framework, name, design)
    if found is not None:
        names = [setting.name for setting in found.launches[0].settings]
        assert len(names) == len(set(names))


@pytest.mark.parametrize("framework", frameworks())
def test_an_argument_that_no_emitter_knows_becomes_a_comment(
    framework: Framework, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever knob a model gains, it is never dropped in silence."""
    stage = framework.stages[0]
    signature = inspect.signature(stage.solve)
    knob = inspect.Parameter("new_knob", inspect.Parameter.KEYWORD_ONLY, default=0)
    longer = signature.replace(parameters=[*signature.parameters.values(), knob])
    monkeypatch.setattr(stage.solve, "__signature__", longer, raising=False)
    training = TUNING if framework is TUNER else TRAINING
    design = SERVING if stage is ServingModel else training
    text = emit(framework, design | {"new_knob": 7}).text
    assert "# no counterpart in " in text
    assert "new_knob = 7" in text


def test_a_load_is_a_comment() -> None:
    """What the model with queues takes beyond the plain one is no setting of an engine."""
    design = SERVING | {"request_rate": 3.0, "utilization_limit": 0.8}
    text = emit("vllm", design, ContinuousBatchingModel).text
    assert "# no counterpart in vLLM: request_rate = 3.0" in text
    assert "request_rate" not in emit("vllm", design).text


@pytest.mark.parametrize("framework", SERVERS)
def test_two_pools_are_two_commands(framework: Framework) -> None:
    """Each has its own layout, and takes part in handing the cache over."""
    found = emit(framework, POOLS, DisaggregatedModel)
    prefill, decode = (arguments_of(launch) for launch in found.launches)
    parser = recorded_parser(framework.name)
    ours = [vars(parser.parse_args(words)) for words in (prefill, decode)]
    degree = {"vllm": "tensor_parallel_size", "sglang": "tp_size"}[framework.name]
    # the parser of the record keeps what it is given as it was typed
    assert [int(taken[degree]) for taken in ours] == [4, 8]
    assert "pool for prefill, 8 accelerators = 4 tensor x 2 replicas" in found.text
    assert "pool for decode, 8 accelerators = 8 tensor" in found.text
    if framework is Framework.SGLANG:
        assert [taken["disaggregation_mode"] for taken in ours] == ["prefill", "decode"]
    assert "request_rate = 3.0" in found.text


def test_efficiency_is_a_comment() -> None:
    """What hardware achieves is no setting of a framework."""
    text = emit("megatron", TRAINING | {"efficiency": 0.45}).text
    assert "# no counterpart in Megatron-LM: efficiency = 0.45\n" in text


def settings(framework: str, design: dict[str, Any]) -> dict[str, Any]:
    """Give the options of a design by name."""
    return {item.name: item.value for item in emit(framework, design).launches[0].settings}


def test_megatron_by_hand() -> None:
    """Llama 3 70B on 8,192 accelerators, as its documentation would have it."""
    found = emit("megatron", TRAINING)
    # 8192 = 8 x 4 x 256; 1024 nodes of 8
    assert "8192 accelerators = 8 tensor x 4 pipeline x 256 data" in found.text
    assert "torchrun --nnodes 1024 --nproc-per-node 8 pretrain_gpt.py" in found.text
    assert "export CUDA_DEVICE_MAX_CONNECTIONS=1" in found.text
    told = settings("megatron", TRAINING)
    for name, value in {
        "--num-layers": 80,
        "--hidden-size": 8192,
        "--ffn-hidden-size": 28672,
        "--num-query-groups": 8,
        "--tensor-model-parallel-size": 8,
        "--pipeline-model-parallel-size": 4,
        "--micro-batch-size": 1,
        "--global-batch-size": 2048,
        "--use-distributed-optimizer": True,
        "--recompute-modules": "core_attn",
    }.items():
        assert told[name] == value, name


def test_who_splits_experts() -> None:
    """Without expert parallelism tensor parallelism splits them; with it, they stay whole."""
    whole = settings("megatron", MIXTURE)
    assert whole["--expert-model-parallel-size"] == 8
    assert whole["--expert-tensor-parallel-size"] == 1
    split = settings("megatron", MIXTURE | {"ep_size": 1, "tp_size": 4})
    assert split["--expert-tensor-parallel-size"] == 4


@pytest.mark.parametrize(
    ("model", "pattern"),
    [
        (LANGUAGE.DeepSeek_V3, "([0]*3+[1]*58)"),  # three dense layers of 61
        (LANGUAGE.Llama4_Maverick, "([0,1]*24)"),  # experts in every second of 48
        (LANGUAGE.Qwen3_30B_A3B, None),
    ],
)
def test_where_experts_are(model: LanguageModel, pattern: str | None) -> None:
    """The pattern of layers has the catalogue's number of dense ones."""
    told = settings("megatron", MIXTURE | {"model": model}).get("--moe-layer-freq")
    assert told == pattern


@pytest.mark.parametrize(
    ("model", "period"),
    [
        (LANGUAGE.Gemma3_27B, 6),  # 62 layers, of which 10 see everything
        (LANGUAGE.GPT_OSS_120B, 2),
        (LANGUAGE.Mistral_7B_v0_1, None),  # all slide
    ],
)
def test_how_often_a_layer_sees_everything(model: LanguageModel, period: int | None) -> None:
    """One full layer after so many sliding ones."""
    design = MIXTURE if model.experts else TRAINING | {"pp_size": 2, "model": model}
    told = settings("megatron", design | {"model": model})
    assert told["--window-size"] == f"{model.sliding_window},0"
    assert told.get("--window-attn-skip-freq") == period


@pytest.mark.parametrize(
    ("layers", "chunks", "held"),
    [(32, 3, [11, 11, 10]), (126, 32, [4] * 30 + [3] * 2), (9, 8, [2] + [1] * 7), (5, 5, [1] * 5)],
)
def test_an_uneven_pipeline(layers: int, chunks: int, held: list[int]) -> None:
    """The first parts hold one layer more; unrolled as Megatron-LM does, nothing is lost."""
    unrolled = uneven_layout(even_parts(layers, chunks))
    for pattern in (r"\(([^)]+)\)\*(\d+)", r"(.)\*(\d+)"):
        unrolled = re.sub(pattern, lambda found: found[1] * int(found[2]), unrolled)
    parts = unrolled.split("|")
    assert (parts[0][0], parts[-1][-1]) == ("E", "L")
    assert [part.count("t") for part in parts] == held


def test_a_pipeline_of_torchtitan_takes_all_microbatches_at_once() -> None:
    """2,048 sequences over 256 replicas are eight each, in microbatches of one."""
    told = settings("torchtitan", TRAINING)
    assert told["--config"] == "llama3_70b"
    assert told["--training.local-batch-size"] == 8
    assert told["--parallelism.pipeline-parallel-microbatch-size"] == 1
    assert told["--parallelism.pipeline-parallel-layers-per-stage"] == 20  # 80 / 4
    # without a pipeline, a microbatch is a step of accumulation
    assert settings("torchtitan", TRAINING | {"pp_size": 1})["--training.local-batch-size"] == 1


def test_every_second_layer_is_repeated() -> None:
    """Of 80 layers in four stages, 10 of the 20 in each are; a choice is never dropped."""
    told = settings("megatron", TRAINING | {"recompute": "alternate"})
    assert told["--recompute-method"] == "block"
    assert told["--recompute-num-layers"] == 10
    text = emit("deepspeed", TRAINING | {"recompute": "alternate"}).text
    assert "around every second layer" in text


def test_deepspeed_by_hand() -> None:
    """Batch = microbatch x accumulation x replicas: 2048 = 1 x 8 x 256."""
    told = settings("deepspeed", TRAINING)
    assert told["train_batch_size"] == 2048
    assert told["gradient_accumulation_steps"] == 8
    assert told["zero_optimization.stage"] == 1
    assert "PipelineModule(layers, num_stages=4)" in emit("deepspeed", TRAINING).text


def test_engines_by_hand() -> None:
    """Sixteen attention groups of one accelerator, over which 256 experts are dealt out."""
    design = SERVING_DESIGNS["attention"]
    told = settings("vllm", design)
    assert (told["--tensor-parallel-size"], told["--data-parallel-size"]) == (1, 16)
    assert told["--enable-expert-parallel"] is True
    assert told["--max-num-seqs"] == 16  # 256 sequences over 16 groups
    assert told["--max-model-len"] == 2560
    told = settings("sglang", design)
    assert (told["--tp-size"], told["--attn-dp-size"], told["--ep-size"]) == (16, 16, 16)
    assert told["--max-running-requests"] == 256
    assert "# start 3 of these" in emit("vllm", SERVING_DESIGNS["pipeline"]).text


@pytest.mark.parametrize(
    ("framework", "design", "reason", "cure"),
    [
        (
            "megatron",
            TRAINING | {"batch_size": 100},
            (
                "whole micro-batches, but batch_size = 100, micro_batch_size = 1, "
                "DistributedModel.data_parallel_size = 256"
            ),
            # The default of the micro-batch is no name that a question could use.
            "'batch_size % (1 * DistributedModel.data_parallel_size) == 0'",
        ),
        (
            "megatron",
            TRAINING | {"batch_size": 100, "micro_batch_size": 1},
            "whole micro-batches",
            "'batch_size % (micro_batch_size * DistributedModel.data_parallel_size) == 0'",
        ),
        (
            "deepspeed",
            TRAINING | {"nodes": 5, "batch_size": 8},
            "DistributedModel.accelerators_total = 40, tp_size = 8, pp_size = 4",
            "'DistributedModel.accelerators_total % (tp_size * pp_size * 1) == 0'",
        ),
        (
            "torchtitan",
            TRAINING | {"pp_size": 32, "nodes": 32, "batch_size": 32},
            "the layers fill every part of the pipeline",  # 80 in threes: 27 parts of 32
            "'ceil(model.layers / ceil(model.layers / (pp_size * 1))) == pp_size * 1'",
        ),
        (
            "megatron",
            MIXTURE | {"tp_size": 2, "sequence_parallel": False},
            "experts with tensor parallelism need sequence parallelism",
            "'sequence_parallel == true'",
        ),
        ("megatron", MIXTURE | {"precision": "fp16"}, "does not go with fp16", "!= 'fp16'"),
        ("megatron", MIXTURE | {"ep_size": 3}, "divides the experts", "'model.experts % ep_size"),
        ("megatron", TRAINING | {"ep_size": 8}, "needs experts", "'ep_size == 1'"),
        ("megatron", TRAINING | {"precision": "int8"}, "training is in one of", "'bf16'"),
        (
            "megatron",
            TRAINING | {"pp_size": 1, "cp_size": 4, "seq_len": 2052},
            "seq_len = 2052",
            "'cp_size == 1'",
        ),
        (
            "torchtitan",
            TRAINING | {"tp_size": 16, "nodes": 8, "batch_size": 8, "pp_size": 1},
            "model.kv_heads = 8, tp_size = 16",
            "'model.kv_heads % tp_size == 0'",
        ),
        (
            "deepspeed",
            TRAINING | {"zero_stage": 3},
            "pipelines share neither gradients nor weights among replicas, but zero_stage = 3",
            "'zero_stage <= 1'",
        ),
        ("vllm", SERVING | {"ep_size": 4}, "over all accelerators", "'ep_size == 1'"),
        ("vllm", SERVING | {"page_tokens": 1}, "pages are a", "'page_tokens % 16 == 0'"),
        (
            "vllm",
            SERVING | {"chunk_tokens": 64},
            "a token of each sequence",
            "'chunk_tokens * 1 >= batch_size'",
        ),
        ("sglang", SERVING | {"ep_size": 3}, "divides", "'tp_size * 1 % ep_size == 0'"),
        ("sglang", SERVING | {"kv_precision": "int8"}, "the cache is", "kv_precision == 'fp8'"),
    ],
)
def test_what_a_framework_cannot_run_is_refused_with_the_cure(
    framework: str, design: dict[str, Any], reason: str, cure: str
) -> None:
    """No command is printed that the framework would stop at."""
    with pytest.raises(LaunchError) as caught:
        emit(framework, design)
    assert "cannot run this design: " in str(caught.value)
    assert reason in str(caught.value)
    assert cure in str(caught.value)


QUANTIZATION, CACHE = "--quantization", "--kv-cache-dtype"
GPT_OSS = {"model": LANGUAGE.GPT_OSS_120B, "weight_precision": "mxfp4"}
DENSE = SERVING | {"model": LANGUAGE.Llama3_70B}


@pytest.mark.parametrize(
    ("framework", "design", "option", "value"),
    [
        ("vllm", DENSE | {"weight_precision": "fp8"}, QUANTIZATION, "fp8"),
        ("vllm", DENSE | {"weight_precision": "fp8_block"}, QUANTIZATION, "fp8_per_block"),
        ("vllm", DENSE | {"weight_precision": "mxfp8"}, QUANTIZATION, "mxfp8"),
        ("vllm", DENSE | {"weight_precision": "int4"}, QUANTIZATION, None),
        ("vllm", SERVING | GPT_OSS, QUANTIZATION, None),
        ("vllm", DENSE | {"kv_precision": "int8_per_token_head"}, CACHE, "int8_per_token_head"),
        ("sglang", DENSE | {"weight_precision": "mxfp8"}, QUANTIZATION, "mxfp8"),
        ("sglang", DENSE | {"weight_precision": "fp8_block"}, QUANTIZATION, None),
        ("sglang", SERVING | {"precision": "fp8"}, QUANTIZATION, None),  # published in FP8
        ("sglang", DENSE | {"kv_precision": "fp8"}, CACHE, "fp8_e4m3"),
        ("sglang", DENSE | {"kv_precision": "fp4"}, CACHE, "nvfp4"),
    ],
)
def test_formats_are_said_in_the_words_of_the_engine(
    framework: str, design: dict[str, Any], option: str, value: str | None
) -> None:
    """What it converts as it loads is an option; what only a checkpoint can bring, a remark."""
    launch = emit(framework, design).launches[0]
    settings = {setting.name: setting.value for setting in launch.settings}
    assert settings.get(option) == value
    if value is None:
        assert any("checkpoint" in remark for remark in launch.remarks)


def test_an_unknown_framework() -> None:
    """The message lists those that are known."""
    with pytest.raises(LaunchError, match="no framework is called 'pytorch'; known: megatron, "):
        emit("pytorch", TRAINING)


def test_each_record_names_its_version() -> None:
    """Whoever reads a record knows what it was made from."""
    for framework in frameworks():
        record = json.loads((OPTIONS / f"{framework}.json").read_text(encoding="utf-8"))
        assert record["version"]
        assert record["version"] in record["about"]
        assert (
            record["version"].rpartition(".")[0]
            in emit(
                framework,
                SERVING if framework in SERVERS else TUNING if framework is TUNER else TRAINING,
            )
            .launches[0]
            .framework
        )
    assert Framework.MEGATRON.stages == (DistributedModel,)
