"""Read the times and amounts of a plan's file: dates become seconds from the begin."""

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

from mlsysim.errors import InputError, QuestionError
from mlsysim.files.assembly import located
from mlsysim.stages.arguments import in_unit
from mlsysim.units import amount

_TINY = 1e-6
DAY = 86400


@dataclass(frozen=True, kw_only=True)
class Reader:
    """Reads the values of one file.

    Parameters
    ----------
    file
        The name that messages use.
    origin
        The date of the begin, where the file has one.
    """

    file: str
    origin: datetime | None = None

    @contextmanager
    def at(self, key: str) -> Iterator[None]:
        """Put file and key in front of what a user is told."""
        try:
            yield
        except QuestionError:
            raise
        except InputError as error:
            raise located(error, f"{self.file}: {key}") from None

    def amount(self, value: Any, unit: str, key: str) -> float:
        """Read a number, or an amount in text, in a unit.

        Parameters
        ----------
        value
            What the file holds.
        unit
            The unit that it is wanted in, and that a plain number has.
        key
            The key, for messages.
        """
        name = key.rpartition(".")[2]
        with self.at(key):
            return float(in_unit(name, value, unit))

    def span(self, value: str, key: str) -> int:
        """Read how long something lasts, in whole seconds, rounded up.

        Parameters
        ----------
        value
            Text such as ``"4 hour"``.
        key
            The key, for messages.
        """
        seconds = self.amount(value, "s", key)
        if not 0 <= seconds < math.inf:
            raise QuestionError(f"{self.file}: {key}: {value!r} is no time that something lasts")
        return math.ceil(seconds - _TINY)

    def moment(self, value: Any, key: str) -> int:
        """Read when something happens: seconds from the begin.

        Parameters
        ----------
        value
            A date, or text such as ``"14 day"``, which counts from the begin.
        key
            The key, for messages.
        """
        if isinstance(value, str):
            if amount(value) is None or re.match(r"\s*\d+-\d", value):
                name = key.rpartition(".")[2]
                raise QuestionError(
                    f"{self.file}: {key}: {name} is {value!r}; write a date such as 2027-01-25, or"
                    " a time after the begin such as '14 day'"
                )
            return self.span(value, key)
        moment = self._since(value, key)
        if moment < 0:
            raise QuestionError(
                f"{self.file}: {key}: {value} is before the plan's begin; write a later date than "
                f"{self.origin}"
            )
        return moment

    def since(self, value: Any, key: str) -> int:
        """Read when something begins: with the plan, where it was before that."""
        if value is None:
            return 0
        return max(
            self.moment(value, key) if isinstance(value, str) else self._since(value, key), 0
        )

    def _since(self, value: Any, key: str) -> int:
        if self.origin is None:
            raise QuestionError(
                f"{self.file}: {key}: {value} is a date, and the plan has none; "
                "write its begin, e.g. begin = 2027-01-04"
            )
        spent = dated(value, self.file, key) - self.origin
        return math.ceil(spent.total_seconds() - _TINY)


def dated(value: Any, file: str, key: str) -> datetime:
    """Read a date; one with an offset is put into UTC, all others are taken as they are."""
    if isinstance(value, datetime):
        return value if value.tzinfo is None else value.astimezone(UTC).replace(tzinfo=None)
    if isinstance(value, date):
        return datetime.combine(value, time())
    raise QuestionError(
        f"{file}: {key}: {value!r} is no date; write 2027-03-01 or 2027-03-01T12:00:00, without "
        "quotes, or a time from the begin, such as '14 day'"
    )
