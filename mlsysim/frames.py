"""Tables for pandas and for what speaks Arrow, which are loaded only for them."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mlsysim.distribution import missing
from mlsysim.errors import OutputError

if TYPE_CHECKING:
    from pandas import DataFrame


class Tabular(ABC):
    """What is also a table: of pandas, and of whatever reads Arrow's streams.

    ``pyarrow.table(answer)``, ``polars.DataFrame(answer)`` and the like need no more (the Arrow
    PyCapsule interface).
    """

    @abstractmethod
    def to_pandas(self) -> "DataFrame":
        """Give it as a table of pandas; units are in ``.attrs["units"]``, by column.

        Raises
        ------
        OutputError
            If pandas is not installed.
        """

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """Hand the table of `to_pandas` over as a stream of Arrow.

        Raises
        ------
        OutputError
            If pandas or pyarrow is not installed.
        """
        table = self.to_pandas()
        try:
            return table.__arrow_c_stream__(requested_schema)
        except ImportError:
            raise OutputError(missing("a stream of Arrow", "pyarrow", "arrow")) from None


def frame(rows: Sequence[Mapping[str, Any]], units: Mapping[str, str]) -> "DataFrame":
    """Make a table of rows; what a row lacks is missing there.

    Parameters
    ----------
    rows
        Column -> value, for each row.
    units
        Column -> its unit; kept in ``.attrs["units"]``.

    Raises
    ------
    OutputError
        If pandas is not installed.
    """
    try:
        import pandas as pd  # noqa: PLC0415 - an optional dependency
    except ImportError:
        raise OutputError(missing("to_pandas()", "pandas", "data")) from None
    made = pd.DataFrame(list(rows))
    made.attrs["units"] = {name: unit for name, unit in units.items() if unit}
    return made


def flat(data: Mapping[str, Any], start: str = "") -> Iterator[tuple[str, Any, str]]:
    """Give the numbers and texts in nested data of JSON: path, value and unit.

    Verdicts (``checks``) and lists are left out: they are no columns.

    Examples
    --------
    >>> list(flat({"Stage": {"time": {"value": 2.0, "unit": "s"}, "checks": {}}}))
    [('Stage.time', 2.0, 's')]
    """
    for key, value in data.items():
        path = f"{start}{key}"
        if isinstance(value, Mapping) and value.keys() == {"value", "unit"}:
            yield path, value["value"], value["unit"]
        elif isinstance(value, Mapping):
            if key != "checks":
                yield from flat(value, f"{path}.")
        elif not isinstance(value, list):
            yield path, value, ""
