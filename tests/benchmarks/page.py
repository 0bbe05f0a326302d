"""Write the page of the documentation about speed from what a run has measured."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

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
_BEGIN, _END = "<!-- real stages -->", "<!-- end -->"
_TEXT = """Measured on {cores} cores with Python {python} and NumPy {numpy}; medians of {repeats}.

{table}"""
_ANSWERS = {"OPTIMAL": "best, proven", "INFEASIBLE": "none, proven and explained"}
_UNEXPLAINED = "none, proven; explanation unfinished"


def page(text: str, report: Mapping[str, Any]) -> str:
    """Write the table of the real stages anew.

    Parameters
    ----------
    text
        The page, with marks around the table.
    report
        What the benchmark has written as JSON.
    """
    rows = [row for row in report["questions"] if row["question"].startswith("real-")]
    table = [_line(COLUMNS), _line(["---", *["--:"] * (len(COLUMNS) - 1)])]
    table += [_line(list(_cells(row))) for row in rows]
    told = _TEXT.format(
        **report["machine"],
        numpy=report["packages"]["numpy"],
        repeats=report["plan"]["repeats"],
        table="\n".join(table),
    )
    before, rest = text.split(_BEGIN)
    _, after = rest.split(_END)
    return f"{before}{_BEGIN}\n\n{told}\n\n{_END}{after}"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _cells(row: Mapping[str, Any]) -> Iterator[str]:
    engine = row["measurements"]["engine"]
    answer = engine["answer"] or {"status": engine["error"], "details": {}}
    details = answer["details"]
    solver = details.get("solver", {})
    yield row["question"].removeprefix("real-")
    yield _power(row["size"])
    infeasible = answer["status"] == "INFEASIBLE"
    told = _ANSWERS.get(answer["status"], answer["status"])
    yield _UNEXPLAINED if infeasible and details.get("unfinished") else told
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
