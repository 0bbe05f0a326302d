"""The documentation names everything that is public."""

from pathlib import Path

import mlsysim
from mlsysim import errors

REFERENCE = (Path(__file__).parents[1] / "docs" / "reference.md").read_text(encoding="utf-8")


def test_every_public_object_has_its_entry() -> None:
    """Each name that `mlsysim` exports is in the reference, or is an error and on that page."""
    named = {line.rpartition("mlsysim.")[2] for line in REFERENCE.splitlines() if ".. auto" in line}
    trees = {"Models", "Systems", "Infrastructure"}
    exceptions = {name for name in mlsysim.__all__ if hasattr(errors, name)}
    assert named == set(mlsysim.__all__) - exceptions - trees - {"__version__"}
    assert all(f"`mlsysim.{tree}`" in REFERENCE for tree in trees)
