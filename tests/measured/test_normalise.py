"""The package's measured runs: made of the raw files, and free of what prose says."""

import csv
import random
from pathlib import Path

import pytest
from measured.normalise import normalised
from measured.prose import says
from measured.training import training_row

from mlsysim.validation.datasets import outcomes_of_file
from mlsysim.validation.measured import SERVING, TRAINING, path_of
from mlsysim.validation.outcome import Outcome
from mlsysim.validation.report import report_of

RAW = Path(__file__).parent / "raw"
# What readers alone look at: in our files, and in those of sources.
PROSE = ("source", "locator", "remarks", "tier", "framework", "framework_version", "iter_time_s",
         "tokens_s_gpu", "tflops_gpu", "mfu_pct", "hfu_pct")  # fmt: skip
RAW_PROSE = ("source", "locator", "confidence", "dims_source", "tier")


def rows_of(path: Path) -> list[dict[str, str]]:
    """Read a file as text."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("name", [TRAINING, SERVING])
def test_the_files_of_the_package_are_made_of_the_raw_ones(name: str) -> None:
    """Byte for byte: nobody wrote into them by hand."""
    assert normalised(RAW / name) == Path(path_of(name)).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", [TRAINING, SERVING])
def test_no_figure_of_a_source_is_lost(name: str) -> None:
    """Every row is there, with what was measured."""
    raw, ours = rows_of(RAW / name), rows_of(Path(path_of(name)))
    assert [row["id"].strip() for row in raw] == [row["id"] for row in ours]
    for column in ("value", "n_accel", "source", "locator"):
        assert [row[column] for row in raw] == [row[column] for row in ours]


@pytest.mark.parametrize(
    ("path", "columns"),
    [(Path(path_of(TRAINING)), PROSE), (Path(path_of(SERVING)), PROSE),
     (RAW / TRAINING, RAW_PROSE), (RAW / SERVING, RAW_PROSE)],
    ids=["training", "serving", "raw training", "raw serving"],
)  # fmt: skip
def test_predictions_depend_on_named_columns_alone(
    tmp_path: Path, path: Path, columns: tuple[str, ...]
) -> None:
    """Prose that changes hands, or says the opposite, moves no prediction."""
    rows = rows_of(path)[::3]
    known = [(found.predicted, found.memory_predicted) for found in _outcomes(rows, tmp_path)]
    for change in (_shuffled, _denied):
        changed = change(rows, [column for column in columns if column in rows[0]])
        found = [(one.predicted, one.memory_predicted) for one in _outcomes(changed, tmp_path)]
        assert found == known


def _outcomes(rows: list[dict[str, str]], folder: Path) -> tuple[Outcome, ...]:
    path = folder / "rows.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return outcomes_of_file(path)


def _shuffled(rows: list[dict[str, str]], columns: list[str]) -> list[dict[str, str]]:
    lot = random.Random(0)  # noqa: S311 - nothing is kept secret
    changed = [dict(row) for row in rows]
    for column in columns:
        cells = [row[column] for row in rows]
        lot.shuffle(cells)
        for row, cell in zip(changed, cells, strict=True):
            row[column] = cell
    return changed


def _denied(rows: list[dict[str, str]], columns: list[str]) -> list[dict[str, str]]:
    said = "no CPU offload was used; no Liger kernel; DeepSpeed; torchtitan; bigscience; 2019; fp8"
    return [row | dict.fromkeys(columns, said) for row in rows]


@pytest.mark.parametrize(
    ("remark", "column", "told"),
    [
        ("high; optimizer (AdamW) on CPU", "optimizer_offload", True),
        ("high; no CPU offload was used", "optimizer_offload", None),
        ("high; ZeRO-2, without optimizer offload", "optimizer_offload", None),
        ("high; Liger kernel", "fused_loss", True),
        ("high; memory 80 GiB with Liger (99 without)", "fused_loss", True),
        ("high; no Liger kernel was used", "fused_loss", None),
        ("high; EP overlap, HybridEP", "overlap", "all"),
        ("high; no overlap; HybridEP", "overlap", "none"),
        ("high; gradient all-reduce NOT overlapped", "overlap", "none"),
        ("high; full CUDA graph", "graphs", "full"),
        ("high; no CUDA graphs", "graphs", "none"),
        ("high; DeepEP, partial CG", "dispatcher", "deepep"),
        ("medium; around 32 seconds", "certainty", "medium"),
    ],
)
def test_a_remark_that_denies_is_no_statement(remark: str, column: str, told: object) -> None:
    """What a source lacks is not switched on by its being named."""
    row = rows_of(RAW / TRAINING)[0] | {"source": "somebody", "group": "g", "confidence": remark}
    assert (training_row(row).get(column) or None) == told


def test_recipes_tell_what_their_pages_do_not() -> None:
    """Each is of a row that there is, and says no other than the page where both speak."""
    rows = {row["id"].strip(): row for row in rows_of(RAW / TRAINING)}
    ours = {row["id"]: row for row in rows_of(Path(path_of(TRAINING)))}
    for recipe in rows_of(RAW / "recipes.csv"):
        alone, row = training_row(rows[recipe["id"]]), ours[recipe["id"]]
        for name in ("graphs", "dispatcher", "overlap"):
            if recipe[name]:
                assert row[name] == recipe[name]
                assert alone[name] in {"", recipe[name]} or recipe["id"] == MISREAD
        assert recipe["recipe"]


MISREAD = "dsv3-gb200-baseline"
"""Its remark names what the same stack reached later."""


def test_denials_end_with_their_clause() -> None:
    """A negation before a semicolon says nothing of what follows."""
    assert says("no offload; Liger kernel", "liger")
    assert not says("without the use of Liger", "liger")


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"precision": "quick"}, "precision is 'quick'; the words known are"),
        ({"recompute": "sometimes"}, "recompute is 'sometimes'"),
        ({"unit": "furlongs"}, "unit is 'furlongs'"),
    ],
)
def test_a_word_that_is_not_known_ends_it(change: dict[str, str], complaint: str) -> None:
    """The raw file is ours to mend."""
    with pytest.raises(ValueError, match=complaint):
        training_row(rows_of(RAW / TRAINING)[0] | change)


@pytest.mark.parametrize(("name", "most"), [(TRAINING, 0.16), (SERVING, 0.15)])
def test_raw_files_are_predicted_as_well_but_for_their_remarks(name: str, most: float) -> None:
    """Files in the words of sources stay readable; no row of them is lost."""
    raw, ours = report_of(RAW / name), report_of(path_of(name))
    assert raw.unread == ours.unread == ()  # no column is misspelt
    assert raw.total.skipped == ours.total.skipped
    assert raw.total.errors is not None
    assert raw.total.errors.mean <= most
