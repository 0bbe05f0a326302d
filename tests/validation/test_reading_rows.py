"""Files of measured runs: what is read, what is unknown, and what is refused."""

from pathlib import Path

import pytest

from mlsysim.errors import MeasurementError
from mlsysim.validation.conversion import Configuration, Skipped, convert
from mlsysim.validation.datasets import unread_columns
from mlsysim.validation.table import read_table
from mlsysim.validation.training_row import TrainingRow, read_training
from mlsysim.validation.vocabulary import Timed, Unit

HEADER = "id,accelerator,n_accel,model,layers,hidden,heads,gbs,tp,seq_parallel,mem_gb,unit,value"
GOOD = "a,H100,8,GPT-7B,32,4096,32,64,8,y,70.5,s,1.5"


def written(folder: Path, *lines: str) -> Path:
    """Write a CSV file."""
    path = folder / "runs.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def rows(folder: Path, *lines: str) -> tuple[TrainingRow, ...]:
    """Read the rows of a file."""
    return read_training(written(folder, *lines))


def test_a_good_row_is_read(tmp_path: Path) -> None:
    """Numbers become numbers, y and n truth values, and text stays text."""
    (row,) = rows(tmp_path, HEADER, GOOD)
    assert (row.id, row.accelerator, row.n_accel, row.layers) == ("a", "H100", 8, 32)
    assert (row.seq_parallel, row.mem_gb, row.unit, row.value) == (True, 70.5, Unit.SECONDS, 1.5)


def test_an_empty_cell_and_an_absent_column_are_unknown(tmp_path: Path) -> None:
    """Neither becomes a zero or a default."""
    (row,) = rows(tmp_path, HEADER, "a,H100,8,GPT-7B,,4096,32,64,,,,s,1.5")
    assert row.layers is row.tp is row.seq_parallel is row.mem_gb is None
    assert row.pp is None  # there is no such column
    assert row.recompute is None


def test_unknown_columns_blank_lines_and_a_mark_of_bytes_do_no_harm(tmp_path: Path) -> None:
    """What a spreadsheet adds is left alone; columns are told."""
    path = written(tmp_path, "\ufeff" + HEADER + ",weather", GOOD + ",fair", "", " , , ")
    (row,) = read_training(path)
    assert row.id == "a"
    assert unread_columns(read_table(path)) == ("column 'weather' is not known and not read",)


def test_a_misspelt_column_is_told_with_the_one_that_was_meant(tmp_path: Path) -> None:
    """It would leave a knob where it was otherwise."""
    path = written(tmp_path, HEADER + ",optimiser_offload", GOOD + ",y")
    (told,) = unread_columns(read_table(path))
    assert told.startswith("column 'optimiser_offload' is not known and not read; did you mean")
    assert "'optimizer_offload'" in told


def test_a_row_without_a_name_is_called_by_its_line(tmp_path: Path) -> None:
    """Messages and results need some name."""
    (row,) = rows(tmp_path, HEADER, GOOD.replace("a,", ",", 1))
    assert row.id == "line 2"


@pytest.mark.parametrize(
    ("column", "cell", "cure"),
    [
        ("n_accel", "eight", "write a plain number such as 1536, without unit or separators"),
        ("n_accel", "0", "write a whole number from 1 on"),
        ("layers", "32.5", "write a whole number from 1 on"),
        ("hidden", '"4,096"', "write a plain number such as 4096"),
        ("heads", "-32", "write a finite number that is not negative"),
        ("gbs", "64 sequences", "write a plain number such as 1536"),
        ("tp", "inf", "write a finite number that is not negative"),
        ("tp", "nan", "write a finite number that is not negative"),
        ("seq_parallel", "maybe", "write y or n"),
        ("mem_gb", "70GB", "write a plain number such as 1536"),
        ("value", "0", "write a number above zero"),
        ("value", "1.5 s", "write a plain number such as 1536"),
        ("unit", "furlongs", "the words known are '% HFU', '% MFU', 'GPU-hours/Ttoken'"),
        ("recompute", "sometimes", "the words known are 'alternate', 'full', 'none'"),
        ("precision", "quick", "the words known are 'bf16', 'fp16', 'fp32'"),
        ("zero_stage", "some", "the words known are '0', '1', '2', '3'"),
        ("overlap", "al", "the words known are 'all', 'data', 'none'; did you mean 'all'?"),
    ],
)
def test_a_bad_cell_names_file_row_column_and_cure(
    tmp_path: Path, column: str, cell: str, cure: str
) -> None:
    """An error that a user can act on without reading code."""
    cells = dict(zip(HEADER.split(","), GOOD.split(","), strict=True)) | {column: cell}
    path = written(tmp_path, ",".join(cells), ",".join(cells.values()))
    with pytest.raises(MeasurementError) as caught:
        read_training(path)
    said = cell.strip('"')
    assert str(caught.value).startswith(f"{path}: row a: {column} is {said!r}; {cure}")
    assert str(caught.value).endswith("or leave the cell empty where it is not known")


def test_a_word_of_a_source_that_is_not_known_skips_its_row_alone(tmp_path: Path) -> None:
    """Collections have a column of confidence; the reason lists the words all the same."""
    lines = [HEADER + ",recompute,confidence", GOOD + ",now and then,high", GOOD + ",full,low"]
    bad, good = rows(tmp_path, *lines)
    assert bad.unread.startswith("recompute is 'now and then'; the words known are 'alternate'")
    skipped = convert(bad)
    assert isinstance(skipped, Skipped)
    assert skipped.reason == bad.unread
    assert good.unread == ""
    assert isinstance(convert(good), Configuration)


def test_what_a_row_can_do_without_is_noted(tmp_path: Path) -> None:
    """A metric of a source that nobody knows is taken for a step."""
    lines = [HEADER + ",metric,confidence", GOOD + ",how fast it went,high"]
    found = convert(rows(tmp_path, *lines)[0])
    assert isinstance(found, Configuration)
    assert found.metric is Timed.STEP
    assert "metric 'how fast it went' is not known" in found.notes


def test_a_convention_that_is_not_known_is_noted_where_it_counts(tmp_path: Path) -> None:
    """A step time needs none; of TFLOP/s the whole square of attention is supposed."""
    header, said = HEADER + ",flops_convention,confidence", ",counted on the fingers,high"
    time, rate = rows(tmp_path, header, GOOD + said, GOOD.replace(",s,", ",TFLOP/s/GPU,") + said)
    noted = "flops_convention 'counted on the fingers' is not known"
    for row, expected in ((time, False), (rate, True)):
        found = convert(row)
        assert isinstance(found, Configuration)
        assert (noted in found.notes) is expected
    header = HEADER + ",flops_convention"
    with pytest.raises(MeasurementError, match="the words known are 'all_parameters', 'causal'"):
        rows(tmp_path, header, GOOD + ",causl")


@pytest.mark.parametrize(
    ("lines", "complaint"),
    [
        ([""], "is empty; begin with a line of column names"),
        ([HEADER], "has no rows; write one line per measured run"),
        (
            [HEADER.replace("n_accel", "n_acel"), GOOD],
            "the header has no column 'n_accel'; did you mean 'n_acel'",
        ),
        ([HEADER + ",tp", GOOD + ",8"], "the header names 'tp' twice; rename one of them"),
        (
            [HEADER, GOOD + ",one,more"],
            "row a: has 15 cells, but the header names 13 columns; put quotes around",
        ),
    ],
)
def test_a_bad_file_says_what_to_do(tmp_path: Path, lines: list[str], complaint: str) -> None:
    """The file is named first, then what is wrong, then the cure."""
    path = written(tmp_path, *lines)
    with pytest.raises(MeasurementError) as caught:
        read_training(path)
    assert str(caught.value).startswith(f"{path}: {complaint}")


def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    """A spreadsheet in its own format is not CSV, and a missing file is no file."""
    path = tmp_path / "runs.xlsx"
    path.write_bytes(b"PK\x03\x04\xff\xfe")
    with pytest.raises(MeasurementError, match=r"is not UTF-8 text: .*; save it in UTF-8"):
        read_table(path)
    with pytest.raises(MeasurementError, match=r"cannot be read: .*; give the path of a CSV file"):
        read_table(tmp_path / "absent.csv")


def test_an_open_quote_does_not_swallow_the_rest(tmp_path: Path) -> None:
    """A quote that never ends would make one cell of all the rows that follow."""
    path = written(tmp_path, HEADER, '"' + GOOD, GOOD)
    with pytest.raises(MeasurementError, match=r"line 3: is not CSV .*; save it as CSV"):
        read_training(path)
