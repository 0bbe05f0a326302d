"""The forms in which a command gives its report: text, JSON or CSV, and a page beside it."""

import sys
from dataclasses import dataclass
from pathlib import Path

from mlsysim.cli.console import console
from mlsysim.cli.rendering import view
from mlsysim.cli.streams import say
from mlsysim.cli.writable import check_writable
from mlsysim.errors import ParameterError
from mlsysim.files.question import Question
from mlsysim.report import Report, cloud_of
from mlsysim.search.interruption import current
from mlsysim.textfiles import write_text

_MORE = "\nIn full, with sources, errors, intervals and all conditions: --full"


@dataclass(frozen=True, kw_only=True)
class Output:
    """What the user asked for.

    Parameters
    ----------
    as_json, as_csv
        Print for programs instead of for people.
    page
        Where to write the report as a page of HTML; nowhere if not given.
    full
        Whether the text tells everything, instead of what is asked for first.
    heading
        Whether the text begins with the question.
    """

    as_json: bool = False
    as_csv: bool = False
    page: Path | None = None
    full: bool = False
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
        """Print a report, and then write its page.

        Parameters
        ----------
        report
            What to tell.
        question
            Evaluates the designs that the page's chart shows beside the best.
        """
        if self.as_json:
            say(report.to_json() + "\n")
        elif self.as_csv:
            say(report.to_csv())
        else:
            if self.heading:
                console().print(report.question + "\n")
            terminal = console()
            terminal.print(view(report, full=self.full))
            if report.designs and not self.full and terminal.is_terminal:
                terminal.print(_MORE)
        if self.page is not None:
            sys.stdout.flush()  # the answer first: the page may fail
            self._write(self.page, report, question)

    def _write(self, page: Path, report: Report, question: Question) -> None:
        cloud = None
        if report.designs and not current().came:
            cloud = cloud_of(question.problem, question.evaluate, report.objectives)
        write_text(page, report.to_page(cloud), f"--html {page}")
        if not self.as_json and not self.as_csv:
            console().print(f"\nThe report is in {page}", soft_wrap=True)
