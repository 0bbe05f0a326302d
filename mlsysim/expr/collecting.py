"""Build graphs without the collector of garbage: there is none among what is kept."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Iterator[None]:
    """Let the collector rest while a block makes ten thousands of objects that all stay.

    It would walk over all that a program has in memory again and again, and find nothing:
    a third of the time that a large question takes to prepare.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
