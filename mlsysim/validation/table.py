"""Reading a CSV file of measured runs into rows of text cells.

Columns that nobody asks for are left alone, so that a file may carry whatever
else its owner wants to keep; they are told.
"""

import csv
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from mlsysim.errors import MeasurementError, suggest
from mlsysim.textfiles import read_text
from mlsysim.validation.cells import RowCells

# Owners may keep columns of their own: only what is nearly one of ours is taken for it.
_CLOSE = 0.75


@dataclass(frozen=True, kw_only=True)
class MeasuredTable:
    """A file of measured runs.

    Parameters
    ----------
    file
        The file, for messages.
    columns
        Its header.
    rows
        Its rows; blank lines are left out.
    """

    file: str
    columns: tuple[str, ...]
    rows: tuple[RowCells, ...]

    @property
    def collected(self) -> bool:
        """Whether this is a collection of published figures, in the words of their sources.

        Such files have a column ``confidence``, which says what a source leaves open.
        """
        return "confidence" in self.columns

    def unknown(self, known: Collection[str]) -> tuple[str, ...]:
        """Phrase which columns are not among those known, each with the nearest one that is."""
        from difflib import get_close_matches  # noqa: PLC0415 - only a mistake needs it

        said = []
        for name in self.columns:
            if name and name not in known:
                near = get_close_matches(name, known, 1, _CLOSE)
                meant = f"; did you mean {near[0]!r}?" if near else ""
                said.append(f"column {name!r} is not known and not read{meant}")
        return tuple(said)

    def require(self, columns: tuple[str, ...]) -> None:
        """Refuse a file that lacks a column.

        Raises
        ------
        MeasurementError
            If it does; the message tells the nearest one that it has.
        """
        for column in columns:
            if column not in self.columns:
                raise MeasurementError(
                    f"{self.file}: the header has no column {column!r}"
                    f"{suggest(column, self.columns)}; the columns are described in"
                    " mlsysim/validation/measured/README.md"
                )


def read_table(path: str | Path) -> MeasuredTable:
    """Read a CSV file with a header.

    Raises
    ------
    MeasurementError
        If the file cannot be read, is no UTF-8 text, has no rows, names a
        column twice, or a row has more cells than the header.
    """
    file = str(path)
    text = read_text(Path(path), MeasurementError, "give the path of a CSV file")
    reader = csv.reader(text.splitlines(keepends=True), strict=True)
    try:
        columns = tuple(name.strip() for name in next(reader, []))
        _check_header(file, columns)
        rows = tuple(
            _cells(file, reader.line_num, columns, row)
            for row in reader
            if any(cell.strip() for cell in row)
        )
    except csv.Error as error:
        raise MeasurementError(
            f"{file}: line {reader.line_num}: is not CSV ({error}); save it as CSV"
        ) from None
    if not rows:
        raise MeasurementError(f"{file}: has no rows; write one line per measured run")
    return MeasuredTable(file=file, columns=columns, rows=rows)


def _check_header(file: str, columns: tuple[str, ...]) -> None:
    if not any(columns):
        raise MeasurementError(
            f"{file}: is empty; begin with a line of column names: id,accelerator,n_accel,..."
        )
    for name in columns:
        if name and columns.count(name) > 1:
            raise MeasurementError(f"{file}: the header names {name!r} twice; rename one of them")


def _cells(file: str, line: int, columns: tuple[str, ...], row: list[str]) -> RowCells:
    if len(row) > len(columns):
        raise MeasurementError(
            f"{file}: row {row[0] or f'line {line}'}: has {len(row)} cells, but the header names"
            f" {len(columns)} columns; put quotes around a cell that contains a comma"
        )
    texts = {name: cell.strip() for name, cell in zip(columns, row, strict=False)}
    return RowCells(file=file, line=line, texts=texts)
