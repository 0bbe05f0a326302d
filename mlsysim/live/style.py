"""How the page looks: as reports do, laid out in two columns."""

from functools import cache
from importlib.resources import files

from mlsysim.report.markup import asset


@cache
def style() -> str:
    """Give the style sheet."""
    own = files("mlsysim.live").joinpath("assets", "live.css").read_text(encoding="utf-8")
    return asset("report.css") + asset("plan.css") + own
