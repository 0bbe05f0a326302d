"""The plugin of pytest: question files are tests, and other files are left alone."""

import importlib.metadata
from pathlib import Path

import pytest

import mlsysim.pytest_plugin
import mlsysim.search.cpsat.engine  # the runs below would load what it imports a second time
from mlsysim.files.question import load
from mlsysim.files.verification import expected_block

pytest_plugins = ["pytester"]

QUESTION = """
question = "Which layout trains Llama 3 70B fastest on 8,192 H100s?"
objective = "maximize: DistributedModel.effective_throughput"

[pipeline]
stages = ["DistributedModel"]
arguments = { tp_size = "tp", pp_size = "pp" }

[fixed]
model = "Llama3_70B"
fleet = "Frontier_8K"
batch_size = 128
precision = "fp16"
efficiency = 0.45

[space]
tp = [2, 4, 8]
pp = [1, 2, 4]
"""

LIMIT = """
[constraints.sla]
require = "DistributedModel.step_latency_total <= {limit}"
because = "The monitoring restarts what is slower."
"""

PARETO = """
[pareto]
objectives = [
    "minimize: DistributedModel.step_latency_total",
    "minimize: DistributedModel.memory_per_accelerator",
]
"""

FOREIGN = {
    "pyproject": '[project]\nname = "x"\nversion = "1"\n[tool.x]\nobjective = "y"\n',
    "tuning": '[space]\nlr = [1, 2]\n[search]\nobjective = "loss"\n',
    "broken": "[[[",
}

SPY = """
import sys

def pytest_sessionfinish():
    heavy = {"numpy", "pint", "ortools", "mlsysim.units", "mlsysim.core", "mlsysim.catalog"}
    print("loaded:", sorted(heavy & set(sys.modules)))
"""


def arguments() -> list[str]:
    """Name the plugin, where this checkout is not installed."""
    points = importlib.metadata.entry_points(group="pytest11")
    return [] if "mlsysim" in points.names else ["-p", "mlsysim.pytest_plugin"]


def write(pytester: pytest.Pytester, name: str, text: str) -> Path:
    """Write a file into a folder of plans."""
    file = pytester.path / "plans" / f"{name}.toml"
    file.parent.mkdir(exist_ok=True)
    file.write_text(text)
    return file


def run(pytester: pytest.Pytester, *more: str) -> pytest.RunResult:
    """Run pytest on the folder."""
    return pytester.runpytest_inprocess(*arguments(), "-p", "no:cacheprovider", *more)


def with_expected(file: Path) -> str:
    """Write down the answer of a question file as what it is to be."""
    return expected_block(load(file).solve(method="exhaustive"))


def test_a_question_that_keeps_its_word_passes(pytester: pytest.Pytester) -> None:
    """An answer that is the expected one, and one of which nothing is expected."""
    file = write(pytester, "free", QUESTION)
    write(pytester, "bound", QUESTION + with_expected(file))
    result = run(pytester, "-v", "plans")
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["*plans/bound.toml::answer PASSED*"])


def test_an_unexpected_answer_is_explained(pytester: pytest.Pytester) -> None:
    """What was expected, what was found, and the block to write if that is right."""
    file = write(pytester, "moved", QUESTION)
    block = with_expected(file)
    file.write_text(QUESTION + '[expected]\nstatus = "OPTIMAL"\nobjective = 1.0\n')
    result = run(pytester, "plans")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "expected.objective: 1.0, but the reference finds *",
            "plans/moved.toml: Which layout trains Llama 3 70B fastest*",
            "OPTIMAL (proven): *",
            "If the models have changed on purpose, the file is to say:",
            *block.splitlines(),
            "FAILED plans/moved.toml::answer - expected.objective: 1.0, but*",
        ]
    )
    result.stdout.no_fnmatch_line("*Traceback*")
    result.stdout.no_fnmatch_line("*pytest_plugin.py*")


@pytest.mark.parametrize("expected", ["", '[expected]\nstatus = "OPTIMAL"\n'])
def test_a_limit_that_cannot_be_met_fails(pytester: pytest.Pytester, expected: str) -> None:
    """The explanation names the limit, what could be reached, and why it was asked for."""
    write(pytester, "strict", QUESTION + LIMIT.format(limit="5 ms") + expected)
    result = run(pytester, "plans")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "*sla (DistributedModel.step_latency_total <= 5 ms): best reachable *",
            "*sla: The monitoring restarts what is slower.",
        ]
    )


def test_an_expected_conflict_passes(pytester: pytest.Pytester) -> None:
    """A file may say that nothing fits."""
    file = write(pytester, "strict", QUESTION + LIMIT.format(limit="5 ms"))
    block = with_expected(file)
    assert block == '[expected]\nstatus = "INFEASIBLE"\nconflict = ["sla"]'
    file.write_text(file.read_text() + block)
    run(pytester, "plans").assert_outcomes(passed=1)


def test_a_front_is_a_test_of_its_own(pytester: pytest.Pytester) -> None:
    """The number of points is compared as well."""
    expected = '[expected]\nstatus = "OPTIMAL"\npoints = 1000\n'
    write(pytester, "front", QUESTION + PARETO + expected)
    result = run(pytester, "plans")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["expected.points: 1000, but the reference finds *"])


def test_a_bad_file_is_an_error_in_one_line(pytester: pytest.Pytester) -> None:
    """A misspelt key of a question file is told with its place, not passed over."""
    write(pytester, "typo", QUESTION.replace("[space]", "[spaces]"))
    result = run(pytester, "plans")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["plans/typo.toml: spaces: unknown key; did you mean 'space' *"])


def test_where_the_grid_is_too_large(pytester: pytest.Pytester) -> None:
    """Beyond the setting only CP-SAT answers, and the failure says so."""
    pytester.makeini("[pytest]\nmlsysim_walk = 4\nmlsysim_time_limit = 60\nmlsysim_workers = 1\n")
    write(pytester, "large", QUESTION + '[expected]\nstatus = "OPTIMAL"\nobjective = 1.0\n')
    result = run(pytester, "plans")
    result.stdout.fnmatch_lines(["(CP-SAT's answer; the space of 9 designs is too large*"])
    result.stdout.no_fnmatch_line("*the reference finds*")


def test_a_setting_that_is_no_number(pytester: pytest.Pytester) -> None:
    """The message says which, and what to write."""
    pytester.makeini("[pytest]\nmlsysim_walk = many\n")
    write(pytester, "large", QUESTION)
    run(pytester, "plans").stdout.fnmatch_lines(["*mlsysim_walk = 'many' is not a number*"])


def test_patterns_say_which_files(pytester: pytest.Pytester) -> None:
    """With patterns those files are tests, whatever stands in them, and no others."""
    pytester.makeini("[pytest]\nmlsysim_questions = plans/a*.toml\n")
    for name in ("ask", "other"):
        write(pytester, name, QUESTION)
    write(pytester, "apart", "")
    result = run(pytester, "plans")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["plans/apart.toml: *: missing*"])


def test_other_files_cost_nothing(pytester: pytest.Pytester) -> None:
    """A run without question files collects none, and loads neither NumPy nor the models."""
    for name, text in FOREIGN.items():
        write(pytester, name, text)
    pytester.makeconftest(SPY)
    pytester.makepyfile("def test_nothing(): pass")
    found = pytester.runpytest_subprocess(*arguments(), "-p", "no:cacheprovider", "-q")
    found.assert_outcomes(passed=1)
    found.stdout.fnmatch_lines(["*loaded: []*"])


def test_the_plugin_is_switched_off(pytester: pytest.Pytester) -> None:
    """With -p no:mlsysim question files are files like any other."""
    if arguments():
        pytest.skip("only an installed plugin has a name")
    write(pytester, "asked", QUESTION)
    run(pytester, "-p", "no:mlsysim", "plans").assert_outcomes()


def test_the_package_declares_the_plugin() -> None:
    """Whoever installs the package has the plugin."""
    text = (Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8")
    assert '[project.entry-points.pytest11]\nmlsysim = "mlsysim.pytest_plugin"\n' in text
    assert mlsysim.pytest_plugin.__doc__
