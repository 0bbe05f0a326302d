"""Print the measurements as tables, and write them as JSON."""

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from benchmarks.contender import Contender
from benchmarks.ladder import Plan, Row
from benchmarks.measure import Measurement
from benchmarks.startup import Startup
from benchmarks.targets import targets
from rich.console import Console
from rich.table import Table

from mlsysim.distribution import NAME

_PACKAGES = (NAME, "ortools", "numpy", "numba", "pyscipopt", "optuna")
_RIVALS = (Contender.REFERENCE, Contender.BRUTE_FORCE, Contender.SCIP, Contender.BY_HAND)


def show(console: Console, rows: Sequence[Row], startup: Startup | None) -> None:
    """Print everything.

    Parameters
    ----------
    console
        Where to.
    rows
        The measurements of questions.
    startup
        What starting costs, if it was measured.
    """
    if rows:
        console.print(_ladder(rows))
        console.print(
            "Medians in seconds; in brackets the time as a multiple of the engine's. "
            "~ extrapolated from the largest size that was walked; > stopped by its limit; "
            "explain: the share of the engine's time that explains an infeasible question; "
            "checked by: whose proven answers agree with the engine's."
        )
    if startup is not None:
        console.print(_startup(startup))
    console.print(_targets(rows, startup))


def write(path: Path, plan: Plan, rows: Sequence[Row], startup: Startup | None) -> None:
    """Write everything as JSON.

    Parameters
    ----------
    path
        Where to.
    plan
        What was run.
    rows
        The measurements of questions.
    startup
        What starting costs, if it was measured.
    """
    report: dict[str, Any] = {
        "machine": {"cores": os.cpu_count(), "python": platform.python_version()},
        "packages": {name: _version(name) for name in _PACKAGES},
        "plan": asdict(plan),
        "questions": [row.to_dict() for row in rows],
        "startup": startup and {**asdict(startup), "ratios": startup.ratios},
        "targets": [{**asdict(each), "met": each.met} for each in targets(rows, startup)],
    }
    path.write_text(json.dumps(report, indent=1) + "\n")


def _ladder(rows: Sequence[Row]) -> Table:
    table = Table(title="Time to proof")
    table.add_column("question")
    titles = ("designs", "engine", "explain", *_RIVALS, "optuna's gap", "MiB", "checked by")
    for title in titles:
        table.add_column(title, justify="right")
    for row in rows:
        checks = ", ".join(row.disagreements) or f"{len(row.checked_by)} agree"
        table.add_row(
            row.question,
            _size(row.size),
            _time(row.engine),
            _explain(row.engine),
            *(_rival(row, who) for who in _RIVALS),
            _gap(row),
            f"{row.engine.mebibytes:.0f}" if row.engine.mebibytes else "",
            checks,
            style="red" if row.disagreements else None,
        )
    return table


def _size(size: int) -> str:
    return f"{float(size):.1e}" if size < 10**300 else f"1e{len(str(size)) - 1}"


def _time(measurement: Measurement) -> str:
    if measurement.median is None:
        return measurement.error or "-"
    stopped = measurement.answer is not None and not measurement.answer.proven
    mark = "~" if measurement.extrapolated_from else ">" if stopped else ""
    return f"{mark}{measurement.median:.3g}"


def _explain(measurement: Measurement) -> str:
    details = measurement.answer.details if measurement.answer else {}
    explained = details.get("seconds", {}).get("explain")
    return "" if explained is None else f"{explained:.2g}"


def _rival(row: Row, who: Contender) -> str:
    if who not in row.measurements:
        return ""
    text, ratio = _time(row.measurements[who]), row.ratio(who)
    return text if ratio is None else f"{text} ({ratio:,.3g})"


def _gap(row: Row) -> str:
    if Contender.OPTUNA not in row.measurements:
        return ""
    return "nothing found" if row.optuna_gap is None else f"{row.optuna_gap:.2%}"


def _startup(startup: Startup) -> Table:
    table = Table("what", "s", "of import pint", title="Starting")
    table.add_row("import pint", f"{startup.import_pint:.3f}", "1")
    table.add_row(
        "import mlsysim",
        f"{startup.import_mlsysim:.3f}",
        f"{startup.ratios['import mlsysim']:.2f}",
    )
    table.add_row(
        "tutorial search",
        f"{startup.tutorial_search:.3f}",
        f"{startup.ratios['tutorial search']:.2f}",
    )
    return table


def _targets(rows: Sequence[Row], startup: Startup | None) -> Table:
    table = Table("target", "limit", "this run", "", "worst at", title="Targets")
    for each in targets(rows, startup):
        relation = "at least" if each.at_least else "at most"
        verdict = "[green]met[/]" if each.met else "[red]missed[/]"
        table.add_row(
            each.text, f"{relation} {each.limit:g}", f"{each.value:.3g}", verdict, each.where
        )
    return table


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
