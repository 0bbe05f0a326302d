"""Cells of a raw file, and the file that is written of them."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence

Row = Mapping[str, str]


def whole(row: Row, column: str) -> int | None:
    """Read a whole number, or None from an empty cell."""
    return int(row[column]) if row.get(column) else None


def remarks(row: Row, columns: Sequence[str]) -> str:
    """Keep for readers what a source says of the run, and its own words where ours are others."""
    own = (f"{column}: {row[column]}" for column in columns if "(" in row[column])
    return "; ".join(part for part in (row["confidence"], *own) if part)


def as_csv(rows: Iterable[Mapping[str, object]], columns: Sequence[str]) -> str:
    """Write rows as CSV, leaving out columns of which no row says anything."""
    cells = [{name: _cell(row.get(name)) for name in columns} for row in rows]
    used = [name for name in columns if any(row[name] for row in cells)]
    text = io.StringIO()
    writer = csv.DictWriter(text, used, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    writer.writerows(cells)
    return text.getvalue()


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "y" if value else "n"
    return f"{value:.10g}" if isinstance(value, float) else str(value)
