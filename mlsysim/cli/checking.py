"""``mlsysim check``: solver, reference and the file's own answer have to agree."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from rich.markup import escape

from mlsysim.cli.console import console
from mlsysim.cli.progress import progress_line
from mlsysim.cli.status import ExitStatus, report
from mlsysim.core.question import load
from mlsysim.core.questions.comparison import differences, front_differences
from mlsysim.errors import MlsysimError, QuestionError


def check_files(paths: Iterable[Path], **options: Any) -> ExitStatus:
    """Check question files and print one line for each, with what differs below.

    Parameters
    ----------
    paths
        Question files, and folders in which every ``*.toml`` is one.
    **options
        Those of `Question.solve`.
    """
    worst = ExitStatus.ANSWERED
    for file in _question_files(paths):
        try:
            worst = max(worst, _check_file(file, options))
        except MlsysimError as error:
            worst = max(worst, report(error, file))
    return worst


def _question_files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from sorted(path.rglob("*.toml"))
        else:
            yield path


def _check_file(file: Path, options: dict[str, Any]) -> ExitStatus:
    out = console()
    question = load(file)
    if question.expected is None:
        raise QuestionError(f"{file}: expected: missing; the file says no answer to compare with")
    with progress_line(file.name) as progress:
        comparison = question.cross_check(progress=progress, **options)
    found = differences(question.expected, comparison)
    if question.objectives:
        fronts = (question.pareto(method=name, **options) for name in ("cp-sat", "exhaustive"))
        found += front_differences(question.expected, *fronts)
    verdict = "[red]differs[/red]" if found else "[green]agrees[/green] "
    out.print(f"{verdict}  {escape(str(file))}  {comparison.reference.status}")
    for line in found:
        out.print(f"         {escape(line)}")
    return ExitStatus.CHECK_FAILED if found else ExitStatus.ANSWERED
