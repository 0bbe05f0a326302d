"""Columns and extremes are those of lists, however long the range."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from strategies import domains, examples

from mlsysim.expr.columns import Column, Extremes, scanned


@given(domains(9), st.data())
@examples(150)
def test_a_column_has_the_extremes_of_its_values(values: list[float], data: st.DataObject) -> None:
    """Between any two positions the extremes are the smallest and largest of the values."""
    column = Column(values)
    first, last = sorted(data.draw(st.integers(0, len(values) - 1)) for _ in range(2))
    low, high = column.extremes(np.array([first]), np.array([last]))
    between = [float(value) for value in values[first : last + 1]]
    assert (low[0], high[0]) == (min(between), max(between))
    assert column.at(np.arange(len(values))).tolist() == [float(value) for value in values]
    assert column.is_whole == all(float(value).is_integer() for value in values)


def test_a_line_is_told_from_other_values() -> None:
    """Equally spaced whole numbers are start and step; fractions and gaps are none."""
    assert Column([4, 6, 8]).line == (4, 2)
    assert Column([8.0, 5.0, 2.0]).line == (8, -3)
    assert Column([7]).line == (7, 1)
    assert Column(range(10, 0, -2)).line == (10, -2)
    assert Column([1, 2, 4]).line is None
    assert Column([0.5, 1.5]).line is None


def test_a_long_range_stays_a_range() -> None:
    """A range of 1e12 values costs nothing: 3 + 2 * 1e11 is its value at 1e11."""
    column = Column(range(3, 2 * 10**12, 2))
    assert column.at(np.array([10**11])).tolist() == [200_000_000_003.0]
    low, high = column.extremes(np.array([5]), np.array([10**11]))
    assert (low[0], high[0]) == (13.0, 200_000_000_003.0)


@given(
    st.integers(1, 3).flatmap(lambda n: st.lists(st.integers(1, 5), min_size=n, max_size=n)),
    st.data(),
)
@examples(100)
def test_a_table_has_the_extremes_of_its_entries(shape: list[int], data: st.DataObject) -> None:
    """Over any block of a table the extremes are those of its entries; a gap opens both ends."""
    entries = st.floats(-5, 5) | st.just(np.nan)
    size = int(np.prod(shape))
    table = np.array(data.draw(st.lists(entries, min_size=size, max_size=size))).reshape(shape)
    ends = [sorted(data.draw(st.integers(0, n - 1)) for _ in range(2)) for n in shape]
    low, high = Extremes(table).over([(np.array([a]), np.array([b])) for a, b in ends])
    block = table[tuple(slice(a, b + 1) for a, b in ends)]
    gap = np.isnan(block).any()
    assert low[0] == (-np.inf if gap else block.min())
    assert high[0] == (np.inf if gap else block.max())


@given(st.lists(st.integers(0, 9), min_size=1100, max_size=1300), st.data())
@examples(5)
def test_a_long_table_has_the_extremes_of_its_entries(
    values: list[int], data: st.DataObject
) -> None:
    """More than 1024 entries, whose pairs of ends are not tabulated, are bounded exactly too."""
    first, last = sorted(data.draw(st.integers(0, len(values) - 1)) for _ in range(2))
    table = np.array(values, np.float64)
    low, high = Extremes(table).over([(np.array([first]), np.array([last]))])
    assert (low[0], high[0]) == (table[first : last + 1].min(), table[first : last + 1].max())


def test_a_large_table_over_two_choices_is_bounded_by_all_of_it() -> None:
    """40 by 40 entries: a single cell is exact, any larger block gets the extremes of all."""
    table = np.arange(1600.0).reshape(40, 40)
    extremes = Extremes(table)
    cell = extremes.over([(np.array([3]), np.array([3])), (np.array([4]), np.array([4]))])
    assert [end.tolist() for end in cell] == [[124.0], [124.0]]
    block = extremes.over([(np.array([3]), np.array([3])), (np.array([4]), np.array([5]))])
    assert [end.tolist() for end in block] == [[0.0], [1599.0]]


@given(st.data())
@examples(150)
def test_what_is_narrowed_to_nothing_stays_so(data: st.DataObject) -> None:
    """Cut to some values, and then to others: what is left holds exactly what is in both."""
    table = np.array(data.draw(st.lists(st.integers(0, 5), min_size=1, max_size=8)), np.float64)
    first, last = sorted(data.draw(st.integers(0, len(table) - 1)) for _ in range(2))
    ends = [sorted(data.draw(st.integers(-1, 6)) for _ in range(2)) for _ in range(3)]
    left = [at for at in range(first, last + 1) if all(a <= table[at] <= b for a, b in ends)]
    begin, end = np.array([first]), np.array([last])
    for low, high in ends:
        begin, end = scanned(table, begin, end, np.array([float(low)]), np.array([float(high)]))
    assert all(begin[0] <= at <= end[0] for at in left)
    inside = [at for at in range(begin[0], end[0] + 1) if first <= at <= last]
    assert len(inside) == max(0, end[0] + 1 - begin[0])
