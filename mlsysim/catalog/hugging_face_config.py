"""A Hugging Face ``config.json``, read strictly: a key that is needed is never guessed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from mlsysim.errors import CatalogError
from mlsysim.textfiles import parse_json, read_text


@dataclass(frozen=True, kw_only=True)
class Config:
    """The keys of one configuration, with the place to name in a message.

    A key that is null counts as absent.

    Parameters
    ----------
    place
        The file, and the table in it where the keys are not at the top.
    model_type
        The architecture that the keys describe.
    keys
        What the file says.
    """

    place: str
    model_type: str
    keys: Mapping[str, Any]

    def has(self, key: str) -> bool:
        """Tell whether a key is given, and not as null."""
        return self.keys.get(key) is not None

    def whole(self, key: str, default: int | None = None) -> int:
        """Read a whole number that is not negative.

        Parameters
        ----------
        key
            Its key.
        default
            What the architecture takes where the key is absent; nothing: it must be there.

        Raises
        ------
        CatalogError
            If it is missing and has no default, or is no such number.
        """
        value = self.keys.get(key)
        if value is None:
            if default is None:
                self._miss(key, "whole number")
            return default
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            self.refuse(key, f"{value!r} is not a whole number from 0 on")
        return value

    def either(self, key: str, *others: str) -> int:
        """Read a whole number that files give under several names; complain about the first."""
        return self.whole(next((name for name in (key, *others) if self.has(name)), key))

    def flag(self, key: str, *, default: bool) -> bool:
        """Read a truth value.

        Parameters
        ----------
        key
            Its key.
        default
            What the architecture takes where the key is absent.

        Raises
        ------
        CatalogError
            If it is neither true nor false.
        """
        value = self.keys.get(key)
        if value is None:
            return default
        if not isinstance(value, bool):
            self.refuse(key, f"{value!r} is neither true nor false")
        return value

    def names(self, key: str) -> tuple[str, ...]:
        """Read a list of words; empty where the key is absent.

        Raises
        ------
        CatalogError
            If it is no list of texts.
        """
        value = self.keys.get(key) or []
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            self.refuse(key, f"{value!r} is not a list of texts")
        return tuple(value)

    def numbers(self, key: str) -> tuple[int, ...]:
        """Read a list of whole numbers; empty where the key is absent.

        Raises
        ------
        CatalogError
            If it is no list of whole numbers.
        """
        value = self.keys.get(key) or []
        if not isinstance(value, list) or not all(type(item) is int for item in value):
            self.refuse(key, f"{value!r} is not a list of whole numbers")
        return tuple(value)

    def inner(self, key: str) -> "Config":
        """Read a table of keys.

        Raises
        ------
        CatalogError
            If it is missing or is no table.
        """
        value = self.keys.get(key)
        if value is None:
            self._miss(key, "table of keys")
        if not isinstance(value, Mapping):
            self.refuse(key, f"{value!r} is not a table of keys")
        return Config(place=f"{self.place}: {key}", model_type=self.model_type, keys=value)

    def count_layers(self, layers: int, holds: Callable[[int], bool]) -> int:
        """Count the layers, numbered from 0, of which something holds."""
        return sum(holds(layer) for layer in range(layers))

    def require(self, key: str, kind: str) -> None:
        """Refuse a file without a key.

        Parameters
        ----------
        key
            The key.
        kind
            What stands there, for the message.

        Raises
        ------
        CatalogError
            If it is missing or null.
        """
        if not self.has(key):
            self._miss(key, kind)

    def _miss(self, key: str, kind: str) -> NoReturn:
        self.refuse(
            key,
            f"missing; a model of type {self.model_type!r} needs it: take the file that "
            f'was published with the weights, or add "{key}": with its {kind}',
        )

    def tells_each(self, key: str, listed: Sequence[Any], layers: int, *known: Any) -> None:
        """Demand that a list has an item for each layer, of those that are known.

        Parameters
        ----------
        key
            Its key.
        listed, layers
            The list, and how many layers there are.
        known
            What an item may be; anything unless given.

        Raises
        ------
        CatalogError
            If it is longer or shorter, or has an item that is not known.
        """
        if len(listed) != layers:
            self.refuse(key, f"tells {len(listed)} layers, but num_hidden_layers is {layers}")
        for item in listed:
            if known and item not in known:
                self.refuse(key, f"{item!r} is none of {', '.join(map(str, known))}")

    def refuse(self, key: str, reason: str) -> NoReturn:
        """Say what is wrong with a key.

        Raises
        ------
        CatalogError
            Always.
        """
        raise CatalogError(f"{self.place}: {key}: {reason}")


def read_json(file: Path) -> dict[str, Any]:
    """Read a JSON object.

    Parameters
    ----------
    file
        Where it is.

    Raises
    ------
    CatalogError
        If there is no such file, or it holds anything but a JSON object.
    """
    cure = "give the path of a config.json on disk, or of the folder that holds one"
    content = parse_json(read_text(file, CatalogError, cure), str(file), CatalogError)
    if not isinstance(content, dict):
        raise CatalogError(f"{file}: holds no JSON object; give a model's config.json")
    return content
