"""Write anew what the blocks of README.md, models/README.md and docs/ print.

``PYTHONPATH=tests python -m refresh_pages [PAGE...]``; look at the difference before you commit it.
"""

import re
import sys
import tempfile
from functools import partial
from pathlib import Path

from sybil import Document
from test_readme import (
    MEASURED,
    PAGES,
    compare_output,
    error_table,
    parse,
    run_command,
    run_python,
    without_times,
)

SESSION = r"^\$ (.*)\n((?:.+\n|\n)*?)(?=^```$|^\$ )"
SHOWN = r"^```text\n(.*?)^```$"


def refreshed(page: Path) -> str:
    """Give the text of a page with what its blocks print today; times alone change nothing."""
    text = page.read_text(encoding="utf-8")
    text = re.sub(SESSION, _console, text, flags=re.MULTILINE)
    printed = iter(_printed(parse(page)))
    text = re.sub(
        SHOWN, lambda shown: _text(shown, next(printed)), text, flags=re.MULTILINE | re.DOTALL
    )
    for kind in MEASURED:
        pattern = rf"(<!-- errors: {kind} -->\n).*?(\n<!-- end -->)"
        text = re.sub(pattern, partial(_table, kind), text, flags=re.DOTALL)
    return text


def _console(shown: "re.Match[str]") -> str:
    end = "\n\n" if shown[2].endswith("\n\n") else "\n"
    return f"$ {shown[1]}\n{_kept(shown[2].rstrip(), run_command(shown[1]))}{end}"


def _text(shown: "re.Match[str]", printed: str) -> str:
    return f"```text\n{_kept(shown[1].rstrip(), printed)}\n```"


def _kept(old: str, new: str) -> str:
    """Give what is printed today, or what stands there where only seconds differ."""
    if without_times(old) == without_times(new):
        return old
    return "\n".join(line.rstrip() for line in new.rstrip("\n").splitlines())


def _printed(document: Document) -> list[str]:
    """Run the Python blocks, and give what each prints that is followed by a block of output."""
    found, last = [], ""
    with tempfile.TemporaryDirectory() as folder:
        document.namespace["folder"] = folder
        for example in document.examples():
            if example.region.evaluator is run_python:
                example.evaluate()
                last = example.namespace["printed"]
            elif example.region.evaluator is compare_output:
                found.append(last)
    return found


def _table(kind: str, shown: "re.Match[str]") -> str:
    return f"{shown[1]}\n{error_table(kind)}\n{shown[2]}"


if __name__ == "__main__":
    for page in [Path(name).resolve() for name in sys.argv[1:]] or PAGES:
        page.write_text(refreshed(page), encoding="utf-8")
