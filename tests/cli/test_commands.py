"""What the commands print, and the status that each ends with."""

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mlsysim.catalog import Systems
from mlsysim.cli.app import app
from mlsysim.core import dse
from mlsysim.files.question import load
from mlsysim.results.formatting import number

ROOT = Path(__file__).parents[2]
TUTORIAL = ROOT / "models" / "training" / "tutorial.toml"
STRICT = ROOT / "models" / "infeasible" / "step_50ms.toml"


def run(*arguments: object, columns: int = 160) -> tuple[int, str, str]:
    """Run the command line; give its status, output and errors."""
    outcome = CliRunner(env={"COLUMNS": str(columns)}).invoke(
        app, [str(item) for item in arguments]
    )
    return outcome.exit_code, outcome.stdout, outcome.stderr


@pytest.mark.parametrize("method", ["auto", "cp-sat", "exhaustive"])
def test_solve_prints_the_best_design(method: str) -> None:
    """An answered question ends with 0 and lists the reference's top designs, best first."""
    status, output, errors = run("solve", TUTORIAL, "--method", method, "--top", 3)
    best = load(TUTORIAL).solve(method="exhaustive", top=3)
    assert status == 0
    assert errors == ""
    assert output.startswith("OPTIMAL")
    header, *rows = [line.split() for line in output.splitlines()[-4:]]
    # What all of them share is told once, above the table.
    assert "(all with batch_size=128)" in output
    assert header[:3] == ["#", "tp", "pp"]
    shown = [(int(row[1]), int(row[2])) for row in rows]
    assert shown == [(item.params["tp"], item.params["pp"]) for item in best.top_candidates]


def test_a_narrow_terminal_breaks_no_number() -> None:
    """Where the table of designs is too wide, it is turned: a line per choice, names whole."""
    _, wide, _ = run("solve", TUTORIAL, "--top", 1)
    _, narrow, _ = run("solve", TUTORIAL, "--top", 1, columns=45)
    upright = [re.split(" {2,}", line.strip()) for line in wide.splitlines()[-2:]]
    turned = [re.split(" {2,}", line.strip()) for line in narrow.splitlines()[-len(upright[0]) :]]
    assert turned == [list(line) for line in zip(*upright, strict=True)]


def test_an_answer_is_short_unless_all_is_asked_for() -> None:
    """What to trust, whose price and who can launch it stand in every answer; conditions do not."""
    _, short, _ = run("solve", TUTORIAL)
    _, full, _ = run("solve", TUTORIAL, "--full")
    for text in ("median error", "confidence C", "Cannot be launched by", "even_batch.require"):
        assert text in short
        assert text in full
    for text in ("nodes 1,024 of 1,024", "_total  "):
        assert text not in short
        assert text in full


def test_a_pipe_has_no_width(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not printed to a terminal is not wrapped: the verdict stays one line."""
    monkeypatch.delenv("COLUMNS", raising=False)
    outcome = CliRunner().invoke(app, ["solve", str(TUTORIAL)])
    assert "48 designs in" in outcome.stdout.splitlines()[0]
    assert "by cp-sat" in outcome.stdout.splitlines()[0]


def test_solve_json_is_the_result() -> None:
    """With --json the output is the result for programs, and nothing else."""
    status, output, _ = run("solve", TUTORIAL, "--json", "--method", "exhaustive")
    found = json.loads(output)
    best = load(TUTORIAL).solve(method="exhaustive")
    assert status == 0
    assert found["status"] == "OPTIMAL"
    assert found["best_params"] == dict(best.best_params)
    assert found["best_objective"] == best.best_objective


def test_infeasible_ends_with_3() -> None:
    """A proof that nothing fits is told with its conflict and the best reachable value."""
    status, output, _ = run("solve", STRICT)
    assert status == 3
    assert output.startswith("INFEASIBLE")
    assert "step_latency_total <= 50 ms" in output
    assert "best reachable" in output


def test_no_answer_ends_with_4() -> None:
    """A limit that comes before the first design ends with 4."""
    status, output, _ = run("solve", TUTORIAL, "--method", "exhaustive", "--time-limit", 1e-9)
    assert status == 4
    assert output.startswith("UNKNOWN")


def test_check_agrees() -> None:
    """A file whose expectation holds is checked with status 0."""
    status, output, _ = run("check", TUTORIAL, STRICT)
    assert status == 0
    assert output.count("agrees") == 2


def test_check_takes_folders() -> None:
    """A folder stands for the question files in it."""
    status, output, _ = run("check", STRICT.parent)
    assert status == 0
    assert output.count("agrees") == len(list(STRICT.parent.glob("*.toml")))


@pytest.mark.parametrize(
    ("written", "instead", "told"),
    [
        ("objective = ", "objective = 1e3 # ", "expected.objective: 1000.0, but"),
        ('status = "OPTIMAL"', 'status = "INFEASIBLE"', "expected.status: INFEASIBLE, but"),
        ("tp = 8", "tp = 4", "expected.parameters: batch_size=128, tp=4"),
    ],
)
def test_check_tells_what_differs(written: str, instead: str, told: str, tmp_path: Path) -> None:
    """An expectation that does not hold ends with 1 and says what was found."""
    head, mark, expected = TUTORIAL.read_text(encoding="utf-8").partition("[expected]")
    assert written in expected
    file = tmp_path / "question.toml"
    file.write_text(head + mark + expected.replace(written, instead), encoding="utf-8")
    status, output, _ = run("check", file)
    assert status == 1
    assert "differs" in output
    assert told in output


def test_check_goes_on_after_a_bad_file(tmp_path: Path) -> None:
    """A bad file among good ones is reported, the others are checked, and the status is 2."""
    status, output, errors = run("check", tmp_path / "none.toml", TUTORIAL)
    assert status == 2
    assert "none.toml: cannot be read" in errors
    assert output.count("agrees") == 1


def test_explain_says_what_a_design_meets() -> None:
    """The best design is explained by the requirements that it meets and their room."""
    status, output, _ = run("explain", TUTORIAL, "--full")
    assert status == 0
    assert "Also met by DistributedModel: nodes 1,024 of 1,024" in output
    best = load(TUTORIAL).solve().best_result["DistributedModel"]
    assert f"memory {number(best.memory_per_accelerator.m_as('GB'))} GB of" in output


def test_explain_says_why_nothing_fits() -> None:
    """An infeasible question is explained by its conflict and the planner's own reason."""
    status, output, _ = run("explain", STRICT)
    assert status == 3
    assert load(STRICT).reasons["sla"] in output


def test_list_shows_the_catalogue() -> None:
    """All kinds are listed, or one of them."""
    status, output, _ = run("list")
    assert status == 0
    assert "Systems.Accelerators" in output
    assert "Llama3_70B" in output
    status, output, _ = run("list", "accelerators")
    assert status == 0
    assert "H100_SXM" in output
    assert "Llama3_70B" not in output


def test_list_refuses_an_unknown_kind() -> None:
    """A kind that does not exist ends with 2 and the nearest ones."""
    status, _, errors = run("list", "acelerators")
    assert status == 2
    assert "did you mean 'accelerators'" in errors


def test_show_gives_figures_with_their_support() -> None:
    """A figure is shown with its unit, confidence and source."""
    status, output, _ = run("show", "H100_SXM")
    assert status == 0
    (line,) = [line for line in output.splitlines() if line.split()[:1] == ["memory_bandwidth"]]
    # 3.35 TB/s, as NVIDIA states it.
    assert line.split()[1:4] == ["3,350", "GB/s", "A"]
    # The last cell is the number of the source, which is listed below.
    source = Systems.Accelerators.H100_SXM.figures["memory_bandwidth"].source
    assert f"{line.split()[4]} {source}" in output.splitlines()


def test_show_refuses_an_unknown_name() -> None:
    """A name that does not exist ends with 2 and the nearest ones."""
    status, _, errors = run("show", "H100_SXN")
    assert status == 2
    assert "did you mean 'H100_SXM'" in errors


def test_no_command_prints_the_help() -> None:
    """Without a command the help is shown, with the meaning of the statuses."""
    _, output, errors = run()
    assert "3 proven infeasible" in output + errors


def test_methods_are_those_of_the_library() -> None:
    """The command offers the methods that a search knows: they are one list."""
    status, output, _ = run("solve", "--help")
    assert status == 0
    assert "|".join(dse.Method) in output
