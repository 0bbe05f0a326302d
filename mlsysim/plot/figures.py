"""Where pictures are drawn, and what is said where matplotlib is missing."""

import functools
import io
from importlib.util import find_spec
from typing import TYPE_CHECKING

from mlsysim.distribution import missing
from mlsysim.errors import ParameterError
from mlsysim.results.formatting import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure


def require_matplotlib(what: str) -> None:
    """Refuse to draw where matplotlib is not installed.

    Raises
    ------
    ParameterError
        With the command that installs it.
    """
    if find_spec("matplotlib") is None:
        raise ParameterError(missing(what, "matplotlib", "plot"))


def new_figure(width: float, height: float) -> "Figure":
    """Make a figure that pyplot does not hold, in inches; a notebook shows it."""
    require_matplotlib("a picture")
    return _shown_figure()(figsize=(width, height), layout="constrained")


@functools.cache
def _shown_figure() -> "type[Figure]":
    """Give the kind of figures that show themselves, which pyplot sees to for its own alone."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - an optional dependency

    class ShownFigure(Figure):
        """A figure that a notebook shows."""

        def _repr_png_(self) -> bytes:
            file = io.BytesIO()
            self.savefig(file, format="png")
            return file.getvalue()

    return ShownFigure


def axes_or_new(axes: "Axes | None", width: float, height: float) -> "Axes":
    """Give the caller's axes, or those of a figure of their own."""
    return new_figure(width, height).subplots() if axes is None else axes


def written_out(*sides: "Axis") -> None:
    """Let axes write large numbers as people do, in place of a factor at their end.

    Parameters
    ----------
    *sides
        ``axes.xaxis`` and the like.
    """
    for side in sides:
        side.set_major_formatter(lambda value, _: number(float(value)))
