"""Spaces number their designs in grid order, and domains keep what they were given."""

from dataclasses import dataclass
from itertools import product

import numpy as np
import pytest

from mlsysim.errors import SpaceError
from mlsysim.problem import Domain, SearchSpace


@dataclass(frozen=True)
class Fleet:
    """An object with a name."""

    name: str


def test_designs_are_numbered_with_the_last_choice_fastest() -> None:
    """The order is that of nested loops."""
    space = SearchSpace({"a": [3, 1], "b": ["x", "y", "z"], "c": [True, False]})
    loops = [dict(zip("abc", values, strict=True)) for values in product(*space.values())]
    assert [space.point(index) for index in range(space.size)] == loops
    assert [space.index(point) for point in loops] == list(range(12))  # 2 * 3 * 2


def test_a_range_is_never_expanded() -> None:
    """A choice of 1e12 values has a length, an array of a slice, and positions."""
    domain = Domain("n", range(1, 10**12 + 1))
    space = SearchSpace({"n": domain, "m": range(10**12)})
    assert len(domain) == 10**12
    assert domain.array(10**11, 10**11 + 2).tolist() == [10**11 + 1, 10**11 + 2]
    assert domain.index(77) == 76
    assert space.size == 10**24
    assert space.point(10**24 - 1) == {"n": 10**12, "m": 10**12 - 1}


def test_numpy_scalars_become_python_numbers() -> None:
    """So that what is returned can be written as JSON and compared exactly."""
    domain = Domain("x", np.array([1, 2]))
    assert [type(value) for value in domain] == [int, int]
    assert [type(value) for value in Domain("x", [np.float64(0.5), np.bool_(1) + 0.0])] == [
        float,
        float,
    ]


def test_truth_values_are_numbers_in_arrays_only() -> None:
    """Arrays hold 0 and 1, designs True and False."""
    domain = Domain("flag", [False, True])
    assert domain.is_numeric
    assert domain.is_boolean
    assert domain.array().tolist() == [0.0, 1.0]
    assert SearchSpace({"flag": domain}).point(1)["flag"] is True
    assert 1 not in domain


def test_objects_and_strings_are_not_numeric() -> None:
    """They are known by their names."""
    domain = Domain("fleet", [Fleet("A"), Fleet("B")])
    assert not domain.is_numeric
    assert domain.labels == ("A", "B")
    assert domain.index(Fleet("B")) == 1
    with pytest.raises(SpaceError, match="'fleet' has no numbers"):
        domain.array()


def test_none_is_a_choice_beside_strings() -> None:
    """As in recompute: None, "full"."""
    assert Domain("recompute", [None, "full"]).labels == ("None", "full")


def test_whole_numbers_are_choices_up_to_the_last_that_floats_hold() -> None:
    """2**53 + 1 has no float64 of its own, so that no reading but plain Python could tell it."""
    assert Domain("x", [-(2**53), 2**53]).array().tolist() == [-(2.0**53), 2.0**53]
    assert Domain("x", range(2**53 - 1, 2**53 + 1)).index(2**53) == 1
    assert Domain("x", [1e20]).array().tolist() == [1e20]


@pytest.mark.parametrize(
    "values",
    [
        range(2**60),
        range(-(2**61), 1),
        range(2**62),
        range(10**20 + 1),
        range(10**30),
        range(10**30, 0, -1),
        range(2**53 + 2),
        [2**53, 2**53 + 1],
        [-(2**53) - 1],
        np.array([2**60, 1]),
        np.array([2**63], np.uint64),
    ],
    ids=repr,
)
def test_whole_numbers_that_floats_skip_are_refused(values: object) -> None:
    """The message names the choice, the size that is exact, and what to do instead."""
    with pytest.raises(SpaceError, match=r"choice 'x' reaches .*2\*\*53.*count in a larger unit"):
        Domain("x", values)


def test_a_design_outside_the_space_is_refused() -> None:
    """The message lists the choices."""
    space = SearchSpace({"tp": [1, 2, 4]})
    with pytest.raises(SpaceError, match="'tp' = 3 is not among its choices: 1, 2, 4"):
        space.index({"tp": 3})
    with pytest.raises(SpaceError, match="'tpp' is not a choice; did you mean 'tp'"):
        space.index({"tp": 1, "tpp": 3})
    with pytest.raises(SpaceError, match="gives no value for 'tp'"):
        space.index({})
