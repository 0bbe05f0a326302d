"""Where the commands print to."""

import os
import sys

from rich.console import Console

_ENDLESS = 10_000


def console() -> Console:
    """Make a console for standard output.

    A pipe or a file has no width, so that lines are broken only for a
    terminal, or where ``COLUMNS`` asks for it.
    """
    free = not sys.stdout.isatty() and "COLUMNS" not in os.environ
    return Console(highlight=False, width=_ENDLESS if free else None)
