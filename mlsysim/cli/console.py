"""Where the commands print to."""

import sys
from collections.abc import Iterable
from typing import Any

from rich.console import Console, ConsoleOptions
from rich.segment import Segment

from mlsysim.cli.streams import width
from mlsysim.printable import printable


class Terminal(Console):
    """A console for text that others wrote: none of it is markup, or obeyed by a terminal."""

    def render(self, renderable: Any, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Render something, with control characters in its text made visible."""
        for segment in super().render(renderable, options):
            text = segment.text if segment.control else printable(segment.text)
            yield segment if text == segment.text else Segment(text, segment.style)

    def on_broken_pipe(self) -> None:
        """Let whoever runs the command decide."""
        raise BrokenPipeError


def console(*, errors: bool = False) -> Console:
    """Make a console for standard output, or standard error.

    A pipe or a file has no width, so that lines are broken only for a
    terminal, or where ``COLUMNS`` asks for it.
    """
    stream = sys.stderr if errors else sys.stdout
    return Terminal(stderr=errors, highlight=False, markup=False, emoji=False, width=width(stream))
