"""Questions for a framework: what it cannot run is infeasible, and a pasted cure mends it."""

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mlsysim.cli.app import app
from mlsysim.emit import emit_answer
from mlsysim.errors import LaunchError, QuestionError
from mlsysim.files.launching import launched_by
from mlsysim.files.question import load
from mlsysim.launch.frameworks import Framework
from mlsysim.report import report_of
from mlsysim.report.launching import launch_lines
from mlsysim.results import Status

LARGE = "every_knob"
"""A question whose answers take seconds, of which the test of cures asks many."""

MODELS = Path(__file__).parents[2] / "models"

TRAINING = """
question = "Which layout trains fastest?"
objective = "maximize: DistributedModel.effective_throughput"
{top}
[pipeline]
stages = ["DistributedModel"]
arguments = {{ tp_size = "tp" }}

[fixed]
model = "{model}"
fleet = "Production_2K"
nodes = {nodes}
batch_size = {batch}
seq_len = 4096
precision = "{precision}"

[space]
tp = [1, 2, 4, 8]
pp_size = [1, 2, 3, 4]
ep_size = [1, 2, 8]
zero_stage = [0, 1, 3]
virtual_stages = [1, 2]
schedule = ["1f1b", "zero-bubble"]
sequence_parallel = [false, true]
recompute = ["selective", "alternate"]
"""
SERVING = """
question = "Which layout answers most?"
objective = "maximize: ServingModel.request_rate"
{top}
[pipeline]
stages = ["ServingModel"]

[fixed]
model = "Qwen3_30B_A3B"
fleet = "DGX_H100"
input_tokens = 1024
output_tokens = 256

[space]
tp_size = [1, 2, 4]
attention_dp_size = [1, 2]
ep_size = [1, 2, 4]
batch_size = [16, 64, 256]
chunk_tokens = [48, 2048]
precision = ["bf16", "fp16"]
kv_precision = ["bf16", "fp16", "fp8"]
page_tokens = [8, 16]
"""
QUESTIONS = {
    "dense": TRAINING.format(top="", model="Llama3_8B", nodes=6, batch=192, precision="bf16"),
    "uneven": TRAINING.format(top="", model="Llama3_8B", nodes=5, batch=90, precision="fp8"),
    "mixture": TRAINING.format(top="", model="Qwen3_30B_A3B", nodes=4, batch=128, precision="bf16"),
    "engine": SERVING.format(top=""),
}
TRAINERS = ("megatron", "torchtitan", "deepspeed")
ASKED = [(name, item) for name in QUESTIONS if name != "engine" for item in TRAINERS]
ASKED += [("engine", "vllm"), ("engine", "sglang")]


def written(folder: Path, text: str) -> Path:
    """Write a question."""
    path = folder / "question.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(("name", "framework"), ASKED)
def test_the_answer_for_a_framework_is_the_best_that_it_runs(
    tmp_path: Path, name: str, framework: str
) -> None:
    """CP-SAT, the reference, and a walk over what the emitter accepts agree."""
    path = written(tmp_path, QUESTIONS[name])
    question = load(path, framework=framework)
    comparison = question.cross_check(top=1)
    assert not comparison.differences
    emit_answer(Framework.named(framework), question, comparison.solved)
    # Designs of the free question, best first, until the emitter takes one.
    free = load(path)
    ranked = free.solve(top=free.problem.space.size, method="exhaustive")
    assert ranked.status is Status.OPTIMAL
    for candidate in ranked.top_candidates:
        runs = {item.framework: item for item in launched_by(free, candidate.result)}
        if not runs[Framework.named(framework)].refusals:
            assert candidate.objective_value == pytest.approx(
                comparison.solved.best_objective, rel=1e-9
            )
            return
    raise AssertionError(framework)


def test_the_key_in_the_file_is_the_option(tmp_path: Path) -> None:
    """``for`` in a question and ``--for`` say the same."""
    text = TRAINING.format(
        top='for = "megatron"', model="Llama3_8B", nodes=6, batch=192, precision="bf16"
    )
    said = load(written(tmp_path, text)).solve()
    option = load(written(tmp_path, QUESTIONS["dense"]), framework="megatron").solve()
    assert said.best_params == option.best_params


def test_what_nobody_can_run_names_the_framework_and_the_reason(tmp_path: Path) -> None:
    """97 sequences are a prime: no layout of 48 accelerators shares them evenly but one."""
    text = TRAINING.format(top="", model="Llama3_8B", nodes=6, batch=97, precision="bf16")
    text = text.replace("tp = [1, 2, 4, 8]", "tp = [1, 2]").replace("[1, 2, 3, 4]", "[2, 4]")
    question = load(written(tmp_path, text), framework="megatron")
    comparison = question.cross_check()
    assert not comparison.differences
    result = comparison.solved
    assert result.status is Status.INFEASIBLE
    assert result.conflict == ("megatron.feasible",)
    assert "replicas share the batch in whole micro-batches" in result.explanation


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_pasted_cure_works(tmp_path: Path, name: str) -> None:
    """Each line that an answer prints stands under [constraints] and mends what it was about."""
    _paste(written(tmp_path, QUESTIONS[name]))


@pytest.mark.parametrize(
    "path",
    [path for path in sorted(MODELS.glob("training/*.toml")) if path.stem != LARGE],
    ids=lambda path: str(path.stem),
)
def test_a_pasted_cure_works_in_the_models(tmp_path: Path, path: Path) -> None:
    """The same for every question about training that the repository holds."""
    _paste(written(tmp_path, path.read_text(encoding="utf-8")))


def _paste(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    question = load(path)
    answer = question.solve()
    for item in launched_by(question, answer.best_result):
        for refusal in item.refusals:
            if not refusal.cure.lines:
                assert "fix the arguments otherwise" in str(refusal)
                continue
            lines = "\n".join(refusal.cure.lines)
            path.write_text(f"{text}\n[constraints]\n{lines}\n", encoding="utf-8")
            mended = load(path)
            found = mended.solve()
            if found.status is Status.INFEASIBLE:  # then it is about what can be launched alone
                assert load(path, framework=item.framework.name).solve().status is Status.INFEASIBLE
                continue
            again = {other.framework: other for other in launched_by(mended, found.best_result)}
            assert refusal.rule.name not in {
                other.rule.name for other in again[item.framework].refusals
            }


def test_the_answer_says_who_can_run_it(tmp_path: Path) -> None:
    """In text and in JSON, in the same words as the emitter."""
    path = written(tmp_path, QUESTIONS["uneven"])
    question = load(path)
    answer = question.solve()
    report = report_of(question, answer)
    lines = list(launch_lines(report.launched))
    assert lines[0] in str(report)
    told = {item["framework"]: item for item in report.to_dict()["launched"]}
    assert set(told) == set(TRAINERS)
    for name, item in told.items():
        if item["runs"]:
            emit_answer(Framework.named(name), question, answer)
            continue
        with pytest.raises(LaunchError) as caught:
            emit_answer(Framework.named(name), question, answer)
        for refusal in item["refusals"]:
            assert all(text in str(caught.value) for text in refusal["constraints"])


@pytest.mark.parametrize(
    ("top", "message"),
    [
        ('for = "megatronn"', "for: no framework is called 'megatronn'; known: megatron, "),
        ('for = "vllm"', "for: vllm launches designs of ServingModel or .*; take megatron or"),
    ],
)
def test_a_framework_that_does_not_fit(tmp_path: Path, top: str, message: str) -> None:
    """The file's key, the culprit and the cure."""
    text = TRAINING.format(top=top, model="Llama3_8B", nodes=6, batch=192, precision="bf16")
    with pytest.raises(QuestionError, match=message):
        load(written(tmp_path, text))


def test_pools_are_judged_each(tmp_path: Path) -> None:
    """VLLM deals experts out over a whole stage of either pool."""
    text = """
question = "Two pools"
objective = "maximize: DisaggregatedModel.request_rate"
[pipeline]
stages = ["DisaggregatedModel"]
[fixed]
model = "Qwen3_30B_A3B"
prefill_fleet = "DGX_H100"
decode_fleet = "DGX_H100"
batch_size = 64
input_tokens = 1024
output_tokens = 256
[space]
prefill_tp_size = [4]
prefill_ep_size = [1, 2]
decode_tp_size = [4]
decode_ep_size = [2, 4]
"""
    question = load(written(tmp_path, text), framework="vllm")
    comparison = question.cross_check()
    assert not comparison.differences
    best = comparison.solved.best_params
    assert (best["prefill_ep_size"], best["decode_ep_size"]) == (1, 4)
    names = [
        rule.name
        for rule in Framework.VLLM.rules_of(type(question.evaluate.pipeline.stages[0]), "D")
    ]
    assert {"prefill_experts_over_all", "decode_experts_over_all", "pages"} <= set(names)


@pytest.mark.parametrize("command", ["solve", "explain", "pareto", "check", "sweep", "evaluate"])
def test_every_command_takes_the_option(tmp_path: Path, command: str) -> None:
    """What is answered is the question for that framework."""
    text = QUESTIONS["uneven"] + (
        '[pareto]\nobjectives = ["maximize: DistributedModel.effective_throughput", '
        '"minimize: DistributedModel.memory_per_accelerator"]\n'
    )
    path = written(tmp_path, text)
    more = {"sweep": ["--over", "batch_size=90,180"], "evaluate": ["--set", "tp=2"]}
    arguments = [command, str(path), "--for", "deepspeed", *more.get(command, [])]
    if command in {"solve", "explain", "pareto", "evaluate"}:
        arguments.append("--json")
    outcome = CliRunner().invoke(app, arguments)
    assert outcome.exit_code == 0, outcome.output
    if command == "solve":
        found = json.loads(outcome.stdout)
        assert found["best_params"]["virtual_stages"] == 1
        assert re.search("deepspeed.feasible|deepspeed", json.dumps(found["requirements"]))


def test_a_check_for_a_framework_that_runs_nothing_agrees() -> None:
    """No batch of the tutorial is shared evenly by its 256 replicas or more: all methods say so."""
    path = str(MODELS / "training" / "tutorial.toml")
    outcome = CliRunner().invoke(app, ["check", path, "--for", "megatron"])
    assert outcome.exit_code == 0, outcome.output
    assert outcome.stdout.startswith("agrees")
    assert "INFEASIBLE" in outcome.stdout
