"""Record how far the package's models are from measured runs, for the first line of reports.

After a change of the models,

    python -m mlsysim.report.recording

predicts all runs again and writes the record anew; a test compares.
"""

import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from mlsysim.report.accuracy import FILE, Kind, Measured
from mlsysim.stages.evidence import BASES
from mlsysim.validation.measured import NOT_FITTED, SERVING, TRAINING, path_of
from mlsysim.validation.outcome import Outcome
from mlsysim.validation.report import report_of
from mlsysim.validation.statistics import errors_of

MEASURED = (TRAINING, SERVING)
"""The measured runs that the models are compared with."""

_HEAD = (
    "# Absolute relative errors against measured runs, by model, family of accelerators and kind;\n"
    "# written by python -m mlsysim.report.recording.\n"
)


def measure() -> dict[Kind, Measured]:
    """Predict all measured runs, and summarise the errors by kind as they are recorded."""
    outcomes = [found for file in MEASURED for found in report_of(path_of(file)).outcomes]
    by_kind: dict[Kind, list[Outcome]] = {}
    for outcome in outcomes:
        for kind in _kinds(outcome):
            by_kind.setdefault(kind, []).append(outcome)
    return {kind: _summary(by_kind[kind]) for kind in sorted(by_kind)}


def _kinds(outcome: Outcome) -> Iterable[Kind]:
    """Name the kinds to which a run belongs: its model's, and that of the model inside it."""
    evidence = outcome.evidence
    if evidence is None or outcome.error is None:
        return []
    stages = dict.fromkeys([evidence.stage, BASES.get(evidence.stage, evidence.stage)])
    return [(stage, evidence.family, evidence.kind) for stage in stages]


def _summary(outcomes: list[Outcome]) -> Measured:
    errors = errors_of(outcome.error for outcome in outcomes if outcome.error is not None)
    if errors is None:
        raise ValueError("a kind without runs is not recorded")
    counted = Counter(outcome.hardware for outcome in outcomes)
    return Measured(
        rows=errors.rows,
        fitted=sum(outcome.group not in NOT_FITTED for outcome in outcomes),
        median=round(errors.median, 3),
        p90=round(errors.p90, 3),
        worst=round(errors.worst, 3),
        accelerators=dict(sorted(counted.items())),
    )


def main() -> None:
    """Write the record, and say where it is."""
    tables = (
        f'\n[[kinds]]\nstage = "{kind[0]}"\nfamily = "{kind[1]}"\nkind = "{kind[2]}"\n'
        f"rows = {found.rows}\nfitted = {found.fitted}\n"
        f"median = {found.median}\np90 = {found.p90}\n"
        f"worst = {found.worst}\naccelerators = {_inline(found)}\n"
        for kind, found in measure().items()
    )
    target = Path(__file__).parent / "assets" / FILE
    target.write_text(_HEAD + "".join(tables), encoding="utf-8")
    sys.stdout.write(f"{target}\n")


def _inline(found: Measured) -> str:
    return f"{{ {', '.join(f'{name} = {rows}' for name, rows in found.accelerators.items())} }}"


if __name__ == "__main__":
    main()
