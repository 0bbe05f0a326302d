"""The command starts fast: nothing heavy is loaded before a command needs it."""

import subprocess
import sys

HEAVY = ("ortools", "msgspec", "rich.progress", "mlsysim.catalog", "mlsysim.core")


def test_parsing_the_command_line_loads_nothing_heavy() -> None:
    """Importing the commands leaves solver, models and catalogue alone."""
    code = f"import sys, mlsysim.cli; print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_a_small_question_loads_nothing_that_takes_longer_than_its_answer() -> None:
    """CP-SAT answers the tutorial without pandas, LLVM, or anything that draws."""
    unused = (
        "pandas",
        "llvmlite",
        "matplotlib",
        "mlsysim.plot",
        "mlsysim.live",
        "mlsysim.plans",
        "mlsysim.catalog.hugging_face",
    )
    code = (
        "import sys\n"
        "from mlsysim.cli import main\n"
        "sys.argv = ['mlsysim', 'solve', 'models/training/tutorial.toml']\n"
        "try:\n"
        "    main()\n"
        "except SystemExit:\n"
        "    assert 'ortools.sat.python.cp_model' in sys.modules\n"
        f"    print([name for name in {unused} if name in sys.modules])\n"
    )
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert "OPTIMAL" in done.stdout
    assert done.stdout.splitlines()[-1] == "[]"
