"""Write the page of the documentation about speed from what a run has measured."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

TITLE = "# Speed"
COLUMNS = (
    "question",
    "designs",
    "answer",
    "processor s",
    "wall s",
    "good answer after s",
    "boxes",
    "designs evaluated",
    "times the reference",
    "Optuna in that time",
)
_TEXT = """{title}

What questions of the real stages take, from the trace of the evaluator to the proof, in a process that
has answered another question before. This page is written by

```
python -m tests.benchmarks --only real --page docs/speed.md
```

on {cores} cores with Python {python} and NumPy {numpy}; medians of {repeats}. Seconds of processors are
what a busy machine does not stretch much; the wall time is that of the same runs. A *good answer* is within half a
percent of the best. Where the reference, which evaluates every design in NumPy blocks, can finish, its
answer agrees to 1e-9, and its time is given as a multiple (`~` extrapolated from fewer designs). Optuna
samples for as long as the proof took; told is how far its best design falls short.

{table}

The names tell the stages and the power of ten of designs of one job; `tests/benchmarks/real.py` has the
questions. An infeasible one is answered with the minimal conflict and, for each of its members, how far
it would have to give. Jobs share the nodes of one cluster.
"""
_ANSWERS = {"OPTIMAL": "best, proven", "INFEASIBLE": "none, proven and explained"}


def page(report: Mapping[str, Any]) -> str:
    """Write the page.

    Parameters
    ----------
    report
        What the benchmark has written as JSON.
    """
    machine = report["machine"]
    rows = [row for row in report["questions"] if row["question"].startswith("real-")]
    table = [_line(COLUMNS), _line(["---", *["--:"] * (len(COLUMNS) - 1)])]
    table += [_line(list(_cells(row))) for row in rows]
    return _TEXT.format(
        title=TITLE,
        cores=machine["cores"],
        python=machine["python"],
        numpy=report["packages"]["numpy"],
        repeats=report["plan"]["repeats"],
        table="\n".join(table),
    )


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _cells(row: Mapping[str, Any]) -> Iterator[str]:
    engine = row["measurements"]["engine"]
    answer = engine["answer"] or {"status": engine["error"], "details": {}}
    details = answer["details"]
    solver = details.get("solver", {})
    yield row["question"].removeprefix("real-")
    yield _power(row["size"])
    yield _ANSWERS.get(answer["status"], answer["status"])
    yield _seconds(_median(engine["cpu"]))
    yield _seconds(engine["median"])
    yield _seconds(details.get("good_after"))
    yield f"{solver.get('boxes', 0):,}"
    yield f"{solver.get('designs', 0):,}"
    ratio = row["ratios"].get("reference")
    walked = not row["measurements"].get("reference", {}).get("extrapolated_from")
    yield "" if ratio is None else f"{'' if walked else '~'}{ratio:,.3g}"
    yield _short(row)


def _short(row: Mapping[str, Any]) -> str:
    if "optuna" not in row["measurements"]:
        return ""
    gap = row["optuna_gap"]
    return "nothing found" if gap is None else f"{gap:.1%} short"


def _median(values: Sequence[float]) -> float | None:
    return sorted(values)[len(values) // 2] if values else None


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _power(size: Any) -> str:
    mantissa, exponent = f"{float(size):.1e}".split("e")
    return f"{mantissa}e{int(exponent)}"
