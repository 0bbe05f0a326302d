"""Errors: one tree, documented, catchable by the habits of Python."""

import inspect

import pytest

from mlsysim import errors
from mlsysim.errors import InputError, MlsysimError, UnknownNameError, suggest

CLASSES = [
    found
    for _, found in inspect.getmembers(errors, inspect.isclass)
    if issubclass(found, BaseException)
]


@pytest.mark.parametrize("error", CLASSES)
def test_every_error_is_ours_and_says_what_it_means(error: type[Exception]) -> None:
    """One except clause catches all, and the docstring is the page a user needs."""
    assert issubclass(error, MlsysimError)
    assert error.__doc__
    assert error.__doc__ not in {base.__doc__ for base in error.__mro__[1:]}


@pytest.mark.parametrize("error", [found for found in CLASSES if issubclass(found, InputError)])
def test_bad_input_is_a_value_error(error: type[Exception]) -> None:
    """Whoever catches ValueError catches bad input, and reads the message as it was written."""
    assert issubclass(error, ValueError)
    assert str(error("'tp' is misspelt")) == "'tp' is misspelt"


def test_an_unknown_name_answers_hasattr_and_getitem() -> None:
    """The error is at once an AttributeError and a KeyError, as protocols of Python expect."""
    assert issubclass(UnknownNameError, AttributeError)
    assert issubclass(UnknownNameError, KeyError)


@pytest.mark.parametrize(
    ("name", "known", "expected"),
    [
        ("h100_sxn", ["H100_SXM", "T4"], "; did you mean 'H100_SXM'?"),
        ("tp", ["tp_size", "pp_size"], "; did you mean 'tp_size'?"),  # a name cut short
        ("sea", ["sea_level", "seq"], "; did you mean 'sea_level' or 'seq'?"),  # begun first
        ("zzz", ["b", "a"], "; known: 'a', 'b'"),
        ("zzz", [f"name_{i}" for i in range(13)], ""),  # too many to list
        ("zzz", [], ""),
    ],
)
def test_suggestions(name: str, known: list[str], expected: str) -> None:
    """Near names are proposed; a short list is shown; a long one is not."""
    assert suggest(name, known) == expected
