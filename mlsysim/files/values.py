"""Turn the text of a question file into what an argument of a model wants.

A file can only hold text and numbers.  What a text stands for follows from
the annotation of the argument that takes it: a catalogue entry where a record
is wanted (``fleet: Cluster``), itself where text is wanted
(``precision: str``), a quantity where neither is (``"0.08 USD/kWh"``).
"""

from collections.abc import Mapping, Sequence
from types import NoneType
from typing import Any, cast, get_args, get_origin

from mlsysim.catalog.builtin import TREES, find, node_of
from mlsysim.catalog.cluster import Cluster
from mlsysim.catalog.record import Record
from mlsysim.errors import InputError, QuestionError, UnknownNameError, suggest
from mlsysim.files.schema import Fixed, RangeTable, Scalar
from mlsysim.units import amount, quantity


def choices(values: tuple[Scalar, ...] | RangeTable, annotation: Any, place: str) -> Any:
    """Build the values of one choice.

    Raises
    ------
    QuestionError
        If the range has no or a negative step or misses its end, or a value
        does not fit the argument.
    """
    if isinstance(values, RangeTable):
        return _expand(values, place)
    return tuple(
        argument(value, annotation, f"{place}[{position}]") for position, value in enumerate(values)
    )


def argument(value: Fixed | Record, annotation: Any, place: str) -> Any:
    """Build the value of one argument.

    A table is one where the argument takes a value per name, a list where it takes one per stage.

    Raises
    ------
    QuestionError
        If a text names no catalogue entry, or one of the wrong kind, or is no
        quantity where one is wanted.
    """
    tables, kinds = _kinds(annotation)
    if isinstance(value, Mapping):
        return _table(value, tables, kinds, place)
    if isinstance(value, tuple):
        return _list(value, annotation, place)
    records = [kind for kind in kinds if kind in TREES]
    if not isinstance(value, str):
        return _no_text(value, kinds, records, place)
    try:
        if records:
            return _record(value, records)
        if str in kinds:
            return value
        if (found := amount(value)) is not None and found[1]:
            return quantity(*found)
    except InputError as error:
        raise QuestionError(f"{place}: {error}") from None
    cure = "drop the quotes" if _is_number(value) else "write one without quotes"
    raise QuestionError(f"{place}: {value!r} is no number; {cure}, or add a unit: '2 hour'")


def takes_list(annotation: Any) -> bool:
    """Tell whether an argument takes a list of numbers."""
    kinds = (annotation, *get_args(annotation))
    return any(get_origin(kind) is Sequence and get_args(kind) == (int,) for kind in kinds)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _no_text(value: Any, kinds: list[Any], records: list[type[Record]], place: str) -> Any:
    """Accept a number, or an entry of the question's own catalogue, where one is wanted."""
    if isinstance(value, Record):
        return _own(value, records, place)
    if set(kinds) <= {*records, str}:
        cure = f"the name of a {_wanted(records)}; 'mlsysim list' shows them"
        raise QuestionError(
            f"{place}: {value!r} is no text; write {cure if records else 'it in quotes'}"
        )
    return value


def _own(value: Record, kinds: Sequence[type[Record]], place: str) -> Record:
    """Accept an entry of the question's own catalogue where one of its kind is wanted."""
    if isinstance(value, tuple(kinds)):
        return value
    wanted = _wanted(kinds) if kinds else "an entry of a catalogue"
    raise QuestionError(f"{place}: {value.name!r} is of kind {type(value).__name__}, not {wanted}")


def _list(values: Sequence[Scalar], annotation: Any, place: str) -> list[Any]:
    """Build an argument that holds a value for each stage of a pipeline."""
    if not takes_list(annotation):
        cure = "; a list of values to choose from stands in [space]" if "fixed." in place else ""
        raise QuestionError(f"{place}: is a list; this argument takes one value{cure}")
    return [argument(item, int, f"{place}[{at}]") for at, item in enumerate(values)]


def _table(
    values: Mapping[str, Scalar], tables: Sequence[Any], kinds: Sequence[Any], place: str
) -> dict[str, Any]:
    """Build an argument that holds a value per name; clusters in tables were made before."""
    if not tables:
        cure = f"; {_cluster_of('DGX_H100')}" if Cluster in kinds else ""
        raise QuestionError(f"{place}: is a table; this argument takes one value{cure}")
    of = get_args(tables[0])[1]
    return {key: argument(item, of, f"{place}.{key}") for key, item in values.items()}


def _kinds(annotation: Any) -> tuple[list[Any], list[Any]]:
    """Sort what an argument takes into tables by name, and single values."""
    members = get_args(annotation) if get_origin(annotation) is not Mapping else ()
    kinds = [kind for kind in members or (annotation,) if kind is not NoneType]
    tables = [kind for kind in kinds if get_origin(kind) is Mapping]
    return tables, [kind for kind in kinds if kind not in tables]


def _record(name: str, kinds: Sequence[type[Record]]) -> Record:
    """Find a catalogue entry of one of some kinds."""
    for kind in kinds:
        if name in TREES[kind]:
            return cast("Record", TREES[kind][name])
    try:
        found = find(name)
    except UnknownNameError:
        known = [known for kind in kinds for known in TREES[kind]]
        others = [known for tree in TREES.values() for known in tree]
        cure = suggest(name, known) or suggest(name, others) or "; 'mlsysim list' shows them"
        raise QuestionError(f"the catalogue has no {_wanted(kinds)} {name!r}{cure}") from None
    if Cluster in kinds and (node := node_of(found.name)) is not None:
        what = "node" if found == node else "accelerator"
        raise QuestionError(f"{name!r} is one {what}; {_cluster_of(node.name)}")
    trees = " or ".join(TREES[kind].path.rpartition(".")[2].casefold() for kind in kinds)
    raise QuestionError(
        f"{name!r} is of kind {type(found).__name__}, not {_wanted(kinds)};"
        f" 'mlsysim list {trees}' shows what can stand here"
    )


def _cluster_of(node: str) -> str:
    """Show how a cluster is said in a question, without a catalogue."""
    return f'a cluster in a table is {{ node = "{node}", nodes = 40, fabric = "IB_NDR" }}'


def _wanted(kinds: Sequence[type[Record]]) -> str:
    return " or ".join(kind.__name__ for kind in kinds)


def _expand(values: RangeTable, place: str) -> range:
    if values.step < 1:
        raise QuestionError(f"{place}.step: {values.step} is no distance; write a positive number")
    count, rest = divmod(values.last - values.first, values.step)
    if count < 0:
        raise QuestionError(f"{place}.to: {values.last} lies before {values.first}, the start")
    if rest:
        raise QuestionError(
            f"{place}.to: steps of {values.step} from {values.first} meet"
            f" {values.last - rest} and {values.last - rest + values.step}, not {values.last}"
        )
    return range(values.first, values.last + 1, values.step)
