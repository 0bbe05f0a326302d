"""The rivals' packages, loaded when they are needed."""

import importlib
from typing import Any


class MissingPackageError(Exception):
    """A rival's package is not installed."""


def load(name: str) -> Any:
    """Import a package of the extra ``bench``.

    Parameters
    ----------
    name
        The package.

    Raises
    ------
    MissingPackageError
        If it is not installed; the message says how to install it.
    """
    try:
        return importlib.import_module(name)
    except ImportError as reason:
        raise MissingPackageError(
            f"{name} is not installed ({reason}); install the rivals with pip install '.[bench]'"
        ) from reason
