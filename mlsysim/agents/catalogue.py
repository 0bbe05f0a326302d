"""The catalogue and the models as data, for programs that choose from them."""

from collections.abc import Mapping
from typing import Any

from mlsysim.catalog.builtin import TREES, find
from mlsysim.catalog.record import Record
from mlsysim.errors import UnknownNameError, suggest
from mlsysim.files.stage_names import built_in_stages, registered_stages, stage_named
from mlsysim.problem.domain import label
from mlsysim.stages.knobs import Knob
from mlsysim.stages.stage import ForwardModel


def kinds() -> dict[str, Any]:
    """Give the kinds of entries, each with how many there are, and the names of the models."""
    trees = {tree.path.rpartition(".")[2].casefold(): len(tree) for tree in TREES.values()}
    return {"kinds": trees, "stages": _stages()}


def entries(kind: str) -> dict[str, Any]:
    """List the entries of one kind with their titles.

    Parameters
    ----------
    kind
        One of those of `kinds`, or ``"stages"``.

    Raises
    ------
    UnknownNameError
        If there is no such kind.
    """
    if kind.casefold() == "stages":
        return {"stages": {name: _summary(stage_named(name, "stage")) for name in _stages()}}
    trees = {tree.path.rpartition(".")[2].casefold(): tree for tree in TREES.values()}
    if kind.casefold() not in trees:
        raise UnknownNameError(f"there is no kind {kind!r}{suggest(kind, [*trees, 'stages'])}")
    return {kind.casefold(): {name: item.title for name, item in trees[kind.casefold()].items()}}


def entry(name: str) -> dict[str, Any]:
    """Give one entry with all its figures and their sources, or what a model takes and reports.

    Parameters
    ----------
    name
        Such as ``"H100_SXM"`` or ``"ServingModel"``.

    Raises
    ------
    UnknownNameError
        If there is none.
    """
    return _stage(stage_named(name, "stage")) if name in _stages() else _record(find(name))


def _stages() -> list[str]:
    return [*built_in_stages(), *registered_stages()]


def _summary(stage: type[ForwardModel]) -> str:
    return (stage.__doc__ or "").partition("\n")[0]


def _stage(stage: type[ForwardModel]) -> dict[str, Any]:
    return {
        "name": stage.__name__,
        "meaning": _summary(stage),
        "arguments": {name: _knob(knob) for name, knob in stage.knobs().items()},
        "metrics": {
            name: {"unit": metric.unit, "meaning": metric.text}
            for name, metric in stage.metrics().items()
        },
    }


def _knob(knob: Knob) -> Mapping[str, Any]:
    required = knob.default is Knob.REQUIRED
    return {
        "required": required,
        **({} if required else {"default": label(knob.default)}),
        "range": str(knob.domain),
        "unit": knob.unit,
        "meaning": knob.documentation,
    }


def _record(record: Record) -> dict[str, Any]:
    """Give a record; the records that it is made of are named."""
    fields = [name for name in record.described_fields() if record.has(name)]
    values = {name: getattr(record, name) for name in fields}
    return {
        "name": record.name,
        "kind": type(record).__name__,
        "title": record.title,
        "note": record.note,
        "figures": {
            name: {
                "value": figure.value,
                "unit": figure.unit,
                "source": figure.source,
                "date": figure.date,
                "confidence": figure.confidence.value,
                "note": figure.note,
            }
            for name, figure in record.figures.items()
        },
        "parts": {name: item.name for name, item in values.items() if isinstance(item, Record)},
    }
