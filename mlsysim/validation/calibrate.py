"""Fit all constants of the catalogue again: ``python -m mlsysim.validation.calibrate``.

First come the end-to-end constants of families of accelerators, from the measured training runs,
and those of engines, from the serving runs, each with its relative standard error; then
the errors of the predictions by source and by class, each source left out of the fit in turn.
With ``--write`` the constants go into the data files of the catalogue, and the errors
into the table that the intervals of predictions come from; with ``--page`` they are told in the
documentation.

With ``--kernels KERNELS.csv`` it tells instead what kernels make of accelerators: rates and
overheads of matrix products, of memory, of links and of collectives.  The measured kernels are not
part of the package; they are in its repository, in ``tests/measured/kernels_measured.csv``.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from mlsysim.validation.accuracy_page import accuracy_page
from mlsysim.validation.calibrate_kernels import kernel_lines
from mlsysim.validation.calibrate_small_kernels import small_kernel_lines
from mlsysim.validation.constants_files import write_constants
from mlsysim.validation.error_table import class_of, error_table, write_error_table
from mlsysim.validation.left_out import Fitted, serving_fit, training_fit
from mlsysim.validation.left_out_tables import LeftOutLine, lines_by
from mlsysim.validation.measured import serving_rows, training_rows
from mlsysim.validation.table import read_table


def report(*, write: bool = False, page: Path | None = None) -> Iterator[str]:
    """Fit everything, and give the lines to tell."""
    fits = [training_fit(training_rows()), serving_fit(serving_rows())]
    for fit in fits:
        yield from _constants(fit)
    distances = [distance for fit in fits for distance in fit.distances]
    yield ""
    yield LeftOutLine.HEADER
    yield from map(str, lines_by(distances, lambda one: one.group))
    yield ""
    yield LeftOutLine.HEADER
    yield from map(str, lines_by(distances, lambda one: " ".join(class_of(one))))
    if write:
        for fit in fits:
            yield from (f"wrote {path}" for path in write_constants(fit))
        yield f"wrote {write_error_table(error_table(distances))}"
    if page is not None:
        text = accuracy_page(page.read_text(encoding="utf-8"), distances)
        page.write_text(text, encoding="utf-8")
        yield f"wrote {page}"


def _constants(fit: Fitted) -> Iterator[str]:
    for owner, name, value, error in fit.values():
        yield f"{owner or 'all':16s} {name:22s} {value:10.4g}  +- {100 * error:.0f} %"


def _kernels(path: Path) -> Iterator[str]:
    measured = read_table(path)
    yield "# mlsysim/catalog/data/accelerators.toml"
    yield from kernel_lines(measured)
    yield from small_kernel_lines(measured)


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line, fit, and write the lines."""
    parser = argparse.ArgumentParser(prog="python -m mlsysim.validation.calibrate")
    parser.add_argument("--kernels", type=Path, help="tell what these kernels make of accelerators")
    parser.add_argument("--write", action="store_true", help="write the data files of the package")
    parser.add_argument("--page", type=Path, help="write the tables of this page, too")
    chosen = parser.parse_args(arguments)
    if chosen.kernels is None:
        lines = report(write=chosen.write, page=chosen.page)
    else:
        lines = _kernels(chosen.kernels)
    for line in lines:
        sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    main()
