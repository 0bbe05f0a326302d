"""What the exit status of the command means, and how errors become one."""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path

import typer

from mlsysim.cli.streams import complain
from mlsysim.errors import (
    InfeasibleError,
    InputError,
    MlsysimError,
    NoAnswerError,
    OutputError,
    TracingError,
)
from mlsysim.printable import one_line

# Of a longer message the middle is left out; it repeats what somebody wrote, or generated.
_LONGEST = 2_000


class ExitStatus(IntEnum):
    """The exit statuses of ``mlsysim``."""

    ANSWERED = 0
    CHECK_FAILED = 1
    BAD_INPUT = 2
    INFEASIBLE = 3
    NO_ANSWER = 4
    NOT_WRITTEN = 5
    INTERRUPTED = 130
    """After Ctrl-C; 128 and the number of the signal after another, so 143 after SIGTERM."""
    CLOSED_PIPE = 141


def report(error: MlsysimError, file: Path | None = None) -> ExitStatus:
    """Print an error as one line on standard error and say which status it means.

    A proof that there is no design is no error, and may have several lines.

    Parameters
    ----------
    error
        What went wrong.
    file
        The question file at hand; named where the message does not name it.
    """
    message = "; ".join([str(error), *getattr(error, "__notes__", ())])
    about_file = file is not None and not isinstance(error, OutputError)
    if about_file and not message.startswith(str(file)):
        message = f"{file}: {message}"
    if isinstance(error, InfeasibleError):
        lines = "\n  ".join(message.splitlines())
        complain(f"mlsysim: INFEASIBLE: {lines}")
        return ExitStatus.INFEASIBLE
    complain(f"mlsysim: error: {one_line(message, _LONGEST)}")
    if isinstance(error, OutputError):
        return ExitStatus.NOT_WRITTEN
    if isinstance(error, InputError | TracingError):
        return ExitStatus.BAD_INPUT
    return ExitStatus.NO_ANSWER if isinstance(error, NoAnswerError) else ExitStatus.CHECK_FAILED


@contextmanager
def errors_to_status(file: Path | None = None) -> Iterator[None]:
    """End the command with one line and a status where mlsysim raises an error.

    Raises
    ------
    typer.Exit
        If mlsysim raised one of its errors, or was interrupted.  Other exceptions are defects and
        keep their traceback.
    """
    try:
        yield
    except MlsysimError as error:
        raise typer.Exit(report(error, file)) from None
    except KeyboardInterrupt:
        raise typer.Exit(ExitStatus.INTERRUPTED) from None
