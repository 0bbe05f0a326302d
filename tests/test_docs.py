"""The documentation names everything that is public."""

import inspect
import re
from pathlib import Path

import mlsysim
from mlsysim import errors

DOCS = Path(__file__).parents[1] / "docs"
REFERENCE = (DOCS / "reference.md").read_text(encoding="utf-8")


def test_every_public_object_has_its_entry() -> None:
    """Each name that `mlsysim` exports is in the reference, or is an error and on that page."""
    named = {line.rpartition("mlsysim.")[2] for line in REFERENCE.splitlines() if ".. auto" in line}
    trees = {"Models", "Systems", "Infrastructure"}
    exceptions = {name for name in mlsysim.__all__ if hasattr(errors, name)}
    assert named == set(mlsysim.__all__) - exceptions - trees - {"__version__"}
    assert all(f"`mlsysim.{tree}`" in REFERENCE for tree in trees)


def test_every_error_is_shown_failing_and_repaired() -> None:
    """Each class has a heading with an example on the page of errors, or says why it has none."""
    page = (DOCS / "errors.md").read_text(encoding="utf-8")
    found = inspect.getmembers(errors, inspect.isclass)
    names = {name for name, kind in found if issubclass(kind, errors.MlsysimError)}
    shown = set(re.findall(r"^## (\w+)$", page, flags=re.MULTILINE)) & names
    told = page.partition("## Without an example")[2].partition("## Reference")[0]
    assert {f"`{name}`" for name in names - shown} <= set(re.findall(r"`\w+`", told))
    assert page.count("fine: ") >= len(shown) - 3
