"""Fields that refer to another record: the accelerator of a node, the fabric of a cluster."""

from typing import Any

from mlsysim.catalog.fields import Field, Presence
from mlsysim.errors import CatalogError


class Reference(Field):
    """A record of a given kind; in a file, its name.

    Parameters
    ----------
    kind
        The class of the record.
    presence
        What it means that the field is not given.
    """

    def __init__(self, kind: type[Any], presence: Presence) -> None:
        super().__init__(presence)
        self.kind = kind

    def parse(self, value: object) -> Any:
        """Accept a record of the kind; the loader has replaced names by records."""
        if not isinstance(value, self.kind):
            raise CatalogError(
                f"{value!r} is not {_article(self.kind.__name__)}; take one from the catalogue, "
                f"or make {self.example()}"
            )
        return value

    def example(self) -> str:
        """Show how such a record is made."""
        return f"{self.kind.__name__}(...)"

    def in_file(self) -> str:
        """Show that a file names it."""
        return f"the name of {_article(self.kind.__name__.lower())}"

    def written(self) -> str:
        """Show how such a record is made: it is no text."""
        return self.example()


def reference(kind: type[Any], *, optional: bool = False) -> Any:
    """Declare a reference to a record: required, unless it is optional."""
    return Reference(kind, Presence.OPTIONAL if optional else Presence.REQUIRED)


def _article(word: str) -> str:
    return f"{'an' if word[0] in 'AEIOU' else 'a'} {word}"
