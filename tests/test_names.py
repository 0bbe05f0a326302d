"""A name means one thing in the package."""

import ast
from collections import defaultdict
from pathlib import Path

import mlsysim

PACKAGE = Path(mlsysim.__file__).parent


def classes_of(file: Path) -> list[str]:
    """Collect the names of the classes of a file."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return [node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]


def test_no_two_classes_have_one_name() -> None:
    """Whoever looks a name up finds one definition, and an import need not be read to know it."""
    places = defaultdict(list)
    for file in sorted(PACKAGE.rglob("*.py")):
        for name in classes_of(file):
            places[name].append(str(file.relative_to(PACKAGE)))
    assert len(places) > 300
    assert {name: found for name, found in places.items() if len(found) > 1} == {}
