"""A report as HTML for a notebook, and the files from which its HTML is made."""

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from mlsysim.results.markup import as_html

if TYPE_CHECKING:
    from mlsysim.report.report import Report


def as_fragment(report: "Report") -> str:
    """Write a report for a notebook: it brings its own style and needs no script."""
    style = asset("report.css")
    return f'<div class="mlsysim"><style>{style}</style>{as_html(report.blocks())}</div>'


@cache
def asset(name: str) -> str:
    """Read a file that stands beside this module."""
    return files("mlsysim.report").joinpath("assets", name).read_text(encoding="utf-8")
