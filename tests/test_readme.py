"""Every code block of README.md, models/README.md and docs/ runs, and prints what is printed there.

So do the tables of errors in docs/accuracy.md say what ``mlsysim validate`` does.
"""

import contextlib
import io
import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from sybil import Document, Example, Sybil
from sybil.evaluators.python import PythonEvaluator
from sybil.parsers.markdown import CodeBlockParser

from mlsysim.catalog import load_catalog
from mlsysim.files.plans.plan_file import load_plan
from mlsysim.files.plans.schema import PlanFile
from mlsysim.files.question import load
from mlsysim.files.schema import QuestionFile
from mlsysim.validation.measured import SERVING, TRAINING, path_of
from mlsysim.validation.report import ValidationReport, mean_regret, mean_tau, report_of
from mlsysim.validation.statistics import RowTally

ROOT = Path(__file__).parents[1]
PAGES = [
    ROOT / "README.md",
    ROOT / "models" / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "docs" / "how-to-add").glob("*.md")),
]
DIRECTIVES = {"{eval-rst}", "{toctree}"}
"""What the build of the documentation runs."""
STATUSES = {"solve": {0, 3}, "explain": {0, 3}, "evaluate": {0, 3}, "plan": {0, 3}}
MEASURED = {"training": TRAINING, "serving": SERVING}
FURTHER = {
    "training": {"memory": "memory"},
    "serving": {"ttft_ms": "first token", "tpot_ms": "per token"},
}
"""What else was measured, of which the tables give the mean error."""


def run_python(example: Example) -> None:
    """Run a block and keep what it prints for the block that shows it."""
    printed = io.StringIO()
    folder = prepared(example)
    with contextlib.redirect_stdout(printed), contextlib.chdir(folder):
        PythonEvaluator()(example)
    example.namespace["printed"] = printed.getvalue()


def prepared(example: Example) -> Path:
    """Give the folder in which the blocks of a page run, and from which ``models/`` can be seen."""
    folder = Path(example.namespace["folder"])
    if not (folder / "models").exists():
        (folder / "models").symlink_to(ROOT / "models")
    return folder


def compare_output(example: Example) -> None:
    """Compare a block with what the Python block before it printed."""
    assert without_times(example.parsed) == without_times(example.namespace.pop("printed"))


def run_console(example: Example) -> None:
    """Run each line that starts with a prompt and compare what follows it."""
    for session in re.split(r"^\$ ", example.parsed, flags=re.MULTILINE)[1:]:
        command, _, shown = session.partition("\n")
        assert without_times(run_command(command)) == without_times(shown), command


def check_shell(example: Example) -> None:
    """Run what needs no network, in a folder from which ``models/`` can be seen."""
    folder = prepared(example)
    for line in example.parsed.splitlines():
        for part in line.split(" && "):
            command = part.partition("  #")[0].removeprefix(".venv/bin/")
            program, _, rest = command.partition(" ")
            if program == "mlsysim" and ("FILE" in rest or rest.startswith("serve ")):
                check_usage(rest)
            elif program == "mlsysim":
                run_command(command, folder)
            else:
                # .ci/run takes these two lines from the README and runs them as printed.
                assert (program, rest) in {
                    ("python3", "-m venv .venv"),
                    ("pip", "install ."),
                    ("pip", "install '.[test]'"),
                    ("pip", "install 'mlsysim-solver[page]'"),
                    ("pytest", "-n 2"),
                }


def check_usage(line: str) -> None:
    """See that a command that waits, or has a placeholder, exists with the options that it has."""
    name, *arguments = shlex.split(line)
    told = run_command(f"mlsysim {name} --help")
    assert all(item in told for item in arguments if item.startswith("--")), line


def check_diff(example: Example) -> None:
    """See that a change can be made: each file is there, with the lines around the change."""
    for part in re.split(r"^--- a/", example.parsed, flags=re.MULTILINE)[1:]:
        name, _, body = part.partition("\n")
        text = (ROOT / name).read_text(encoding="utf-8")
        around = [line[1:] for line in body.splitlines() if line.startswith(" ") and line.strip()]
        missing = [line for line in around if line.strip() not in text]
        assert not missing, (name, missing)


def check_json(example: Example) -> None:
    """Read a block."""
    json.loads(example.parsed)


def load_question(example: Example) -> None:
    """Load and answer a question file that is printed, or load a catalogue."""
    folder = Path(example.namespace["folder"])
    file = folder / f"line_{example.line}.toml"
    file.write_text(example.parsed, encoding="utf-8")
    table = tomllib.loads(example.parsed)
    if "question" not in table:
        parts = {*QuestionFile.__struct_fields__, *PlanFile.__struct_fields__, "project"}
        if not table.keys() <= parts:
            load_catalog(file)
        return
    if "jobs" in table:
        assert load_plan(file).solve().status in {"OPTIMAL", "INFEASIBLE"}
        return
    assert load(file).solve(method="exhaustive").status in {"OPTIMAL", "INFEASIBLE"}


def run_command(line: str, folder: Path = ROOT) -> str:
    """Run ``mlsysim ...`` from a folder, in a terminal of 100 columns.

    ``| head -n 5`` and ``| tail -n 5`` after it are understood.
    """
    command, *filters = line.split(" | ")
    program, *arguments = shlex.split(command)
    assert program == "mlsysim"
    done = subprocess.run(  # noqa: S603 - the lines come from our own README
        [sys.executable, "-c", "from mlsysim.cli import main; main()", *arguments],
        cwd=folder,
        env={**os.environ, "COLUMNS": "100", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in STATUSES.get(arguments[0], {0}), done.stderr
    lines = done.stdout.splitlines(keepends=True)
    for one in filters:
        end, flag, count = one.split()
        assert (end in {"head", "tail"}, flag) == (True, "-n")
        lines = lines[: int(count)] if end == "head" else lines[-int(count) :]
    return "".join(lines)


def without_times(text: str) -> list[str]:
    """Give the words of a text without what differs from run to run: the seconds."""
    words = " ".join(text.split())
    return re.sub(r"in [\d.]+ (ms|s) by", "in TIME by", words).split()


def error_table(kind: str) -> str:
    """Write the errors of ``mlsysim validate`` by source, as Markdown."""
    report = report_of(path_of(MEASURED[kind]))
    titles = ["source", "rows", "mean", "median", "nine in ten", "bias", *FURTHER[kind].values()]
    rows = [_errors(found, kind) for found in report.groups]
    rows.append([f"**{cell}**" if cell else "" for cell in _errors(report.total, kind)])
    head = [titles, ["---", *["--:" for _ in titles[1:]]]]
    lines = [f"| {' | '.join(cells)} |" for cells in head + rows]
    return "\n".join([*lines, "", *_ranked(report)]).strip()


def _errors(found: RowTally, kind: str) -> list[str]:
    """Give the cells of a row: what was not measured stays empty."""
    errors = found.errors
    assert errors is not None
    further = [found.further.get(aspect) for aspect in FURTHER[kind]]
    return [
        found.name,
        str(errors.rows),
        *(f"{100 * one:.1f} %" for one in (errors.mean, errors.median, errors.p90)),
        f"{100 * errors.bias:+.1f} %",
        *("" if one is None else f"{100 * one.mean:.1f} %" for one in further),
    ]


def _ranked(report: ValidationReport) -> list[str]:
    """Say how well designs were ranked, where several were measured."""
    found = report.rankings
    tau, regret = mean_tau(found), mean_regret(found)
    if tau is None or regret is None:
        return []
    weak = [f"{one.group} {one.tau:.2f}" for one in found if one.tau is not None and one.tau < 0.5]
    return [
        f"Choosing between measured designs, over {len(found)} sources: mean Kendall tau {tau:.2f}",
        f"and regret {100 * regret:.1f} %; tau is below 0.5 for {', '.join(weak) or 'none'}.",
    ]


LANGUAGES = {
    "python": run_python,
    "text": compare_output,
    "console": run_console,
    "sh": check_shell,
    "toml": load_question,
    "diff": check_diff,
    "json": check_json,
}


def parse(page: Path) -> Document:
    """Find the blocks of a page."""
    parsers = [CodeBlockParser(name, evaluator) for name, evaluator in LANGUAGES.items()]
    return Sybil(parsers=parsers).parse(page)


BLOCKS = [
    pytest.param(page, number, id=f"{page.relative_to(ROOT)}:{example.line}")
    for page in PAGES
    for number, example in enumerate(parse(page).examples())
]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_block_is_left_out(page: Path) -> None:
    """Each fenced block is in a language that these tests run."""
    fences = re.findall(r"^```(.*)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert set(fences[::2]) <= {*LANGUAGES, *DIRECTIVES}
    assert set(fences[1::2]) <= {""}
    directives = [item for item in fences[::2] if item in DIRECTIVES]
    assert len(list(parse(page).examples())) == len(fences) // 2 - len(directives)


@pytest.mark.parametrize(("page", "number"), BLOCKS)
def test_block_runs(page: Path, number: int, tmp_path: Path) -> None:
    """A block runs after the Python blocks above it and prints what is shown."""
    document = parse(page)
    document.namespace["folder"] = str(tmp_path)
    *before, block = list(document.examples())[: number + 1]
    for example in before:
        if example.region.evaluator is run_python:
            example.evaluate()
    block.evaluate()


@pytest.mark.parametrize("kind", MEASURED)
def test_errors_are_those_of_validate(kind: str) -> None:
    """The table of errors is what the models of today give."""
    text = (ROOT / "docs" / "accuracy.md").read_text(encoding="utf-8")
    shown = re.search(rf"<!-- errors: {kind} -->\n(.*?)\n<!-- end -->", text, flags=re.DOTALL)
    assert shown, kind
    assert shown[1].strip() == error_table(kind)
