"""The models that a question file can name: ours, registered ones, and any importable one.

A package registers its models under the entry-point group ``mlsysim.stages``::

    [project.entry-points."mlsysim.stages"]
    CoolingModel = "my_package.cooling:CoolingModel"

after which ``stages = ["DistributedModel", "CoolingModel"]`` works in every question file; without
registration, ``stages = ["my_package.cooling:CoolingModel"]`` does, also for a module beside the
file.  A registered model cannot take the name of one of ours.
"""

import importlib
import inspect
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, cast, get_type_hints

from mlsysim.core import solver
from mlsysim.errors import QuestionError, suggest
from mlsysim.stages.stage import ForwardModel

GROUP = "mlsysim.stages"
"""The group of entry points under which packages register models."""


def built_in_stages() -> dict[str, type[ForwardModel]]:
    """Give the models of the package by name."""
    return {
        name: value
        for name, value in vars(solver).items()
        if _is_stage(value) and value is not ForwardModel
    }


def registered_stages() -> dict[str, EntryPoint]:
    """Give what installed packages register, by name, without importing any of it."""
    return {entry.name: entry for entry in entry_points(group=GROUP)}


def stage_named(name: str, place: str, folder: Path | None = None) -> type[ForwardModel]:
    """Find a model.

    Parameters
    ----------
    name
        One of ours, a registered one, or ``"module:Class"``.
    place
        File and key, for messages.
    folder
        Where modules are looked for after the interpreter's own path: the question file's folder.

    Raises
    ------
    QuestionError
        If there is none, its module cannot be imported, or it is no `ForwardModel`.
    """
    known = built_in_stages()
    if name in known:
        return known[name]
    if ":" in name:
        return _imported(name, place, folder)
    registered = registered_stages()
    if name in registered:
        return _imported(registered[name].value, f"{place}: {name!r}", None)
    raise QuestionError(
        f"{place}: no model is called {name!r}{suggest(name, [*known, *registered])}"
        "; a model of your own is written 'module:Class'"
    )


def not_taken(name: str, known: Iterable[str]) -> str:
    """Say that no model of a pipeline takes an argument, and what may be meant."""
    near = suggest(name, known)
    takers = [stage for stage, kind in built_in_stages().items() if name in kind.inputs()]
    if takers:
        near = f"; it is one of {', '.join(takers)}, not among pipeline.stages"
    return f"no model takes this argument{near or '; mlsysim list knobs tells which there are'}"


def annotations_of(stage: type[ForwardModel]) -> dict[str, Any]:
    """List the arguments of a model with what each takes."""
    hints = get_type_hints(stage.solve)
    return {name: hints.get(name, Any) for name in stage.inputs()}


def _imported(target: str, place: str, folder: Path | None) -> type[ForwardModel]:
    module_name, _, attribute = target.partition(":")
    with _searched(folder):
        try:
            module = importlib.import_module(module_name)
        except ImportError as error:
            raise QuestionError(
                f"{place}: the module {module_name!r} cannot be imported: {error}; install its "
                "package, or put the module beside the question file"
            ) from error
        except ValueError:
            raise QuestionError(
                f"{place}: {target!r} names no module; write 'module:Class'"
            ) from None
    found = getattr(module, attribute, None)
    if not _is_stage(found):
        stages = [key for key, value in vars(module).items() if _is_stage(value)]
        raise QuestionError(
            f"{place}: {module_name!r} has no model {attribute!r}{suggest(attribute, stages)}; "
            "a model is a subclass of mlsysim.ForwardModel"
        )
    return cast("type[ForwardModel]", found)


def _is_stage(value: Any) -> bool:
    return inspect.isclass(value) and issubclass(value, ForwardModel)


@contextmanager
def _searched(folder: Path | None) -> Iterator[None]:
    """Look in a folder too, after everything else: no module there can hide another."""
    if folder is None:
        yield
        return
    place = str(folder.resolve())
    sys.path.append(place)
    try:
        yield
    finally:
        sys.path.remove(place)
