"""What people look at of a plan, and what Slurm is told: each says what the plan says."""

import json
import re
import shlex
import subprocess
from collections import Counter
from datetime import datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest
from report.browser import Browser, program
from typer.testing import CliRunner

from mlsysim import plot
from mlsysim.cli.app import app
from mlsysim.emit.slurm import MARGIN, batch_scripts
from mlsysim.errors import LaunchError
from mlsysim.files.plans.plan_file import FiledPlan, load_plan
from mlsysim.plans.answers.icalendar import calendar_text
from mlsysim.plans.answers.result import PlanResult
from mlsysim.plans.answers.utilisation import there, used, utilisation
from mlsysim.report.plan_page import plan_page

FILE = Path(__file__).parents[2] / "models" / "plans" / "rent_or_wait.toml"
ASKED = {"jobs.code.space.zero_stage": "[1]", "fleets.cloud.slurm.reservation": "spring"}


@pytest.fixture(scope="module")
def answer() -> tuple[FiledPlan, PlanResult]:
    """Plan for Megatron-LM, with a job that pauses."""
    plan = load_plan(FILE, ASKED, framework="megatron")
    return plan, plan.solve(workers=1)


def directives(text: str) -> dict[str, str]:
    """Read what a script tells sbatch, as its own parser does: the lines before any command."""
    found = {}
    for line in text.splitlines()[1:]:
        if not line.startswith("#"):
            break
        if line.startswith("#SBATCH "):
            (word,) = shlex.split(line.removeprefix("#SBATCH "))
            name, _, value = word.removeprefix("--").partition("=")
            found[name] = value
    return found


def seconds(text: str) -> int:
    """Read a time limit of Slurm: days-hours:minutes:seconds."""
    days, clock = text.split("-")
    hours, minutes, rest = map(int, clock.split(":"))
    return int(days) * 86400 + hours * 3600 + minutes * 60 + rest


def test_each_piece_is_a_script_with_its_times(answer: tuple[FiledPlan, PlanResult]) -> None:
    """Begin and nodes are the plan's; the limit is its duration, and a margin after the last."""
    plan, found = answer
    scripts = {script.name: script.text for script in batch_scripts(plan, found, "megatron")}
    assert found.schedule is not None
    assert found.question.origin is not None
    names = []
    for run in found.schedule:
        for place, (begin, end) in enumerate(run.pieces, start=1):
            several = f"-{place}" if len(run.pieces) > 1 else ""
            names.append(f"{run.job}{several}.sbatch")
            told = directives(scripts[names[-1]])
            moment = datetime.fromisoformat(told["begin"])
            assert moment == found.question.origin + timedelta(seconds=begin)
            margin = MARGIN if place == len(run.pieces) else 0.0
            assert seconds(told["time"]) == round((end - begin) * (1 + margin))
            assert told["nodes"] == str(run.row.nodes)
            assert told["gpus-per-node"] == "8"
            assert told["reservation"] == "spring"
            layout = scripts[names[-1]]
            assert f"--tensor-model-parallel-size {run.row.params['tp_size']} " in layout
            assert f"torchrun --nnodes {run.row.nodes} " in layout
    assert {*scripts} == {*names, "submit.sh"}
    # Every script is submitted once, a second piece after the first.
    assert all(scripts["submit.sh"].count(name) == 1 for name in names)
    pieces = Counter(name.rpartition("-")[0] for name in names if "-" in name)
    waits = re.findall(r"afterany:\$job_\d+", scripts["submit.sh"])
    assert len(waits) == sum(count - 1 for count in pieces.values())


def test_a_shell_reads_the_scripts(answer: tuple[FiledPlan, PlanResult], tmp_path: Path) -> None:
    """Bash finds nothing wrong, and what is launched on the nodes is a command of its own."""
    plan, found = answer
    for script in batch_scripts(plan, found, "megatron"):
        file = tmp_path / script.name
        file.write_text(script.text)
        subprocess.run(["bash", "-n", str(file)], check=True)  # noqa: S603, S607 - our own
    launch = file.with_name("base.sbatch")
    files = [launch] if launch.exists() else sorted(tmp_path.glob("base-*.sbatch"))
    # Run with the commands of a cluster replaced: srun gets the whole command as one word.
    stubs = 'scontrol() { echo host; }; srun() { printf "%s" "${@: -1}"; };'
    told = subprocess.run(  # noqa: S603
        ["bash", "-c", f"{stubs} . {shlex.quote(str(files[0]))}"],  # noqa: S607
        check=True,
        capture_output=True,
        text=True,
        env={"SLURM_JOB_NODELIST": "host", "SLURM_JOB_ID": "1", "PATH": "/usr/bin:/bin"},
    ).stdout
    words = shlex.split(told.rpartition("\ntorchrun")[2].replace("\\\n", " "))
    assert words[words.index("--global-batch-size") + 1] == "512"


def test_what_waits_for_another_is_submitted_after_it() -> None:
    """A dependency in the plan is one of Slurm."""
    plan = load_plan(FILE, {"jobs.reader.after": '["code"]'}, framework="megatron")
    text = batch_scripts(plan, plan.solve(workers=1), "megatron")[-1].text
    order = [line.partition("=")[0] for line in text.splitlines() if "sbatch --parsable" in line]
    (line,) = [line for line in text.splitlines() if "reader" in line and "afterok" in line]
    assert f"--dependency=afterok:${order[-2]} " in line


def test_a_script_for_deepspeed_brings_its_configuration(tmp_path: Path) -> None:
    """Run by a shell, a node gets the file that DeepSpeed reads, and torchrun my script."""
    plan = load_plan(FILE, ASKED, framework="deepspeed")
    found = plan.solve(workers=1)
    (script, *_) = [item for item in batch_scripts(plan, found, "deepspeed") if "code" in item.name]
    for name, body in {
        "scontrol": "echo host",
        "srun": 'shift; exec "$@"',
        "torchrun": 'printf "%s\\n" "$@"',
    }.items():
        (tmp_path / name).write_text(f"#!/bin/bash\n{body}\n")
        (tmp_path / name).chmod(0o755)
    told = subprocess.run(
        ["/bin/bash", "-s"],
        input=script.text,
        check=True,
        capture_output=True,
        text=True,
        env={
            "PATH": f"{tmp_path}:/usr/bin:/bin",
            "TMPDIR": str(tmp_path),
            "TRAIN": "mine.py",
            "SLURM_JOB_ID": "7",
            "SLURM_JOB_NODELIST": "host",
        },
    ).stdout.split()
    assert found.schedule is not None
    row = found.schedule.run("code").row
    assert told[told.index("--nnodes") + 1] == str(row.nodes)
    assert told[-4:-1] == ["mine.py", "--deepspeed", "--deepspeed_config"]
    written = Path(told[-1]).read_text(encoding="utf-8").splitlines()
    options = json.loads("\n".join(line for line in written if not line.startswith("#")))
    assert options["zero_optimization"]["stage"] == row.params["zero_stage"]
    assert options["train_batch_size"] == 512


def test_a_framework_has_to_be_launched_by_torchrun(
    answer: tuple[FiledPlan, PlanResult],
) -> None:
    """Of others it is said which would do."""
    with pytest.raises(LaunchError, match="write --for one of megatron, torchtitan, deepspeed"):
        batch_scripts(*answer, "axolotl")


def test_a_calendar_has_an_event_for_each_piece(answer: tuple[FiledPlan, PlanResult]) -> None:
    """Unfolded and unescaped its lines say when and what; none is longer than 75 bytes."""
    _, found = answer
    text = calendar_text(found)
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
    lines = text.replace("\r\n ", "").split("\r\n")
    assert lines[0] == "BEGIN:VCALENDAR"
    assert lines[-2:] == ["END:VCALENDAR", ""]
    assert found.schedule is not None
    assert found.question.origin is not None
    begins = [line.partition(":")[2] for line in lines if line.startswith("DTSTART:")]
    expected = sorted(begin for run in found.schedule for begin, _ in run.pieces)
    moments = [datetime.strptime(text, "%Y%m%dT%H%M%S") for text in begins]
    origin = found.question.origin
    assert sorted((moment - origin).total_seconds() for moment in moments) == expected
    assert len({line for line in lines if line.startswith("UID:")}) == len(expected)
    (told, *_) = [line for line in lines if line.startswith("DESCRIPTION:")]
    assert "\\, tp_size=" in told
    assert told.endswith(" USD")


class Page(HTMLParser):
    """Collects the boxes of a page, and sees that all elements are closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.boxes: list[str] = []
        self.titles: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open an element."""
        if tag not in {"meta", "line"} or (tag == "line" and dict(attrs).get("class") == "due"):
            self.open.append(tag)
        if tag == "rect":
            self.boxes.append(dict(attrs).get("class") or "")

    def handle_endtag(self, tag: str) -> None:
        """Close one."""
        if tag in self.open:
            assert self.open.pop() == tag
        else:
            assert tag in {"meta", "line"}

    def handle_data(self, data: str) -> None:
        """Keep what is shown where a box is pointed at."""
        if self.open and self.open[-1] == "title":
            self.titles.append(data)


def test_the_page_draws_every_piece(answer: tuple[FiledPlan, PlanResult]) -> None:
    """A box for each, that tells layout and cost; times without room are shaded."""
    plan, found = answer
    page = Page()
    text = plan_page(found, plan.text, plan.source, plan.written)
    page.feed(text)
    assert page.open == []
    assert found.schedule is not None
    assert page.boxes.count("run") == sum(len(run.pieces) for run in found.schedule)
    assert any("tp_size=" in title and " USD; " in title for title in page.titles)
    assert "http://" not in text.replace("http://www.w3.org", "")
    assert "<script" not in text


def test_what_is_used_is_at_most_what_there_is(answer: tuple[FiledPlan, PlanResult]) -> None:
    """At every moment, with the lots that the plan rents and no others; the area is node-hours."""
    _, found = answer
    standing, taken = there(found, "cloud"), used(found, "cloud")

    def level(levels: list[tuple[int, int]], moment: int) -> int:
        return [value for begin, value in levels if begin <= moment][-1]

    for moment in {begin for begin, _ in (*standing, *taken)}:
        if moment < taken[-1][0]:
            assert level(taken, moment) <= level(standing, moment)
    hours, total = utilisation(found, "cloud")
    assert found.schedule is not None
    assert hours == pytest.approx(sum(run.node_hours for run in found.schedule))
    assert 0 < hours <= total


def test_all_is_written_and_told(tmp_path: Path) -> None:
    """Picture, page, calendar and scripts, in one command."""
    pytest.importorskip("matplotlib")
    options = ["--plot", "p.png", "--html", "p.html", "--ical", "p.ics", "--into", "."]
    paths = [str(tmp_path / word) if "." in word else word for word in options]
    done = CliRunner().invoke(
        app, ["plan", str(FILE), *paths, "--emit", "slurm", "--for", "megatron", "--workers", "1"]
    )
    assert done.exit_code == 0, done.stderr
    assert (tmp_path / "p.png").read_bytes().startswith(b"\x89PNG")
    assert {path.suffix for path in tmp_path.iterdir()} == {
        ".png", ".html", ".ics", ".sbatch", ".sh"
    }  # fmt: skip
    assert "submit.sh" in done.stdout


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--emit", "kueue", "--into", "."], "--emit kueue: plans are written for slurm"),
        (["--emit", "slurm"], "one needs the other"),
        (["--emit", "slurm", "--into", "nowhere"], "--into nowhere: there is no such folder"),
        (["--ical", "nowhere/p.ics"], "there is no folder nowhere"),
    ],
)
def test_what_cannot_be_written_is_told_before_the_work(options: list[str], told: str) -> None:
    """Status 2, at once."""
    done = CliRunner().invoke(app, ["plan", str(FILE), *options])
    assert done.exit_code == 2
    assert told in done.stderr


@pytest.mark.skipif(program() is None, reason="no Chromium is installed: apt-get install chromium")
def test_a_browser_shows_the_page(answer: tuple[FiledPlan, PlanResult], tmp_path: Path) -> None:
    """Without a complaint or a network; each piece can be pointed at where it is drawn."""
    plan, found = answer
    page = tmp_path / "plan.html"
    page.write_text(plan_page(found, plan.text, plan.source, plan.written), encoding="utf-8")
    assert found.schedule is not None
    with Browser() as browser:
        browser.open(page)
        count = browser.run("document.querySelectorAll('rect.run').length")
        assert count == sum(len(run.pieces) for run in found.schedule)
        told = browser.run(
            "[...document.querySelectorAll('rect.run')].map(box => {"
            " box.scrollIntoView({block: 'center'}); const b = box.getBoundingClientRect();"
            " const at = document.elementFromPoint(b.x + b.width / 2, b.y + b.height / 2);"
            " return at === box && b.width > 0 && at.textContent; })"
        )
        assert all(text and "nodes of cloud" in text for text in told)
        # The drawing fits into the page.
        assert browser.run("document.documentElement.scrollWidth <= window.innerWidth")
        assert browser.problems == []


def test_a_plan_is_a_table_and_a_picture_in_python(answer: tuple[FiledPlan, PlanResult]) -> None:
    """A row for each run, by its begin; a bar for each of its pieces."""
    _, found = answer
    assert found.schedule is not None
    origin = found.question.origin
    assert origin is not None
    runs = sorted(found.schedule, key=lambda run: (run.begin, run.job))
    table = found.to_pandas()
    assert list(table["job"]) == [run.job for run in runs]
    begins = [origin + timedelta(seconds=run.begin) for run in runs]
    assert [moment.to_pydatetime() for moment in table["begins"]] == begins
    assert table.attrs["units"]["cost"] == "USD"
    assert table["cost"].sum() <= found.objectives[0] + 1e-6  # the rest is what is rented
    pytest.importorskip("matplotlib")
    axes = plot.plan(found)
    assert len(axes.patches) == sum(len(run.pieces) for run in runs)
    assert [label.get_text() for label in axes.get_yticklabels()] == [r.job for r in runs[::-1]]
