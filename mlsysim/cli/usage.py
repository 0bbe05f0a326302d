"""Run the commands, and say in one line what is wrong with how they were called."""

import sys
from collections.abc import Sequence

import typer

from mlsysim.cli.interrupts import CommandInterruption, leave
from mlsysim.cli.status import ExitStatus, report
from mlsysim.cli.streams import abandon, complain, guarded
from mlsysim.errors import OutputError
from mlsysim.printable import one_line
from mlsysim.search.interruption import under

# What typer raises for an option or argument that it cannot use; it has no public name.
_UsageError: type[typer.BadParameter] = typer.BadParameter.__mro__[1]
_LONGEST = 500


def run(app: typer.Typer, signals: Sequence[int] = ()) -> int:
    """Run the command line and give its exit status.

    Parameters
    ----------
    app
        The commands.
    signals
        Those that end a command with what there is; after one, the process ends here.
    """
    interruption = CommandInterruption()
    with guarded(), under(interruption, signals):
        try:
            status = _called(app)
            sys.stdout.flush()
        except BrokenPipeError:
            abandon()
            return ExitStatus.CLOSED_PIPE
        except OutputError as error:
            abandon()
            status = report(error)
        if interruption.came:
            interruption.tell()
            leave(interruption.status)
    return status


def _called(app: typer.Typer) -> int:
    try:
        status = app(prog_name="mlsysim", standalone_mode=False)
    except _UsageError as error:
        return _report(error)
    except typer.Abort:
        return ExitStatus.INTERRUPTED
    return int(status or 0)


def _report(error: typer.BadParameter) -> int:
    message = " ".join(error.format_message().split()).replace("Value error, ", "")
    if not message:  # called without a command: the error is the help itself
        error.show()
        return ExitStatus.BAD_INPUT
    command = error.ctx.command_path if error.ctx is not None else "mlsysim"
    hint = "" if "did you mean" in message.casefold() else f"; see {command} --help"
    complain(f"mlsysim: error: {one_line(_small(message), _LONGEST)}{hint}")
    return ExitStatus.BAD_INPUT


def _small(message: str) -> str:
    """Begin in lower case, as all other messages do, and end without a full stop."""
    return f"{message[:1].lower()}{message[1:]}".removesuffix(".")
