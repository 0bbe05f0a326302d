"""``mlsysim validate``: tables, JSON, pictures, fits, and the statuses it ends with."""

import json
import math
import tomllib
from collections import Counter
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mlsysim.catalog import load_catalog
from mlsysim.cli.app import app
from mlsysim.core.solver import DistributedModel
from mlsysim.validation.calibrate_runs import predictable
from mlsysim.validation.conversion import Configuration
from mlsysim.validation.fitting import fit_rows
from mlsysim.validation.measured import SERVING, TRAINING, path_of, training_rows
from mlsysim.validation.prediction import measured_time, predict, predicted_time
from mlsysim.validation.training_row import read_training

KEYS = [
    "id", "group", "accelerator", "unit", "measured", "predicted", "error", "ln_error",
    "memory_measured", "memory_predicted", "skipped",
]  # fmt: skip


def run(*arguments: object) -> tuple[int, str, str]:
    """Run the command; give its status, output and errors."""
    outcome = CliRunner(env={"COLUMNS": "200"}).invoke(
        app, ["validate", *(str(item) for item in arguments)]
    )
    return outcome.exit_code, outcome.stdout, outcome.stderr


@pytest.fixture
def few(tmp_path: Path) -> Path:
    """Copy some of the package's rows: two sources, and one row that lacks its batch."""
    lines = Path(path_of(TRAINING)).read_text(encoding="utf-8").splitlines()
    chosen = [line for line in lines if line.startswith(("id,", "nar21-t1", "deepseek-v3-h800"))]
    path = tmp_path / "few.csv"
    path.write_text("\n".join(chosen) + "\n", encoding="utf-8")
    return path


def test_json_has_the_rows_and_their_keys(few: Path) -> None:
    """A row per row, in order, with these keys and no other; errors are signed fractions."""
    status, output, errors = run(few, "--json")
    assert (status, errors) == (0, "")
    answer = json.loads(output)
    assert list(answer) == ["rows", "summary"]
    assert [row["id"] for row in answer["rows"]] == [row.id for row in read_training(few)]
    for row in answer["rows"]:
        assert list(row) == KEYS
        if row["skipped"] is None:
            assert row["error"] == pytest.approx(row["predicted"] / row["measured"] - 1)
        else:
            assert row["predicted"] is row["error"] is row["memory_predicted"] is None
    summary = answer["summary"]
    assert (summary["rows"], summary["skipped"], summary["predicted"]) == (10, 1, 9)
    assert list(summary["reasons"].values()) == [1]
    assert summary["groups"]["narayanan21_t1"]["error"]["rows"] == 9
    assert summary["kind"] == "training"


def test_tables_show_groups_accelerators_and_reasons(few: Path) -> None:
    """What was skipped is said, with the reason."""
    status, output, _ = run(few)
    assert status == 0
    assert "10 training runs, 9 predicted, 1 skipped" in output
    assert "narayanan21_t1" in output
    assert "A100_80GB_SXM" in output
    assert "skipped 1: gbs is missing" in output


def test_serving_rows_are_told_by_their_columns(tmp_path: Path) -> None:
    """They carry latencies beside what every row has."""
    lines = Path(path_of(SERVING)).read_text(encoding="utf-8").splitlines()
    path = tmp_path / "serving.csv"
    path.write_text("\n".join(lines[:3]) + "\n", encoding="utf-8")
    status, output, _ = run(path, "--json")
    assert status == 0
    answer = json.loads(output)
    assert answer["summary"]["kind"] == "serving"
    latencies = {"ttft_ms", "tpot_ms", "ttft_ms_predicted", "tpot_ms_predicted"}
    for row in answer["rows"]:
        assert set(row) == {*KEYS, *latencies}


def test_bad_input_ends_with_one_line_and_status_2(tmp_path: Path) -> None:
    """The line names the file, the row and the column."""
    path = tmp_path / "bad.csv"
    path.write_text("id,accelerator,n_accel,unit,value\nx,H100,many,s,1\n", encoding="utf-8")
    status, output, errors = run(path, "--json")
    assert (status, output) == (2, "")
    assert errors.count("\n") == 1
    assert f"{path}: row x: n_accel is 'many'" in errors
    assert run(tmp_path / "absent.csv")[0] == 2
    assert run(path, "--plot", tmp_path / "picture.docx")[0] == 2


def test_columns_that_are_not_known_are_told_beside_the_answer(tmp_path: Path) -> None:
    """On standard error, with what was meant; the answer is the same as without."""
    path = tmp_path / "mine.csv"
    path.write_text(
        "id,accelerator,n_accel,model,gbs,tp,unit,value,recomput\nx,H100,8,Llama3-8B,8,1,s,1,full\n",
        encoding="utf-8",
    )
    status, output, errors = run(path, "--json")
    assert status == 0
    assert json.loads(output)["summary"]["predicted"] == 1
    assert errors.count("\n") == 1
    assert (
        f"{path}: column 'recomput' is not known and not read; did you mean 'recompute'" in errors
    )


def test_a_picture_is_drawn(few: Path, tmp_path: Path) -> None:
    """The file holds a picture."""
    pytest.importorskip("matplotlib")
    picture = tmp_path / "errors.png"
    status, _, errors = run(few, "--plot", picture)
    assert (status, errors) == (0, "")
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_few_rows_are_told_one_by_one_and_of_many_the_worst(few: Path, tmp_path: Path) -> None:
    """With the logarithm of their error, and what the predicted time consists of."""
    _, output, _ = run(few)
    lines = output.partition("row by row")[2].splitlines()
    rows = [line for line in lines if line.strip().startswith("narayanan21_t1: nar21")]
    assert len(rows) == 9
    assert all("compute" in row for row in rows)
    status, told, _ = run(few, "--json")
    for row in json.loads(told)["rows"]:
        if row["error"] is not None:
            assert row["ln_error"] == pytest.approx(math.log(row["predicted"] / row["measured"]))
    many = tmp_path / "many.csv"
    many.write_text(
        "\n".join(Path(path_of(SERVING)).read_text(encoding="utf-8").splitlines()[:50]) + "\n",
        encoding="utf-8",
    )
    status, output, _ = run(many)
    assert status == 0
    assert "row by row" not in output
    assert len(output.partition("the worst rows")[2].splitlines()) == 7


def test_a_file_of_which_no_row_is_predicted_fails(tmp_path: Path) -> None:
    """With status 1: a check of nothing is no check that passed."""
    path = tmp_path / "mine.csv"
    path.write_text(
        "id,accelerator,n_accel,model,gbs,tp,unit,value\nx,Abacus,8,Llama3-8B,8,1,s,1\n",
        encoding="utf-8",
    )
    status, output, errors = run(path)
    assert status == 1
    assert "skipped 1" in output
    assert "no row was predicted: the catalogue has no accelerator 'Abacus'" in errors
    assert run(path, "--json")[0] == 1


def test_a_layout_of_more_accelerators_than_there_are_is_skipped(tmp_path: Path) -> None:
    """It would be predicted as one replica on hardware that the row does not have."""
    path = tmp_path / "mine.csv"
    path.write_text(
        "id,accelerator,n_accel,model,gbs,tp,pp,unit,value\nx,H100,8,Llama3-8B,8,4,4,s,1\n",
        encoding="utf-8",
    )
    status, output, _ = run(path)
    assert status == 1
    assert "skipped 1: tp, pp and cp take 16 accelerators, and n_accel is 8" in output


def test_each_source_can_be_left_out(tmp_path: Path) -> None:
    """It is predicted by what is fitted to the others; one source alone cannot be left out."""
    lines = Path(path_of(TRAINING)).read_text(encoding="utf-8").splitlines()
    chosen = [line for line in lines if line.startswith(("id,", "nar21-t1", "kor22"))]
    path = tmp_path / "two.csv"
    path.write_text("\n".join(chosen) + "\n", encoding="utf-8")
    status, output, errors = run(path, "--leave-out", "source")
    assert (status, errors) == (0, "")
    assert "by class, each source left out" in " ".join(output.split())
    assert "narayanan21_t1" in output
    status, output, _ = run(path, "--leave-out", "source", "--json")
    found = {(one["id"], one["quantity"]): one for one in json.loads(output)}
    assert len(found) == len(chosen) - 1
    assert any(one["fitted"] != one["left_out"] for one in found.values())
    alone = tmp_path / "one.csv"
    alone.write_text(
        "\n".join(line for line in chosen if not line.startswith("kor22")), encoding="utf-8"
    )
    status, _, errors = run(alone, "--leave-out", "source")
    assert status == 2
    assert "to leave a source out takes two" in errors


@pytest.mark.parametrize("group", ["dgxc", "torchtitan", "bigscience", "mlperf_gpt3"])
def test_half_of_a_source_improves_the_predictions_of_the_other(group: str) -> None:
    """What a user measured on a cluster tells of the rest that is measured there."""
    known = [row for row in predictable(training_rows()) if row.row.group == group]
    accelerator = Counter(row.cluster.accelerator.name for row in known).most_common(1)[0][0]
    rows = [row for row in known if row.cluster.accelerator.name == accelerator]

    def error(held: list[Configuration], stage: DistributedModel) -> float:
        off = [predicted_time(row, stage) / measured_time(row) for row in held]
        return sum(abs(math.log(one)) for one in off) / len(off)

    before = after = 0.0
    for half in (0, 1):
        fit = fit_rows(rows[half::2], "half")
        before += error(rows[1 - half :: 2], DistributedModel())
        after += error(rows[1 - half :: 2], DistributedModel(calibration=fit.calibration))
        assert all(0 < one < 1 for one in fit.errors.values())
    assert after < before


def test_fitted_constants_can_be_read_and_used(few: Path, tmp_path: Path) -> None:
    """The file is a catalogue; with its constants the error is no larger than before."""
    target = tmp_path / "mine.toml"
    status, output, errors = run(few, "--fit", target)
    assert (status, errors) == (0, "")
    assert "DistributedModel(calibration=mine.A100_80GB_SXM_fitted)" in output
    assert tomllib.loads(target.read_text(encoding="utf-8"))
    assert "±" in output
    calibration = load_catalog(target).calibrations["A100_80GB_SXM_fitted"]
    rows = [row for row in read_training(few) if row.group == "narayanan21_t1"]

    def error(stage: DistributedModel | None) -> float:
        found = [predict(row, stage).error for row in rows]
        return sum(abs(one) for one in found if one is not None) / len(rows)

    # what is fitted is the logarithm, which the mean error follows but for large errors
    assert error(DistributedModel(calibration=calibration)) <= error(None) * 1.02


def test_fitting_needs_enough_rows(few: Path, tmp_path: Path) -> None:
    """One row would be matched, not fitted; a target that cannot be written is refused."""
    lines = few.read_text(encoding="utf-8").splitlines()
    short = tmp_path / "short.csv"
    short.write_text("\n".join(lines[:2]) + "\n", encoding="utf-8")
    status, _, errors = run(short, "--fit", "-")
    assert status == 2
    assert "--fit needs 3 rows of one accelerator" in errors
    assert run(few, "--fit", tmp_path / "no" / "folder.toml")[0] == 2
