"""See before the work begins that its outcome can be written after it."""

from pathlib import Path

from mlsysim.errors import ParameterError


def check_writable(option: str, target: Path) -> None:
    """See that a file can be written.

    Raises
    ------
    ParameterError
        If its folder does not exist, or it is a folder itself.
    """
    try:
        if not target.parent.is_dir():
            raise ParameterError(f"{option} {target}: there is no folder {target.parent}")
        if target.is_dir():
            raise ParameterError(f"{option} {target}: is a folder; name a file in it")
    except OSError as error:
        raise ParameterError(f"{option} {target}: cannot be written: {error.strerror}") from None
