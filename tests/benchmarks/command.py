"""The command of the benchmark."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.contender import Contender
from benchmarks.ladder import ALL_SIZES, Plan, Row, climb, names
from benchmarks.page import page
from benchmarks.real import REAL
from benchmarks.report import show, write
from benchmarks.startup import measure_startup
from rich.console import Console

_FULL: dict[str, Any] = {
    "sizes": ALL_SIZES,
    "jobs": (4, 8, 32),
    "most": (10, 10_000),
    "real": REAL,
    "repeats": 3,
}
_QUICK: dict[str, Any] = {"sizes": (2, 4), "jobs": (), "most": (6,), "real": REAL[:3], "repeats": 1}


def main(arguments: Sequence[str], description: str | None) -> int:
    """Run the benchmark.

    Parameters
    ----------
    arguments
        Of the command line.
    description
        What ``--help`` says.
    """
    options = _parser(description).parse_args(arguments)
    preset = _QUICK if options.quick else _FULL
    rivals = [who for who in options.contenders if who is not Contender.ENGINE]
    plan = Plan(
        sizes=options.sizes or preset["sizes"],
        jobs=options.jobs if options.jobs is not None else preset["jobs"],
        most=preset["most"],
        real=preset["real"],
        contenders=rivals,
        repeats=options.repeats or preset["repeats"],
        seconds=options.seconds,
        scip_seconds=min(options.scip_seconds, 5.0) if options.quick else options.scip_seconds,
        walk=options.walk,
    )
    only = options.only.split(",") if options.only else []
    chosen = [name for name in names(plan) if not only or any(part in name for part in only)]
    console = Console(width=None if sys.stdout.isatty() else 200)
    options.json.parent.mkdir(parents=True, exist_ok=True)
    rows: list[Row] = []
    with console.status("starting") as status:
        for row in climb(plan, chosen, status.update):
            rows.append(row)
            # An hour's measurements survive a Ctrl-C.
            write(options.json, plan, rows, None)
            console.print(f"{row.question}: {row.engine.median or row.engine.error}")
        status.update("startup")
        startup = measure_startup(plan.repeats) if not only or "startup" in only else None
    show(console, rows, startup)
    write(options.json, plan, rows, startup)
    console.print(f"written to {options.json}")
    if options.page is not None:
        report = json.loads(options.json.read_text())
        options.page.write_text(page(options.page.read_text(), report))
        console.print(f"written to {options.page}")
    return 1 if any(row.disagreements for row in rows) else 0


def _parser(description: str | None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--quick", action="store_true", help="small sizes, one repeat")
    add("--only", default="", help="parts of names of questions, and 'startup', by commas")
    add("--sizes", type=_exponents, help="training questions, e.g. 1e2,1e8")
    add("--jobs", type=_numbers, help="joint questions, e.g. 4,8")
    add("--contenders", type=_contenders, default=tuple(Contender), help="e.g. engine,by-hand")
    add("--repeats", type=int, help="of which the median is taken")
    add("--seconds", type=float, default=600.0, help="limit of the engine and the reference")
    add("--scip-seconds", type=float, default=120.0, help="limit of SCIP")
    add("--walk", type=int, default=8, help="walk up to ten to this power designs")
    add("--json", type=Path, default=Path("build/benchmarks.json"), help="where to write")
    add("--page", type=Path, help="where to write the page of the documentation")
    return parser


def _exponents(text: str) -> tuple[int, ...]:
    return tuple(int(part.removeprefix("1e")) for part in text.split(","))


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(",") if part)


def _contenders(text: str) -> tuple[Contender, ...]:
    return tuple(Contender(part) for part in text.split(","))
