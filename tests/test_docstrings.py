"""Every example of a docstring runs and prints what it says."""

import doctest
import importlib
import pkgutil

import pytest

import mlsysim

MODULES = [
    name
    for _, name, _ in pkgutil.walk_packages(mlsysim.__path__, "mlsysim.")
    if not name.endswith("__main__")
]
FEWEST = 200
"""Examples that the package has at least: fewer, and something hides them from this test."""


def examples_of(module: str) -> list[doctest.DocTest]:
    """Collect the docstrings of a module that have examples."""
    found = doctest.DocTestFinder(exclude_empty=True).find(importlib.import_module(module))
    return [item for item in found if item.examples]


@pytest.mark.parametrize("module", MODULES)
def test_examples_of_docstrings_run(module: str) -> None:
    """What a docstring shows is what the code prints."""
    for item in examples_of(module):
        failed = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(item)
        assert failed.failed == 0, f"{item.name}: an example of its docstring does not hold"


def test_examples_are_found() -> None:
    """The collection above sees the examples that the package has."""
    assert sum(len(item.examples) for name in MODULES for item in examples_of(name)) >= FEWEST
