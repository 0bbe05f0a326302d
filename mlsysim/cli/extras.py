"""What is installed with an extra, and how to say that it is not."""

from collections.abc import Iterator
from contextlib import contextmanager

from mlsysim.distribution import missing
from mlsysim.errors import ParameterError


@contextmanager
def extra(name: str, what: str) -> Iterator[None]:
    """Import packages of an extra in a block.

    Raises
    ------
    ParameterError
        If one of them is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise ParameterError(missing(what, str(error.name), name)) from None
