"""``mlsysim plan``: which of several jobs runs when, on how many nodes, in which layout."""

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.text import Text

from mlsysim.cli.answer import exit_status
from mlsysim.cli.console import console
from mlsysim.cli.output import Output
from mlsysim.cli.pictures import require_drawable, save
from mlsysim.cli.progress import progress_line
from mlsysim.cli.rendering import stacked
from mlsysim.cli.status import ExitStatus, errors_to_status
from mlsysim.cli.streams import say
from mlsysim.cli.sweeping import values_of
from mlsysim.cli.tables import AdaptiveTable
from mlsysim.cli.writable import check_writable
from mlsysim.emit.slurm import batch_scripts
from mlsysim.errors import ParameterError
from mlsysim.files.plans.plan_file import FiledPlan, load_plan
from mlsysim.files.plans.settings import value_of
from mlsysim.files.plans.what_if import sweep, why_not
from mlsysim.files.settings import pairs
from mlsysim.plans.answers.icalendar import calendar_text
from mlsysim.plans.answers.result import PlanResult
from mlsysim.plot.plans import plan as drawn
from mlsysim.plot.plans import plan_front
from mlsysim.printable import csv_text
from mlsysim.report.plan_page import plan_page
from mlsysim.textfiles import write_text

SLURM = "slurm"


@dataclass(frozen=True, kw_only=True)
class PlanOutputs:
    """What is written of a plan beside what is printed.

    Parameters
    ----------
    plot, ical
        Where to draw it, and where to write it as a calendar.
    emit, into
        For whom scripts are written, and into which folder.
    """

    plot: Path | None = None
    ical: Path | None = None
    emit: str | None = None
    into: Path | None = None

    def check(self) -> None:
        """See before the work begins that all can be written after it.

        Raises
        ------
        ParameterError
            If a folder does not exist, or something else is missing.
        """
        if self.plot is not None:
            require_drawable(self.plot)
        if self.ical is not None:
            check_writable("--ical", self.ical)
        if self.emit not in {None, SLURM}:
            raise ParameterError(
                f"--emit {self.emit}: plans are written for {SLURM}; write --emit {SLURM}"
            )
        if (self.emit is None) is not (self.into is None):
            raise ParameterError("--emit slurm --into FOLDER: one needs the other")
        if self.into is not None and not self.into.is_dir():
            raise ParameterError(f"--into {self.into}: there is no such folder; make it first")

    def write(self, plan: FiledPlan, found: PlanResult, framework: str | None) -> list[Path]:
        """Write all that is asked for; give what was written."""
        written = []
        if self.plot is not None:
            save(drawn(found, " ".join(plan.text.split())).figure, self.plot)
            written.append(self.plot)
        if self.ical is not None:
            write_text(self.ical, calendar_text(found), f"--ical {self.ical}")
            written.append(self.ical)
        if self.into is not None:
            for script in batch_scripts(plan, found, framework or plan.framework or ""):
                path = self.into / script.name
                write_text(path, script.text, f"--into {path}")
                written.append(path)
        return written


def plan_file(
    file: Path,
    settings: Iterable[str],
    *,
    output: Output,
    outputs: PlanOutputs,
    framework: str | None = None,
    earlier: Path | None = None,
    now: str | None = None,
    **options: Any,
) -> ExitStatus:
    """Answer a plan's file, and print the plan.

    Parameters
    ----------
    file
        The file.
    settings
        ``key=value`` in place of what the file says.
    output
        How the plan is printed.
    outputs
        What else is written.
    framework
        Who is to run the jobs, in place of what the file says.
    earlier, now
        An earlier answer to go on from, and how far it has come.
    **options
        Those of `FiledPlan.solve`.
    """
    with errors_to_status(file):
        output.check()
        outputs.check()
        if (earlier is None) is not (now is None):
            raise ParameterError("--from JSON --now DATE: one needs the other")
        plan = load_plan(file, pairs(settings, "--set"), framework=framework)
        with progress_line(file.name) as progress:
            at = None if now is None else value_of(now)
            result = plan.solve(earlier=earlier, now=at, progress=progress, **options)
        if output.as_json:
            say(result.to_json() + "\n")
        elif output.as_csv:
            say(result.to_csv())
        else:
            console().print(stacked(result.blocks()))
        sys.stdout.flush()  # the plan first: what follows may fail
        written = []
        if output.page is not None:
            page = plan_page(result, plan.text, plan.source, plan.written)
            write_text(output.page, page, f"--html {output.page}")
            written.append(output.page)
        if result.schedule is not None:
            written += outputs.write(plan, result, framework)
        if written and not output.as_json and not output.as_csv:
            told = ", ".join(map(str, written))
            console().print(f"\nWritten: {told}", soft_wrap=True)
    return exit_status(result.status)


def why_not_plan(
    file: Path,
    settings: Iterable[str],
    forced: Iterable[str],
    *,
    output: Output,
    **options: Any,
) -> ExitStatus:
    """Say what forcing some keys of a plan's file costs, and print the plan that is left.

    Parameters
    ----------
    file
        The file.
    settings
        ``key=value`` in place of what the file says, in both answers.
    forced
        ``key=value`` of what is forced.
    output
        How it is printed.
    **options
        Those of `FiledPlan.solve`, and ``framework``.
    """
    with errors_to_status(file):
        _require_no_page(output, "--why-not")
        given = pairs(settings, "--set")
        with progress_line(file.name) as progress:
            told = why_not(file, pairs(forced, "--why-not"), given, progress=progress, **options)
        if output.as_json:
            say(told.to_json() + "\n")
        elif output.as_csv:
            say(told.bound.to_csv())
        else:
            console().print("\n".join(told.lines()) + "\n", soft_wrap=True)
            console().print(stacked(told.bound.blocks()))
    return exit_status(told.bound.status)


def sweep_plan(
    file: Path, settings: Iterable[str], over: Iterable[str], *, output: Output, **options: Any
) -> ExitStatus:
    """Answer a plan's file for several values of some keys, and print a line for each.

    Parameters
    ----------
    file
        The file.
    settings
        ``key=value`` in place of what the file says, in all answers.
    over
        ``key=value,value,...``.
    output
        How the lines are printed.
    **options
        Those of `FiledPlan.solve`, and ``framework``.
    """
    with errors_to_status(file):
        _require_no_page(output, "--over")
        varied = dict(map(values_of, over))
        with progress_line(file.name) as progress:
            found = sweep(file, varied, pairs(settings, "--set"), progress=progress, **options)
        if output.as_json:
            say(found.to_json() + "\n")
        elif output.as_csv:
            say(csv_text(found.rows()))
        else:
            _print_rows(found.rows(), {len(found.over)})
    return min(exit_status(answer.status) for _, answer in found.points)


def front_of_plans(
    file: Path,
    settings: Iterable[str],
    goals: str,
    *,
    output: Output,
    plot: Path | None = None,
    framework: str | None = None,
    **options: Any,
) -> ExitStatus:
    """Find the plans that no other is better than by both of two goals, and print a line for each.

    Parameters
    ----------
    file
        The file.
    settings
        ``key=value`` in place of what the file says.
    goals
        ``goal,goal``.
    output
        How the lines are printed.
    plot
        Where to draw the front.
    framework
        Who is to run the jobs, in place of what the file says.
    **options
        Those of `FiledPlan.pareto`.
    """
    with errors_to_status(file):
        _require_no_page(output, "--pareto")
        one, two = _two(goals)
        if plot is not None:
            require_drawable(plot)
        # The file says what is minimised, and then has to state what that takes.
        given = {**pairs(settings, "--set"), "objective": f'["{one}", "{two}"]'}
        plan = load_plan(file, given, framework=framework)
        with progress_line(file.name) as progress:
            found = plan.pareto(one, two, progress=progress, **options)
        if output.as_json:
            say(found.to_json() + "\n")
        elif output.as_csv:
            say(csv_text(found.rows()))
        else:
            console().print("\n".join(found.lines()), soft_wrap=True)
            if found.points:
                header, *_ = rows = found.rows()
                _print_rows(rows, {*range(len(header))})
        if plot is not None and found.points:
            save(plan_front(found, " ".join(plan.text.split())).figure, plot)
    return exit_status(found.status)


def _print_rows(rows: Sequence[Sequence[str]], words: set[int]) -> None:
    """Print a header and what stands below it; columns of words begin on the left."""
    header, *others = rows
    cells: list[list[str | Text]] = [[*row] for row in others]
    console().print(AdaptiveTable(header, cells, words))


def _two(goals: str) -> tuple[str, str]:
    names = [name.strip() for name in goals.split(",")]
    if len(names) != 2:  # noqa: PLR2004 - a front is drawn in a plane
        raise ParameterError(f"--pareto {goals}: name two goals, e.g. --pareto makespan,cost")
    return names[0], names[1]


def _require_no_page(output: Output, option: str) -> None:
    output.check()
    if output.page is not None:
        raise ParameterError(f"{option} and --html: a page shows one plan; drop one of them")
