"""``mlsysim validate``: predict measured runs and report the error."""

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

from rich.table import Table
from rich.text import Text

from mlsysim.cli.console import console
from mlsysim.cli.pictures import require_drawable, save
from mlsysim.cli.status import ExitStatus, errors_to_status
from mlsysim.cli.streams import complain, say
from mlsysim.cli.writable import check_writable
from mlsysim.plot.validations import outcomes
from mlsysim.printable import one_line
from mlsysim.textfiles import write_text
from mlsysim.validation.error_table import class_of
from mlsysim.validation.fitting import as_catalogue, fit_file, instructions
from mlsysim.validation.left_out import Distance, Fitted, left_out_of
from mlsysim.validation.left_out_tables import LeftOutLine, lines_by
from mlsysim.validation.measured import TRAINING, path_of
from mlsysim.validation.outcome import Outcome
from mlsysim.validation.ranking import Ranking
from mlsysim.validation.report import ValidationReport, mean_regret, mean_tau, report_of
from mlsysim.validation.statistics import Errors, RowTally

_ERRORS = ("mean", "median", "p90", "ln_mean", "bias", "worst")
_FEW = 40
"""A file of so many rows is told row by row; of a longer one, only the worst."""
_WORST = 5
_LONGEST = 400
_PARTS = 3


def validate_file(
    file: Path | None,
    *,
    as_json: bool,
    plot: Path | None = None,
    fit: Path | None = None,
    leave_out: bool = False,
) -> ExitStatus:
    """Predict the rows of a file and print how far off the predictions are.

    Parameters
    ----------
    file
        A CSV file of training or serving runs; the package's own training runs if not given.
    as_json
        Print rows and summary for programs instead of tables.
    plot
        A picture to draw, of predicted against measured.
    fit
        Where to write the constants that fit the rows best, ``"-"`` for standard output.
    leave_out
        Whether to fit without each source in turn, and to predict it by that.

    Returns
    -------
    ExitStatus
        That a check failed where no row could be predicted.
    """
    with errors_to_status():
        if plot is not None:
            require_drawable(plot)
        source = path_of(TRAINING) if file is None else str(file)
        if fit is not None:
            check_writable("--fit", fit)
            _fit(source, fit)
            return ExitStatus.ANSWERED
        if leave_out:
            _print_left_out(left_out_of(source), as_json=as_json)
            return ExitStatus.ANSWERED
        report = report_of(source)
        for column in report.unread:
            complain(f"mlsysim: {source}: {column}")
        if as_json:
            console().print_json(json.dumps(report.to_dict(), allow_nan=False))
        else:
            _print_report(report)
        if plot is not None:
            sys.stdout.flush()  # the report first: the picture may fail
            save(outcomes(report), plot)
        if report.total.errors is None:
            reasons = "; ".join(report.reasons)
            complain(f"mlsysim: {source}: no row was predicted: {one_line(reasons, _LONGEST)}")
            return ExitStatus.CHECK_FAILED
    return ExitStatus.ANSWERED


def _fit(source: str, target: Path) -> None:
    """Write fitted constants to a file, or to standard output where that is "-"."""
    fits = fit_file(source)
    text = as_catalogue(fits)
    if str(target) == "-":
        say(text)
        return
    write_text(target, text, f"--fit {target}")
    out = console()
    for fit in fits:
        out.print(Text(f"{fit.accelerator}: {fit.change}"))
    out.print(Text(f"wrote {target}; {instructions(fits, str(target))}"))


def _print_report(report: ValidationReport) -> None:
    out = console()
    total = report.total
    out.print(
        Text(
            f"{report.file}: {total.rows} {report.kind.value} runs,"
            f" {total.rows - total.skipped} predicted, {total.skipped} skipped"
        )
    )
    out.print(_errors_table("source", [*report.groups, total]))
    out.print(_errors_table("accelerator", report.accelerators))
    if report.rankings:
        out.print(_ranking_table(report.rankings))
    for reason, count in report.reasons.items():
        out.print(Text(f"skipped {count}: {reason}"))
    predicted = [outcome for outcome in report.outcomes if outcome.ln_error is not None]
    if len(report.outcomes) <= _FEW:
        if predicted:
            out.print(_rows_table("row by row", predicted))
        return
    worst = sorted(predicted, key=lambda outcome: -abs(outcome.ln_error or 0.0))[:_WORST]
    out.print(_rows_table("the worst rows", worst))


def _rows_table(title: str, rows: Sequence[Outcome]) -> Table:
    """List rows, each with the largest parts of what was predicted."""
    table = Table(title=title, title_justify="left", box=None)
    table.add_column("row")
    for name in ("measured", "predicted", "error", "ln"):
        table.add_column(name, justify="right")
    table.add_column("of the predicted time")
    for outcome in rows:
        parts = {} if outcome.parts is None else outcome.parts()
        largest = sorted(parts.items(), key=lambda part: -part[1])[:_PARTS]
        table.add_row(
            Text(f"{outcome.group}: {outcome.id}" if outcome.group else outcome.id),
            f"{outcome.measured:,.5g} {outcome.unit}",
            f"{outcome.predicted:,.5g}",
            _per_cent(outcome.error),
            f"{outcome.ln_error:+.2f}",
            ", ".join(f"{name} {100 * share:.0f} %" for name, share in largest),
        )
    return table


def _print_left_out(fit: Fitted, *, as_json: bool) -> None:
    """Print the errors of sources that were left out in turn."""
    out = console()
    if as_json:
        out.print_json(json.dumps([asdict(one) for one in fit.distances], allow_nan=False))
        return
    keys: dict[str, Callable[[Distance], str]] = {
        "source": lambda one: one.group or "(no group)",
        "accelerator": lambda one: one.accelerator,
        "class": lambda one: " ".join(class_of(one)[1:]),
    }
    for heading, key in keys.items():
        out.print(_left_out_table(heading, lines_by(fit.distances, key)))


def _left_out_table(heading: str, lines: Sequence[LeftOutLine]) -> Table:
    title = f"|ln(predicted / measured)| by {heading}, each source left out of the fit in turn"
    table = Table(title=title, title_justify="left", box=None)
    table.add_column(heading)
    for name in ("rows", "fitted", "left out", "median", "p90", "bias"):
        table.add_column(name, justify="right")
    for line in lines:
        shares = (line.fitted, line.mean, line.median, line.p90)
        table.add_row(
            line.name,
            str(line.rows),
            *(f"{100 * share:.1f} %" for share in shares),
            f"{100 * line.bias:+.1f} %",
        )
    return table


def _errors_table(heading: str, tallies: Sequence[RowTally]) -> Table:
    further = list(dict.fromkeys(name for tally in tallies for name in tally.further))
    table = Table(title=f"absolute error by {heading}", title_justify="left", box=None)
    table.add_column(heading)
    for name in ("rows", "skipped", *_ERRORS, *(_mean_of(name) for name in further)):
        table.add_column(name, justify="right")
    for tally in tallies:
        table.add_row(
            tally.name,
            str(tally.rows),
            str(tally.skipped),
            *(_share(tally.errors, name) for name in _ERRORS),
            *(_share(tally.further.get(name), "mean") for name in further),
        )
    return table


def _ranking_table(rankings: Sequence[Ranking]) -> Table:
    table = Table(title="choice between measured designs", title_justify="left", box=None)
    table.add_column("source")
    for name in ("choices", "designs", "Kendall tau", "regret", "worst"):
        table.add_column(name, justify="right")
    for ranking in rankings:
        table.add_row(
            ranking.group or "(no group)",
            str(ranking.contests),
            str(ranking.designs),
            _number(ranking.tau),
            _per_cent(ranking.regret),
            _per_cent(ranking.worst_regret),
        )
    table.add_row(
        "mean",
        str(sum(ranking.contests for ranking in rankings)),
        str(sum(ranking.designs for ranking in rankings)),
        _number(mean_tau(rankings)),
        _per_cent(mean_regret(rankings)),
        "",
    )
    return table


def _mean_of(name: str) -> str:
    return f"{name.removesuffix('_ms').upper() if name.endswith('_ms') else name} mean"


def _share(errors: Errors | None, name: str) -> str:
    if errors is None:
        return ""
    value = 100 * float(getattr(errors, name))
    return f"{value:+.1f} %" if name == "bias" else f"{value:.1f} %"


def _per_cent(value: float | None) -> str:
    return "" if value is None else f"{100 * value:.1f} %"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"
