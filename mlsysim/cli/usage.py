"""Run the commands, and say in one line what is wrong with how they were called."""

import sys

import typer

# What typer raises for an option or argument that it cannot use; it has no public name.
_UsageError: type[typer.BadParameter] = typer.BadParameter.__mro__[1]
_BAD_INPUT = 2
_INTERRUPTED = 130


def run(app: typer.Typer) -> int:
    """Run the command line and give its exit status.

    Parameters
    ----------
    app
        The commands.
    """
    try:
        status = app(prog_name="mlsysim", standalone_mode=False)
    except _UsageError as error:
        return _report(error)
    except typer.Abort:
        return _INTERRUPTED
    return int(status or 0)


def _report(error: typer.BadParameter) -> int:
    message = " ".join(error.format_message().split()).replace("Value error, ", "")
    if not message:  # called without a command: the error is the help itself
        error.show()
        return _BAD_INPUT
    command = error.ctx.command_path if error.ctx is not None else "mlsysim"
    hint = "" if "did you mean" in message.casefold() else f"; see {command} --help"
    sys.stderr.write(f"mlsysim: error: {_small(message)}{hint}\n")
    return _BAD_INPUT


def _small(message: str) -> str:
    """Begin in lower case, as all other messages do, and end without a full stop."""
    return f"{message[:1].lower()}{message[1:]}".removesuffix(".")
