"""The forms in which a command gives its report: text, JSON or CSV, and a page beside it."""

import sys
from dataclasses import dataclass
from pathlib import Path

from mlsysim.cli.console import console
from mlsysim.cli.rendering import view
from mlsysim.core.question import Question
from mlsysim.errors import ParameterError
from mlsysim.report import Report, cloud_of


@dataclass(frozen=True, kw_only=True)
class Forms:
    """What the user asked for.

    Parameters
    ----------
    as_json, as_csv
        Print for programs instead of for people.
    page
        Where to write the report as a page of HTML; nowhere if not given.
    heading
        Whether the text begins with the question.
    """

    as_json: bool = False
    as_csv: bool = False
    page: Path | None = None
    heading: bool = False

    def check(self) -> None:
        """See before the work begins that the report can be given after it.

        Raises
        ------
        ParameterError
            If both JSON and CSV are asked for, or the page has no folder.
        """
        if self.as_json and self.as_csv:
            raise ParameterError("--json and --csv: only one of them can be printed; drop one")
        if self.page is not None:
            check_writable("--html", self.page)

    def give(self, report: Report, question: Question) -> None:
        """Print a report, and write its page.

        Parameters
        ----------
        report
            What to tell.
        question
            Evaluates the designs that the page's chart shows beside the best.
        """
        if self.page is not None:
            cloud = None
            if report.designs:
                cloud = cloud_of(question.problem, question.evaluate, report.objectives)
            self.page.write_text(report.to_page(cloud), encoding="utf-8")
        if self.as_json:
            sys.stdout.write(report.to_json() + "\n")
        elif self.as_csv:
            sys.stdout.write(report.to_csv())
        else:
            if self.heading:
                console().print(report.question + "\n", markup=False)
            console().print(view(report))
            if self.page is not None:
                console().print(f"\nThe report is in {self.page}", markup=False, soft_wrap=True)


def check_writable(option: str, target: Path) -> None:
    """See that a file can be written.

    Parameters
    ----------
    option
        The option that names it, for the message.
    target
        The file.

    Raises
    ------
    ParameterError
        If its folder does not exist, or it is a folder itself.
    """
    if not target.parent.is_dir():
        raise ParameterError(f"{option} {target}: there is no folder {target.parent}")
    if target.is_dir():
        raise ParameterError(f"{option} {target}: is a folder; name a file in it")
