"""Make the measured runs of the package from what their sources say.

From the root of the repository::

    python -m tests.measured.normalise RAW.csv OUT.csv

reads a collection of published training or serving figures, in the words of
their sources, and writes one named column for each fact, in closed vocabularies
(`mlsysim/validation/measured/README.md`).  All reading between the lines is
here; the package reads columns.  A word that is not known ends it.  The
package's own files are made of those in ``tests/measured/raw``, and a test
compares them.
"""

import argparse
import csv
import sys
from collections.abc import Sequence
from pathlib import Path

# The folder of the tests is where the tests import from, too.
sys.path.insert(0, str(Path(__file__).parents[1]))

from measured import serving, training
from measured.writing import Row, as_csv


def normalised(raw: Path) -> str:
    """Give the text of the normalised file."""
    with raw.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    if "isl" in rows[0]:
        return as_csv((serving.serving_row(row) for row in rows), serving.COLUMNS)
    recipes = recipes_beside(raw)
    return as_csv(
        (training.training_row(row, recipes.get(row["id"].strip(), {})) for row in rows),
        training.COLUMNS,
    )


def recipes_beside(raw: Path) -> dict[str, Row]:
    """Read what pages of figures leave to the recipes that made them, by the name of the row."""
    path = raw.with_name("recipes.csv")
    if not path.exists():
        return {}
    with path.open(encoding="utf-8", newline="") as file:
        return {row["id"]: row for row in csv.DictReader(file)}


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line and write the file."""
    parser = argparse.ArgumentParser(prog="python -m tests.measured.normalise")
    parser.add_argument("raw", type=Path)
    parser.add_argument("out", type=Path)
    chosen = parser.parse_args(arguments)
    chosen.out.write_text(normalised(chosen.raw), encoding="utf-8")


if __name__ == "__main__":
    main()
