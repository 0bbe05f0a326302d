"""Fit the constants of the catalogue again: ``python -m mlsysim.validation.calibrate KERNELS.csv``.

The measured kernels are not part of the package; they are in its repository, in
``tests/measured/kernels_measured.csv``.  First comes what kernels tell, for the data file of
accelerators: rates and overheads of matrix products, of memory, of links and of collectives.  Then,
for the data file of calibrations, three end-to-end constants per family of accelerators from the
measured training runs (save those of `CAME_LATER`), with the constants of kernels as the catalogue
has them.  With
``--cross-validate`` each group of runs is predicted by constants that were fitted
without it as well, which takes some minutes.
"""

import argparse
import statistics
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from mlsysim.core.solver import DistributedModel
from mlsysim.validation.calibrate_kernels import kernel_lines
from mlsysim.validation.calibrate_runs import (
    CONSTANTS,
    FamilyFit,
    families_of,
    fit_family,
    fitted_rows,
    refit_without,
)
from mlsysim.validation.calibrate_small_kernels import small_kernel_lines
from mlsysim.validation.conversion import Configuration
from mlsysim.validation.measured import training_rows
from mlsysim.validation.prediction import predict_configuration
from mlsysim.validation.table import read_table


def report(kernels: Path, *, cross_validate: bool = False) -> Iterator[str]:
    """Fit everything, and give the lines to tell."""
    yield "# mlsysim/catalog/data/accelerators.toml"
    measured = read_table(kernels)
    yield from kernel_lines(measured)
    yield from small_kernel_lines(measured)
    families = families_of(fitted_rows(training_rows()))
    fits = {name: fit_family(name, rows) for name, rows in families.items()}
    yield "\n# mlsysim/catalog/data/calibrations.toml"
    for name, fit in fits.items():
        yield f"[{name}]  # {fit.rows} training runs of {fit.groups} sources, loss {fit.loss:.4f}"
        yield from (f"{one} = {getattr(fit.calibration, one):.3f}" for one in CONSTANTS)
    yield "\n# absolute errors in the rows' own units"
    yield from _errors(families, fits, "as fitted")
    if cross_validate:
        yield from _errors(families, fits, "without its own group", held_out=True)


def _errors(
    families: Mapping[str, Sequence[Configuration]],
    fits: Mapping[str, FamilyFit],
    title: str,
    *,
    held_out: bool = False,
) -> Iterator[str]:
    """Tell the errors of dense models and of mixtures of experts."""
    kinds: dict[str, list[float]] = {"dense": [], "experts": []}
    for name, rows in families.items():
        for group in dict.fromkeys(row.row.group for row in rows):
            calibration = fits[name].calibration
            if held_out:
                calibration = refit_without(group, fits[name], rows)
            stage = DistributedModel(calibration=calibration)
            for row in rows:
                if row.row.group == group:
                    error = predict_configuration(row, stage).error or 0.0
                    kinds["experts" if row.model.experts else "dense"].append(abs(error))
    kinds["all"] = kinds["dense"] + kinds["experts"]
    for kind, errors in kinds.items():
        mean, median = statistics.fmean(errors), statistics.median(errors)
        yield f"{title}, {kind}: {len(errors)} rows, mean {mean:.1%}, median {median:.1%}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line, fit, and write the lines."""
    parser = argparse.ArgumentParser(prog="python -m mlsysim.validation.calibrate")
    parser.add_argument("kernels", type=Path)
    parser.add_argument("--cross-validate", action="store_true")
    chosen = parser.parse_args(arguments)
    for line in report(chosen.kernels, cross_validate=chosen.cross_validate):
        sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    main()
