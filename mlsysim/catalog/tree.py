"""Read-only trees of records: ``Models.Language.Llama3_70B``, with completion and lazy reading."""

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic, NoReturn, TypeVar, cast

from mlsysim.catalog.loader import Section
from mlsysim.catalog.record import Record
from mlsysim.errors import CatalogError, UnknownNameError, suggest
from mlsysim.frames import Tabular, frame
from mlsysim.markup import table

if TYPE_CHECKING:
    from pandas import DataFrame

Kind_co = TypeVar("Kind_co", bound=Record, covariant=True)


class Tree(Tabular, Mapping[str, Kind_co], Generic[Kind_co]):
    """The records of one kind by name, as attributes and as a mapping.

    Nothing is read before it is asked for: the file at the first name, a
    record at its own name.

    Parameters
    ----------
    path
        How the tree itself is reached, for messages.
    read
        Gives the records that are not yet built.
    further
        Gives the trees of the same kind that installed packages add, asked for where this one
        has no such name, and to list them all.

    Examples
    --------
    >>> from mlsysim.catalog import Systems
    >>> Systems.Fabrics.IB_NDR is Systems.Fabrics["IB_NDR"]
    True
    >>> "IB_NDR" in Systems.Fabrics
    True
    """

    _path: str
    _read: Callable[[], Section]
    _further: "Callable[[], Sequence[Tree[Any]]]"
    _found: Section | None
    _built: dict[str, Kind_co]

    def __init__(
        self,
        path: str,
        read: Callable[[], Section],
        further: "Callable[[], Sequence[Tree[Any]]]" = tuple,
    ) -> None:
        vars(self).update(_path=path, _read=read, _further=further, _found=None, _built={})

    @property
    def path(self) -> str:
        """How the tree is reached, e.g. ``"Systems.Clusters"``."""
        return self._path

    @property
    def _section(self) -> Section:
        if self._found is None:
            vars(self)["_found"] = self._read()
        return cast("Section", self._found)

    def __getitem__(self, name: str) -> Kind_co:
        if name not in self._built:
            self._built[name] = self._build(name)
        return self._built[name]

    def _build(self, name: str) -> Kind_co:
        if name in self._section.entries:
            return cast("Kind_co", self._section.build(name))
        for tree in self._further():
            if name in tree:
                return cast("Kind_co", tree[name])
        raise UnknownNameError(f"{self._path} has no {name!r}{suggest(str(name), self)}")

    def __getattr__(self, name: str) -> Kind_co:
        if name.startswith("_"):  # protocols of Python and of notebooks: no reason to read a file
            raise AttributeError(name)
        return self[name]

    def __contains__(self, name: object) -> bool:
        return name in self._section.entries or any(name in tree for tree in self._further())

    def __iter__(self) -> Iterator[str]:
        return itertools.chain(self._section.entries, *self._further())

    def __len__(self) -> int:
        return len(self._section.entries) + sum(map(len, self._further()))

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self]

    def _ipython_key_completions_(self) -> list[str]:
        return list(self)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        refuse_change(self._path, name)

    def __delattr__(self, name: str) -> NoReturn:
        refuse_change(self._path, name)

    def to_pandas(self) -> "DataFrame":
        """Give the records as a table of pandas, a row each; units are in ``.attrs["units"]``.

        Raises
        ------
        OutputError
            If pandas is not installed.
        """
        rows: list[dict[str, Any]] = []
        units: dict[str, str] = {}
        for name, record in self.items():
            figures = record.figures
            rows.append(
                {"name": name, "title": record.title}
                | {key: figure.value for key, figure in figures.items()}
            )
            units |= {key: figure.unit for key, figure in figures.items()}
        return frame(rows, units)

    def __hash__(self) -> int:
        return hash(self._path)

    def __eq__(self, other: object) -> bool:
        return self is other

    def __repr__(self) -> str:
        return f"<{self._path}: {len(self)} records>"

    def _repr_html_(self) -> str:
        rows = ((name, record.title) for name, record in self.items())
        return table(("name", "title"), rows, self._path)


class Branch:
    """A read-only group of trees, such as ``Models`` or ``Systems``."""

    path = ""

    def trees(self) -> dict[str, Tree[Any]]:
        """Give the trees by name."""
        return {name: tree for name, tree in vars(self).items() if isinstance(tree, Tree)}

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("_"):
            raise AttributeError(name)
        raise UnknownNameError(f"{self.path} has no {name!r}{suggest(name, self.trees())}")

    def __setattr__(self, name: str, value: object) -> NoReturn:
        refuse_change(self.path, name)

    def __delattr__(self, name: str) -> NoReturn:
        refuse_change(self.path, name)

    def __iter__(self) -> Iterator[str]:
        return iter(self.trees())

    def __repr__(self) -> str:
        return f"<{self.path}: {', '.join(self)}>"


def refuse_change(path: str, name: str) -> NoReturn:
    """Tell that the catalogue is read-only, and how to add to it.

    Raises
    ------
    CatalogError
        Always.
    """
    raise CatalogError(
        f"{path}.{name} cannot be set or removed: the catalogue is read-only; make a record of "
        "your own in Python, or load a file with mlsysim.load_catalog"
    )


def find_in(trees: Iterable[Tree[Any]], name: str) -> Any:
    """Find a record by name in several trees.

    Raises
    ------
    UnknownNameError
        If none of them has it.
    """
    known: list[str] = []
    for tree in trees:
        if name in tree:
            return tree[name]
        known.extend(tree)
    near = suggest(name, known) or "; 'mlsysim list' shows them"
    raise UnknownNameError(f"the catalogue has no {name!r}{near}")
