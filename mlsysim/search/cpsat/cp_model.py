"""OR-Tools' ``cp_model``, without the import of pandas that takes longer than a small search.

``cp_model`` imports pandas for annotations, and for methods about series, of which none is called
here.  Where nobody has imported pandas yet, that one statement gets a stand-in, which imports
pandas when somebody asks for one of its attributes.  ``sys.modules`` never holds the stand-in:
everybody else's ``import pandas`` means what it always did, before and after.
"""

import builtins
import importlib
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import ModuleType
from typing import TYPE_CHECKING, Any

__all__ = ["cp_model"]


class Deferred(ModuleType):
    """A module that is imported when one of its attributes is asked for, once ``ready``.

    Until then an attribute is a forward reference: what evaluates annotations while it is imported
    keeps them such that ``typing.get_type_hints`` finds the classes later.
    """

    def __init__(self, name: str, alias: str) -> None:
        super().__init__(name)
        self._alias = alias
        self.ready = False

    def __getattr__(self, name: str) -> Any:
        if not self.ready:
            return f"{self._alias}.{name}"
        return getattr(importlib.import_module(self.__name__), name)


class _Loader(SourceFileLoader):
    """Runs a module that is given the stand-in where it imports what is deferred."""

    def __init__(self, name: str, path: str, deferred: Deferred) -> None:
        super().__init__(name, path)
        self._deferred = deferred

    def exec_module(self, module: ModuleType) -> None:
        def imported(name: str, *arguments: Any, **named: Any) -> Any:
            if name == self._deferred.__name__:
                return self._deferred
            return builtins.__import__(name, *arguments, **named)

        vars(module)["__builtins__"] = {**vars(builtins), "__import__": imported}
        super().exec_module(module)
        self._deferred.ready = True


class _Finder:
    """Finds one module, for the loader above."""

    def __init__(self, name: str, deferred: Deferred) -> None:
        self._name = name
        self._deferred = deferred

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != self._name:
            return None
        found = PathFinder.find_spec(fullname, path, target)
        if found is not None and isinstance(found.loader, SourceFileLoader):
            found.loader = _Loader(fullname, found.loader.path, self._deferred)
        return found


def import_without(name: str, deferred: Deferred) -> ModuleType:
    """Import a module that imports another one only when it uses it.

    Parameters
    ----------
    name
        The module; whoever imported it before, or imports it later, shares it.
    deferred
        What it imports, under its alias; taken as it is where it is imported already.
    """
    if deferred.__name__ in sys.modules:
        return importlib.import_module(name)
    finder = _Finder(name, deferred)
    sys.meta_path.insert(0, finder)
    try:
        return importlib.import_module(name)
    finally:
        sys.meta_path.remove(finder)


if TYPE_CHECKING:
    from ortools.sat.python import cp_model
else:
    cp_model = import_without("ortools.sat.python.cp_model", Deferred("pandas", "pd"))
