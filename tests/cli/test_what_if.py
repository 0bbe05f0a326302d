"""``mlsysim evaluate``, ``explain --why-not`` and ``sweep``."""

import csv
import io
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mlsysim.cli.app import app
from mlsysim.files.question import load
from mlsysim.results.formatting import number

MODELS = Path(__file__).parents[2] / "models"
LAYOUTS = MODELS / "training" / "step_within_1s.toml"
TUTORIAL = MODELS / "training" / "tutorial.toml"
STRICT = MODELS / "infeasible" / "step_50ms.toml"


def run(*arguments: object) -> tuple[int, str, str]:
    """Run the command line; give its status, output and errors."""
    runner = CliRunner(env={"COLUMNS": "160"})
    outcome = runner.invoke(app, [str(item) for item in arguments])
    return outcome.exit_code, outcome.stdout, outcome.stderr


def test_a_design_that_fits_is_priced() -> None:
    """The best design, given, meets everything: status 0, the objective in the first line."""
    best = load(LAYOUTS).solve()
    settings = ",".join(f"{name}={value}" for name, value in best.best_params.items())
    status, output, _ = run("evaluate", LAYOUTS, "--set", settings)
    assert status == 0
    first = output.splitlines()[0]
    assert first.startswith("FEASIBLE")
    assert number(best.best_objective) in first


def test_a_design_that_does_not_fit_is_told_what_it_breaks() -> None:
    """One accelerator cannot hold the model: status 3, and by how much it is too small."""
    status, output, _ = run("evaluate", TUTORIAL, "--set", "tp=1", "--set", "pp=1")
    assert status == 3
    assert output.startswith("INFEASIBLE: ")
    assert "if it could exist" in output.splitlines()[0]
    assert "DistributedModel: memory: " in output.splitlines()[1]
    assert "off by" in output.splitlines()[1]
    assert "taken from the best design: batch_size=" in output


def test_an_arbitrary_value_can_be_tried() -> None:
    """A value outside the file's choices is priced, and said to be outside."""
    status, output, _ = run("evaluate", TUTORIAL, "--set", "tp=3")
    assert status == 3
    assert "tensor parallel divides heads: does not hold" in output
    assert "Not among the values of the space: tp=3." in output


def test_why_not_tells_the_price() -> None:
    """A forced choice that costs something is set beside the best design, part by part."""
    told = load(LAYOUTS).why_not({"tp": "4"})
    assert told.relative_loss is not None
    status, output, _ = run("explain", LAYOUTS, "--why-not", "tp=4")
    assert status == 0
    assert f"COSTS {100 * told.relative_loss:.1f} %: " in output
    assert "both proven" in output
    assert "time: compute [ms]" in output


def test_why_not_forces_arguments_of_models_too() -> None:
    """The forced answer is that of the file with the argument changed."""
    changed, _ = load(TUTORIAL).with_settings({"efficiency": "0.2"})
    told = load(TUTORIAL).why_not({"efficiency": "0.2", "pp": "1"})
    assert told.forced == {"pp": 1, "efficiency": 0.2}
    assert told.found.best_objective == changed.why_not({"pp": "1"}).found.best_objective
    assert told.found.best_objective < load(TUTORIAL).why_not({"pp": "1"}).found.best_objective
    _, output, _ = run("explain", TUTORIAL, "--why-not", "efficiency=0.2")
    assert "with efficiency=0.2, " in output


def test_why_not_tells_what_is_broken() -> None:
    """A forced choice that nothing fits with is explained by its conflict: status 3."""
    status, output, _ = run("explain", LAYOUTS, "--why-not", "tp=3")
    assert status == 3
    assert "INFEASIBLE: with tp=3" in output
    assert "tensor parallel divides heads" in output
    assert "Without it: maximize: " in output


def test_a_sweep_is_a_table_with_bars() -> None:
    """One row for each limit, in order; those without a design say so."""
    found = load(LAYOUTS).sweep({"step": ["1 ms", "1s", "2 s"]})
    status, output, _ = run("sweep", LAYOUTS, "--over", "step=1 ms,1s,2 s")
    assert status == 0
    rows = output.splitlines()[2:]
    assert [row.split()[:3] for row in rows[:1]] == [["1", "ms", "INFEASIBLE"]]
    for row, point in zip(rows[1:], found.points[1:], strict=True):
        assert number(point.result.best_objective) in row
    assert rows[2].count("█") == 24


def test_a_sweep_is_data_too() -> None:
    """JSON and CSV hold the objectives of the library's answer."""
    found = load(LAYOUTS).sweep({"step": ["1s", "2s"]})
    wanted = [point.result.best_objective for point in found.points]
    _, output, _ = run("sweep", LAYOUTS, "--over", "step=1s,2s", "--json")
    assert [point["best_objective"] for point in json.loads(output)["rungs"]] == wanted
    _, output, _ = run("sweep", LAYOUTS, "--over", "step=1s,2s", "--csv")
    header, *rows = csv.reader(io.StringIO(output))
    assert header[:2] == ["step", "status"]
    assert [float(row[2]) for row in rows] == wanted


def test_a_new_limit_can_be_swept() -> None:
    """A file without the constraint gets it, in the words of a constraint."""
    over = "DistributedModel.step_latency_total<=1ms,10 s"
    status, output, _ = run("sweep", TUTORIAL, "--over", over, "--csv")
    assert status == 0
    _, strict, loose = csv.reader(io.StringIO(output))
    assert strict[:2] == ["1ms", "INFEASIBLE"]
    assert loose[:2] == ["10 s", "OPTIMAL"]


def test_a_sweep_names_what_excludes_every_design() -> None:
    """Where nothing fits, the last column has the conflict; where something does, nothing."""
    _, output, _ = run("sweep", STRICT, "--over", "sla=1ms,10 s", "--csv")
    header, strict, loose = csv.reader(io.StringIO(output))
    assert header[-1] == "conflict"
    assert (strict[1], strict[-1]) == ("INFEASIBLE", "sla")
    assert (loose[1], loose[-1]) == ("OPTIMAL", "")


def test_a_sweep_without_any_design_ends_with_3() -> None:
    """Where no point has a design, that is proven for each."""
    assert run("sweep", STRICT, "--over", "sla=1ms,2ms")[0] == 3


def test_a_sweep_is_drawn(tmp_path: Path) -> None:
    """The curve is written as a picture."""
    pytest.importorskip("matplotlib", reason="pictures need the extra 'plot'")
    target = tmp_path / "curve.png"
    status, _, errors = run("sweep", LAYOUTS, "--over", "step=1 ms,1s,2 s", "--plot", target)
    assert (status, errors) == (0, "")
    assert target.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["evaluate", TUTORIAL, "--set", "tq=4"], "did you mean 'tp'"),
        (["evaluate", TUTORIAL, "--set", "tp"], "write a name and a value"),
        (["explain", TUTORIAL, "--why-not", "tq=4"], "did you mean 'tp'"),
        (["sweep", TUTORIAL, "--over", "batch=4"], "did you mean 'batch_size'"),
        (["sweep", TUTORIAL, "--over", "sla=4"], "tutorial.toml: 'sla' is no constraint"),
        (["sweep", TUTORIAL, "--over", "tp="], "write a name and values"),
        (["sweep", LAYOUTS, "--over", "step=5"], "write 'DistributedModel.step_latency_total <="),
        (["sweep", LAYOUTS, "--over", "step=1s", "--json", "--csv"], "drop one"),
    ],
)
def test_bad_settings_end_with_2(arguments: list[object], told: str) -> None:
    """What cannot be understood is told in one line with the cure."""
    status, output, errors = run(*arguments)
    assert (status, output) == (2, "")
    (line,) = errors.splitlines()
    assert told in line
