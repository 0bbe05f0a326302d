"""Serving rows: how they are read, and how far predictions may be off."""

import copy
import dataclasses
import functools
import statistics
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mlsysim.catalog import Systems
from mlsysim.validation.measured import SERVING, path_of
from mlsysim.validation.models import named_model
from mlsysim.validation.outcome import Outcome
from mlsysim.validation.serving import serving_outcomes
from mlsysim.validation.serving_conversion import ServingQuestion, serving_question
from mlsysim.validation.serving_prediction import EngineConstants, predict_serving
from mlsysim.validation.serving_row import ServingRow, runtime_of, serving_rows
from mlsysim.validation.table import read_table
from mlsysim.validation.vocabulary import MeasuredPrecision, MeasuredRuntime


@functools.cache
def rows() -> tuple[ServingRow, ...]:
    """Read the rows that come with the package."""
    return serving_rows(read_table(path_of(SERVING)))


@functools.cache
def outcomes() -> tuple[Outcome, ...]:
    """Predict them all."""
    return serving_outcomes(read_table(path_of(SERVING)))


def errors(*groups: str) -> list[float]:
    """List the absolute errors of some sources."""
    found = (outcome.error for outcome in outcomes() if outcome.group in groups)
    return [abs(error) for error in found if error is not None]


def question(**changes: object) -> ServingQuestion:
    """Convert the first row of the package with some cells changed."""
    found = serving_question(dataclasses.replace(rows()[0], **changes))  # type: ignore[arg-type]
    assert isinstance(found, ServingQuestion)
    return found


def test_nearly_every_row_is_predicted() -> None:
    """At least 85 % of them; the others say why not."""
    predicted = [outcome for outcome in outcomes() if outcome.predicted]
    assert len(predicted) >= 0.85 * len(outcomes())
    assert all(outcome.predicted or outcome.skipped for outcome in outcomes())


@pytest.mark.parametrize(
    ("group", "mean", "median"),
    [
        ("trtllm09_thr", 0.12, 0.12),
        ("trtllm09_ttft", 0.12, 0.12),
        ("aic_agg", 0.18, 0.13),
        ("trtllm10_maxload", 0.20, 0.20),
    ],
)
def test_predictions_are_as_accurate_as_promised(group: str, mean: float, median: float) -> None:
    """The mean and the median error of each source of rows stay below what is promised."""
    found = errors(group)
    assert statistics.fmean(found) <= mean
    assert statistics.median(found) <= median


def test_rows_with_two_times_have_two_predictions() -> None:
    """Where a row states time to the first token and per token, both stand beside it in JSON."""
    pairs = [
        found.to_dict() for found in outcomes() if found.more["ttft_ms"] and found.more["tpot_ms"]
    ]
    assert len(pairs) > 140
    assert all(row["ttft_ms_predicted"] and row["tpot_ms_predicted"] for row in pairs)
    assert all(row["predicted"] == row["tpot_ms_predicted"] for row in pairs)


def test_names_of_models_are_found_as_sources_write_them() -> None:
    """Organisation, version, precision and purpose may stand around the name."""
    for said, known in (
        ("meta-llama/Llama-3.1-70B-Instruct-FP8", "Llama3_1_70B"),
        ("nvidia/DeepSeek-R1-0528-NVFP4", "DeepSeek_R1"),
        ("Qwen/Qwen3-235B-A22B-FP8", "Qwen3_235B_A22B"),
        ("openai/gpt-oss-20b", "GPT_OSS_20B"),
        ("LLaMA 7B", "Llama2_7B"),
        ("MiniMaxAI/MiniMax-M2.5", "MiniMax_M2"),
    ):
        found = named_model(said)
        assert found is not None
        assert found.name == known
    assert named_model("nobody/knows") is None


def test_an_unknown_model_is_put_together_from_its_dimensions() -> None:
    """A name that nobody knows with all dimensions of the first row."""
    sizes: dict[str, Any] = {
        "layers": 28,
        "hidden": 4096,
        "heads": 32,
        "ffn": 11008,
        "vocab": 32000,
    }
    found = question(model="nobody/knows", moe_experts=16, moe_topk=2, moe_ffn=512, **sizes).model
    assert (found.layers, found.hidden, found.experts) == (28, 4096, 16)
    del sizes["layers"]
    missing = serving_question(dataclasses.replace(rows()[0], model="nobody/knows", **sizes))
    assert missing == "layers is not stated, and the catalogue has no model 'nobody/knows'"


def test_precisions_are_what_engines_do_with_them() -> None:
    """Caches in 8 bits in TensorRT-LLM alone; no 4-bit arithmetic where there is none."""
    eight = MeasuredPrecision.FP8
    assert question(precision=eight).arguments["kv_precision"] == "fp8"
    vllm = question(precision=eight, runtime=MeasuredRuntime.VLLM)
    assert vllm.arguments["kv_precision"] == "bf16"
    told = question(precision=eight, runtime=MeasuredRuntime.VLLM, kv_precision="fp8")
    assert told.arguments["kv_precision"] == "fp8"
    hopper = question(precision=MeasuredPrecision.FP4).arguments
    assert (hopper["precision"], hopper["weight_precision"]) == ("bf16", "fp4")
    blackwell = question(precision=MeasuredPrecision.NVFP4, accelerator="B200-SXM-180GB").arguments
    assert (blackwell["precision"], blackwell["attention_precision"]) == ("fp4", "fp4")
    assert serving_question(dataclasses.replace(rows()[0], precision=MeasuredPrecision.TF32)) == (
        "weights in tf32 are not served"
    )


def test_collections_state_pools_and_runtimes_otherwise(tmp_path: Path) -> None:
    """A text for each pool, and a framework with its version, in columns of their own."""
    path = tmp_path / "runs.csv"
    path.write_text(
        "accelerator,n_accel,model,isl,osl,mode,framework,framework_version,prefill_config,"
        "decode_config,unit,value,confidence\n"
        "H100,16,Llama3-8B,10,10,disagg,TensorRT-LLM,v0.9.0,workers=2 tp=4 pp=1 attn_dp=1 moe_ep=4,"
        "workers=3 tp=1 pp=1 attn_dp=8 moe_ep=8 batch=16,ms,5,high\n",
        encoding="utf-8",
    )
    (row,) = serving_rows(read_table(path))
    assert row.runtime is MeasuredRuntime.TENSORRT_LLM_0
    assert (row.prefill_workers, row.prefill_tp, row.prefill_moe_ep) == (2, 4, 4)
    assert (row.decode_workers, row.decode_tp, row.decode_attn_dp) == (3, 1, 8)
    assert runtime_of("trtllm", "0.8.1") == "trtllm"  # Dynamo's version


def test_pools_are_apart_where_their_columns_say_so() -> None:
    """Workers are replicas; the batch of a decode replica is its share of the users."""
    found = question(
        prefill_workers=2, prefill_tp=4, decode_workers=3, decode_attn_dp=8, decode_moe_ep=8
    )
    assert (found.prefill_replicas, found.decode_replicas) == (2, 3)
    assert found.decode_layout == {
        "tp_size": 1,
        "pp_size": 1,
        "attention_dp_size": 8,
        "ep_size": 8,
    }


def test_a_row_that_cannot_be_predicted_says_why() -> None:
    """No accelerator of that name, no value, no unit."""
    row = rows()[0]
    for changes, reason in (
        ({"accelerator": "abacus"}, "the catalogue has no accelerator 'abacus'"),
        ({"value": None}, "value is missing"),
        ({"unit": None}, "unit is missing"),
    ):
        changed = dataclasses.replace(row, **changes)
        assert reason in str(predict_serving(changed).skipped)


def shipped(**changes: Any) -> EngineConstants:
    """Give the constants of the catalogue, but for some that all engines share."""
    serving: Any = copy.copy(Systems.ServingCalibrations.All_Engines)
    vars(serving).update(changes)
    return EngineConstants(serving=serving, runtimes=dict(Systems.Runtimes))


def test_the_constants_of_the_catalogue_are_those_of_predictions() -> None:
    """Handing the catalogue's constants over changes nothing."""
    for row in rows()[::40]:
        assert predict_serving(row, shipped()).value == predict_serving(row).value


def test_many_constants_at_once_are_predicted_as_each_alone() -> None:
    """A constant may be an array of candidates; one source is enough to see it."""
    few = [row for row in rows() if row.group == "trtllm09_ttft"]
    candidates = np.array([0.4, 0.6])
    for row in few:
        together = predict_serving(row, shipped(attention_efficiency=candidates)).value
        for at, value in enumerate(candidates):
            alone = predict_serving(row, shipped(attention_efficiency=float(value))).value
            assert together[at] == pytest.approx(alone)
