"""Record how far the package's models are from measured runs, for the first line of reports.

After a change of the models,

    python -m mlsysim.report.recording

predicts all runs again and writes the record anew; a test compares.
"""

import sys
from pathlib import Path

from mlsysim.report.accuracy import FILE
from mlsysim.validation.measured import SERVING, TRAINING, path_of
from mlsysim.validation.report import report_of

MEASURED = {"DistributedModel": TRAINING, "ServingModel": SERVING}
"""Model -> the measured runs that it is compared with."""

_HEAD = "# Absolute errors against measured runs; written by python -m mlsysim.report.recording.\n"


def measure() -> dict[str, dict[str, float]]:
    """Predict all measured runs, and summarise the errors as they are recorded."""
    found = {}
    for name, file in MEASURED.items():
        errors = report_of(path_of(file)).total.errors
        if errors is not None:
            median, p90 = round(errors.median, 3), round(errors.p90, 3)
            found[name] = {"rows": errors.rows, "median": median, "p90": p90}
    return found


def main() -> None:
    """Write the record, and say where it is."""
    tables = (
        f"\n[{name}]\n" + "".join(f"{key} = {value}\n" for key, value in figures.items())
        for name, figures in measure().items()
    )
    target = Path(__file__).parent / "assets" / FILE
    target.write_text(_HEAD + "".join(tables), encoding="utf-8")
    sys.stdout.write(f"{target}\n")


if __name__ == "__main__":
    main()
