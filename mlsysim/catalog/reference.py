"""Fields that refer to another record: the accelerator of a node, the fabric of a cluster."""

from typing import Any

from mlsysim.catalog.fields import Field
from mlsysim.errors import CatalogError


class Reference(Field):
    """A record of a given kind; in a file, its name.

    Parameters
    ----------
    kind
        The class of the record.
    """

    def __init__(self, kind: type[Any]) -> None:
        super().__init__()
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


def reference(kind: type[Any]) -> Any:
    """Declare a reference to a record, which is required."""
    return Reference(kind)


def _article(word: str) -> str:
    return f"{'an' if word[0] in 'AEIOU' else 'a'} {word}"
