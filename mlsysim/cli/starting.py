"""``mlsysim new``: write a commented question file to start from."""

import sys
from importlib.resources import files
from pathlib import Path

from mlsysim.cli.status import ExitStatus, errors_to_status
from mlsysim.errors import ParameterError


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
            sys.stdout.write(text)
            return ExitStatus.ANSWERED
        try:
            with file.open("w" if overwrite else "x", encoding="utf-8") as stream:
                stream.write(text.replace("FILE", str(file)))
        except FileExistsError:
            raise ParameterError(
                f"{file}: exists; give another name, or replace it with --overwrite"
            ) from None
        except OSError as error:
            raise ParameterError(f"{file}: cannot be written: {error.strerror}") from None
        print(f"{file}: written; now try: mlsysim solve {file}")
    return ExitStatus.ANSWERED


def _template(kind: str) -> str:
    return files("mlsysim.cli").joinpath("templates", f"{kind}.toml").read_text(encoding="utf-8")
