"""How far the package's models were from measured runs, as recorded for the first line of reports.

Predicting hundreds of runs takes seconds, so the figures are recorded, by
`mlsysim.report.recording`.
"""

import tomllib
from collections.abc import Mapping
from functools import cache
from typing import Any

from mlsysim.problem.verdict import members_of
from mlsysim.report.markup import asset

FILE = "accuracy.toml"
"""Model -> rows, median and p90 of the absolute errors; it stands beside this module."""


def accuracy_of(result: Any) -> tuple[str, ...]:
    """Say how exact the models are that evaluated a design, where that is recorded.

    Parameters
    ----------
    result
        The result of a pipeline: stages by name.
    """
    known = recorded()
    return tuple(f"{name}: {_text(known[name])}" for name, _ in members_of(result) if name in known)


@cache
def recorded() -> Mapping[str, Mapping[str, float]]:
    """Read the record: model -> rows, median and p90 of the absolute relative errors."""
    return tomllib.loads(asset(FILE))


def _text(figures: Mapping[str, float]) -> str:
    return (
        f"median error {100 * figures['median']:.1f} %, nine in ten within "
        f"{100 * figures['p90']:.0f} %, on {figures['rows']:,} measured runs,"
        " to which its constants are fitted"
    )
