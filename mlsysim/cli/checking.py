"""``mlsysim check``: solver, walk over every design and the file's own answer have to agree."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from rich.text import Text

from mlsysim.cli.cluster import cluster_options
from mlsysim.cli.console import console
from mlsysim.cli.progress import progress_line
from mlsysim.cli.status import ExitStatus, errors_to_status, report
from mlsysim.errors import MlsysimError, QuestionError
from mlsysim.files.plans.plan_file import is_plan, load_plan
from mlsysim.files.plans.verification import verify_plan
from mlsysim.files.question import load
from mlsysim.files.verification import verify, verify_front
from mlsysim.search.interruption import current


def check_files(
    paths: Iterable[Path],
    *,
    dask: str | None = None,
    framework: str | None = None,
    **options: Any,
) -> ExitStatus:
    """Check question files and print one line for each, with what differs below.

    Parameters
    ----------
    paths
        Question files, and folders in which every ``*.toml`` is one.
    dask
        The address of a cluster that evaluates every design.
    framework
        Who is to run the designs, in place of what the file says.
    **options
        Those of `Question.solve`.
    """
    worst = ExitStatus.ANSWERED
    with errors_to_status(), cluster_options(dask) as cluster:
        for file in _question_files(paths):
            try:
                worst = max(worst, _check_file(file, framework, cluster | options))
            except MlsysimError as error:
                worst = max(worst, report(error, file))
            if current().came:
                break
    return worst


def _question_files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from sorted(path.rglob("*.toml"))
        else:
            yield path


def _check_file(file: Path, framework: str | None, options: dict[str, Any]) -> ExitStatus:
    out = console()
    if is_plan(file):
        return _check_plan(file, framework, options)
    question = load(file, framework=framework)
    if question.expected is None and framework is None:
        raise _unexpected(file)
    with progress_line(file.name) as progress:
        checked = verify(question, progress=progress, **options)
        found = checked.failures
        if question.objectives:
            found += verify_front(question, **options)
    if current().came:  # what was cut short is no answer to compare
        out.print(Text(f"stopped  {file}  {checked.result.status} so far, not compared"))
        return ExitStatus.ANSWERED
    told = "" if checked.was_walked else "  (too many designs to evaluate each)"
    differs = checked.differs or len(found) > len(checked.failures)
    return _tell(f"{file}  {checked.result.status}{told}", found, differs=differs)


def _check_plan(file: Path, framework: str | None, options: dict[str, Any]) -> ExitStatus:
    """Check a plan: its proof, its replay, its designs on plain numbers, and the file."""
    plan = load_plan(file, framework=framework)
    if plan.expected is None and framework is None:
        raise _unexpected(file)
    known = {name: options[name] for name in ("time_limit", "workers", "seed") if name in options}
    with progress_line(file.name) as progress:
        checked = verify_plan(plan, progress=progress, **known)
    if current().came:
        console().print(Text(f"stopped  {file}  {checked.result.status} so far, not compared"))
        return ExitStatus.ANSWERED
    differs = len(checked.failures) > checked.stopped
    return _tell(f"{file}  {checked.result.status}", checked.failures, differs=differs)


def _unexpected(file: Path) -> QuestionError:
    return QuestionError(
        f"{file}: expected: missing; write the answer to compare with,"
        " e.g. [expected] status = 'OPTIMAL'"
    )


def _tell(what: str, failures: Sequence[str], *, differs: bool) -> ExitStatus:
    """Print a line for a file, with what differs below, and give the status that it means."""
    out = console()
    verdict = ("agrees ", "green") if not failures else ("stopped", "yellow")
    if differs:
        verdict = ("differs", "red")
    out.print(Text.assemble(verdict, f"  {what}"))
    for line in failures:
        out.print(Text(f"         {line}"))
    if differs:
        return ExitStatus.CHECK_FAILED
    return ExitStatus.NO_ANSWER if failures else ExitStatus.ANSWERED
