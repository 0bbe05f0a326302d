"""One line of progress on standard error, only where a person is watching."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from mlsysim.cli.console import console
from mlsysim.search.interruption import interruptible
from mlsysim.search.options import Progress, ProgressCallback


@contextmanager
def progress_line(title: str) -> Iterator[ProgressCallback | None]:
    """Show how many designs have been looked at, while the work lasts.

    Until then an interrupt ends the command; from here on it ends the work, with what there is.

    Yields
    ------
    ProgressCallback or None
        To be handed to a search; nothing where standard error is no terminal.
    """
    with interruptible():
        if sys.stderr.isatty():
            with _bar(title) as show:
                yield show
        else:
            yield None


@contextmanager
def _bar(title: str) -> Iterator[ProgressCallback]:
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[state]}"))
    with Bar(*columns, TimeElapsedColumn(), console=console(errors=True), transient=True) as bar:
        task = bar.add_task(title, total=None, state="")

        def show(progress: Progress) -> None:
            # As a share: a joint question has more designs than a float can hold.
            share = 1000 * progress.done // progress.total
            bar.update(task, completed=share, total=1000, state=str(progress))

        yield show
