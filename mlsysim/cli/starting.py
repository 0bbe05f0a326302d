"""``mlsysim new``: write a commented question file to start from."""

import os
import shlex
from importlib.resources import files
from pathlib import Path

from mlsysim.cli.status import ExitStatus, errors_to_status
from mlsysim.cli.streams import say
from mlsysim.cli.writable import check_writable
from mlsysim.errors import ParameterError
from mlsysim.printable import one_line
from mlsysim.textfiles import write_text


def write_question(file: Path, kind: str, *, overwrite: bool) -> ExitStatus:
    """Write a question file that can be answered as it stands.

    Parameters
    ----------
    file
        What to write; ``-`` prints it.
    kind
        What to ask about: the stem of one of the templates.
    overwrite
        Whether a file that exists may be replaced.
    """
    with errors_to_status():
        text = _template(kind)
        if str(file) == "-":
            say(text)
            return ExitStatus.ANSWERED
        check_writable("FILE", file)
        if not overwrite and os.path.lexists(file):
            raise ParameterError(
                f"{file}: exists; give another name, or replace it with --overwrite"
            )
        named = one_line(shlex.quote(str(file)))
        write_text(file, text.replace("FILE", named))
        say(f"{file}: written; now try: mlsysim solve {named}\n")
    return ExitStatus.ANSWERED


def _template(kind: str) -> str:
    return files("mlsysim.cli").joinpath("templates", f"{kind}.toml").read_text(encoding="utf-8")
