"""``mlsysim solve --emit`` and ``mlsysim show --hf``: launches out, configurations in."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from mlsysim.cli.app import app
from mlsysim.emit import Framework, emit_answer
from mlsysim.files.question import load

ROOT = Path(__file__).parents[2]
TUTORIAL = ROOT / "models" / "training" / "tutorial.toml"
STRICT = ROOT / "models" / "infeasible" / "step_50ms.toml"
CONFIGURATIONS = ROOT / "tests" / "catalog" / "hf"

QUESTION = """
question = "Which layout trains Llama 3 8B fastest on two nodes?"
objective = "maximize: DistributedModel.effective_throughput"

[pipeline]
stages = ["DistributedModel"]

[fixed]
model = "Llama3_8B"
fleet = "Kempner_H100_384"
nodes = 4
batch_size = 64
precision = "bf16"
efficiency = 0.6

[space]
tp_size = [1, 2, 4]
pp_size = [1, 2]
"""


def run(*arguments: object) -> tuple[int, str, str]:
    """Run the command line; give its status, output and errors."""
    outcome = CliRunner(env={"COLUMNS": "160"}).invoke(app, [str(item) for item in arguments])
    return outcome.exit_code, outcome.stdout, outcome.stderr


@pytest.mark.parametrize("framework", ["megatron", "torchtitan", "deepspeed"])
def test_a_launch_is_all_that_is_printed(framework: str, tmp_path: Path) -> None:
    """Verdict in a comment, then the design that solve finds, ready for a file."""
    path = tmp_path / "question.toml"
    path.write_text(QUESTION, encoding="utf-8")
    status, output, errors = run("solve", path, "--emit", framework)
    assert (status, errors) == (0, "")
    question = load(path)
    expected = emit_answer(Framework.named(framework), question, question.solve())
    verdict, rest = output.split("\n", 1)
    assert verdict.startswith("# OPTIMAL (proven)")
    assert rest == expected.text


def test_where_nothing_fits_the_reason_is_printed() -> None:
    """No design, no launch: the explanation and status 3, as without the option."""
    status, output, _ = run("solve", STRICT, "--emit", "megatron")
    assert status == 3
    assert output.startswith("INFEASIBLE (proven)")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("--emit", "vllm"),
            "vllm launches designs of ServingModel or ContinuousBatchingModel or Disagg",
        ),
        (("--emit", "vllm"), "take megatron or torchtitan or deepspeed"),
        (("--emit", "megatron", "--json"), "drop --json"),
        (
            ("--emit", "megatron"),
            (
                "add to the question the constraint 'batch_size % (1 * "
                "DistributedModel.data_parallel_size) == 0'"
            ),
        ),
    ],
)
def test_what_cannot_be_emitted_is_bad_input(arguments: tuple[str, ...], message: str) -> None:
    """One line that names the cure, and status 2."""
    status, output, errors = run("solve", TUTORIAL, *arguments)
    assert status == 2
    assert output == ""
    assert message in errors
    assert len(errors.splitlines()) == 1


def test_show_a_configuration() -> None:
    """Figures with their file, and the counts that follow."""
    status, output, errors = run("show", "--hf", CONFIGURATIONS / "gpt-oss-20b.json")
    assert (status, errors) == (0, "")
    assert "20,914,757,184" in output
    assert "(model_type gpt_oss)" in output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "give the name of one entry, such as H100_SXM, or a model's configuration"),
        (("H100_SXM", "--hf", "config.json"), "give the name of one entry"),
        (("--hf", "nowhere.json"), "nowhere.json: cannot be read"),
    ],
)
def test_show_what_is_not_there(arguments: tuple[str, ...], message: str) -> None:
    """One line, and status 2."""
    status, _, errors = run("show", *arguments)
    assert status == 2
    assert message in errors
