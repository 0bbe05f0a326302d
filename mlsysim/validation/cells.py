"""One row of a file of measured runs, cell by cell: empty means unknown, nonsense is refused."""

from collections.abc import Mapping
from dataclasses import dataclass

from mlsysim.errors import MeasurementError
from mlsysim.validation.words import Word, Words

_TRUTHS = {"y": True, "yes": True, "true": True, "1": True}
_FALSEHOODS = {"n": False, "no": False, "false": False, "0": False}


@dataclass(frozen=True, kw_only=True)
class RowCells:
    """The cells of one row by column, as text.

    Parameters
    ----------
    file
        The file, for messages.
    line
        The line on which the row ends, for messages where it has no name.
    texts
        What stands in each column, without the blanks around it.
    """

    file: str
    line: int
    texts: Mapping[str, str]

    @property
    def identity(self) -> str:
        """The row's own name, or the line where it stands."""
        return self.texts.get("id") or f"line {self.line}"

    def text(self, column: str) -> str:
        """Give what a cell says; empty where the cell is, or there is no such column."""
        return self.texts.get(column, "")

    def whole(self, column: str, *, least: int = 1) -> int | None:
        """Read a whole number, or None from an empty cell.

        Raises
        ------
        MeasurementError
            If the cell holds something else, or a number below `least`.
        """
        number = self.number(column)
        if number is None:
            return None
        if not number.is_integer() or number < least:
            raise self.refuse(column, f"write a whole number from {least} on")
        return int(number)

    def number(self, column: str) -> float | None:
        """Read a number that is not negative, or None from an empty cell.

        Raises
        ------
        MeasurementError
            If the cell holds something else.
        """
        said = self.text(column)
        if not said:
            return None
        try:
            number = float(said)
        except ValueError:
            example = said.replace(",", "").split()[0] if "," in said else "1536"
            raise self.refuse(
                column, f"write a plain number such as {example}, without unit or separators"
            ) from None
        if not 0 <= number < float("inf"):
            raise self.refuse(column, "write a finite number that is not negative")
        return number

    def positive(self, column: str) -> float | None:
        """Read a number above zero, or None from an empty cell.

        Raises
        ------
        MeasurementError
            If the cell holds something else.
        """
        number = self.number(column)
        if number == 0:
            raise self.refuse(column, "write a number above zero")
        return number

    def flag(self, column: str) -> bool | None:
        """Read y or n, or None from an empty cell.

        Raises
        ------
        MeasurementError
            If the cell holds something else.
        """
        said = self.text(column).casefold()
        if not said:
            return None
        answers = _TRUTHS | _FALSEHOODS
        if said not in answers:
            raise self.refuse(column, "write y or n")
        return answers[said]

    def word(self, column: str, words: Words[Word], *, of_a_source: bool = False) -> Word | None:
        """Read a word of a closed set, or None from an empty cell.

        Raises
        ------
        MeasurementError
            If the cell holds none of them.
        """
        said = self.text(column)
        if not said:
            return None
        found = words.meaning(said, of_a_source=of_a_source)
        if found is None:
            raise self.refuse(column, words.cure(said))
        return found

    def refuse(self, column: str, cure: str) -> MeasurementError:
        """Phrase what is wrong with a cell."""
        return MeasurementError(
            f"{self.file}: row {self.identity}: {column} is {self.text(column)!r}; {cure},"
            " or leave the cell empty where it is not known"
        )
