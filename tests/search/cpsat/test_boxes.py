"""Boxes of designs: halving and listing lose nothing."""

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from strategies import examples

from mlsysim.search.cpsat.program.boxes import joined, whole

lengths = st.lists(st.integers(1, 5), min_size=1, max_size=4)


@given(lengths)
@examples(50)
def test_the_whole_box_lists_the_grid(sizes: list[int]) -> None:
    """One box over everything lists every combination once, the last choice fastest."""
    box = whole(sizes)
    assert box.volumes.tolist() == [math.prod(sizes)]
    assert box.designs().tolist() == [list(at) for at in np.ndindex(*sizes)]


@given(lengths, st.data())
@examples(50)
def test_halving_loses_no_design(sizes: list[int], data: st.DataObject) -> None:
    """Cut along any wide choices, again and again, boxes still hold every design once."""
    boxes = whole(sizes)
    for _ in range(data.draw(st.integers(0, 4))):
        wide = np.any(boxes.last > boxes.first, axis=1)
        if not wide.any():
            break
        large = boxes.take(wide)
        axes = [
            data.draw(st.sampled_from(np.flatnonzero(row).tolist()))
            for row in large.last > large.first
        ]
        boxes = joined([boxes.take(~wide), large.cut(np.array(axes), 2)])
    assert sorted(boxes.designs().tolist()) == [list(at) for at in np.ndindex(*sizes)]
    assert boxes.volumes.sum() == math.prod(sizes)


def test_an_astronomical_box_has_a_volume() -> None:
    """Ten choices of 1e12 values are 1e120 designs, counted as a float."""
    assert whole([10**12] * 10).volumes.tolist() == [1e120]
