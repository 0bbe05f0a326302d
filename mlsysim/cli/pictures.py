"""``--plot``: write a picture to a file."""

from pathlib import Path
from typing import Any

from mlsysim.cli.writable import check_writable
from mlsysim.errors import ParameterError, suggest
from mlsysim.plot.figures import require_matplotlib
from mlsysim.textfiles import replacing

_FORMATS = ("png", "svg", "pdf", "jpg", "webp")


def require_drawable(target: Path) -> None:
    """See before the work begins that a picture can be drawn after it.

    Raises
    ------
    ParameterError
        If matplotlib is not installed, the format is unknown, or the folder
        does not exist.
    """
    require_matplotlib("--plot")
    ending = target.suffix.removeprefix(".").lower()
    if ending not in _FORMATS:
        raise ParameterError(
            f"--plot {target}: no picture format has this ending{suggest(ending, _FORMATS)}"
        )
    check_writable("--plot", target)


def save(figure: Any, target: Path) -> None:
    """Write a figure, whole or not at all."""
    with replacing(target, f"--plot {target}") as beside:
        figure.savefig(beside, dpi=150)
