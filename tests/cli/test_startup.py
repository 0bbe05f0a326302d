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
