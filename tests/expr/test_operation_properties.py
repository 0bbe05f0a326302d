"""Every property of every operation is what NumPy shows on random grids, and none is missing.

Each is checked both ways: what a row says is true, and what a row does not say is seen
to be false somewhere, so that nobody forgets to say what would make a search quick.
"""

import dataclasses
import math
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
import pytest

from mlsysim.expr.operation import Bend, Operation
from mlsysim.expr.operations import OPERATIONS

ROWS = list(OPERATIONS.values())
by_name = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
SIGNS = (-1, 0, 1)
SAMPLES = 60


def numbers(random: np.random.Generator, sign: int, count: int) -> np.ndarray:
    """Draw numbers of a sign: whole, fractional, zero, small and large."""
    drawn = np.concatenate(
        [
            random.integers(-4, 5, count).astype(np.float64),
            random.uniform(-3, 3, count),
            random.uniform(-0.9, 0.9, count),
            random.uniform(-40, 40, count),
            [0.0],
        ]
    )
    picked: np.ndarray = random.choice(drawn, count)
    return picked if not sign else sign * np.abs(picked)


def arguments(
    random: np.random.Generator, row: Operation, signs: tuple[int, ...], count: int
) -> list[np.ndarray]:
    """Draw values for each argument; a few where only zero or not zero counts."""
    return [
        random.integers(-(sign < 1), 1 + (sign > -1), count).astype(np.float64)
        if row.reads_truth(place)
        else numbers(random, sign, count)
        for place, sign in enumerate(signs)
    ]


def compute(row: Operation, *values: Any) -> np.ndarray:
    """Apply NumPy's function of the operation's name."""
    with np.errstate(all="ignore"):
        return np.asarray(getattr(np, row.name)(*values), np.float64)


def sign_patterns(row: Operation) -> list[tuple[int, ...]]:
    """List the signs that the arguments of an operation may have."""
    return list(product(SIGNS, repeat=row.arity))


@by_name
def test_no_property_has_a_default(row: Operation) -> None:
    """A row that leaves a property out cannot be built, whatever its form adds to them."""
    fields = dataclasses.fields(row)
    assert all(field.default is dataclasses.MISSING for field in fields)
    assert all(field.default_factory is dataclasses.MISSING for field in fields)
    given = {field.name: getattr(row, field.name) for field in fields}
    for name in given:
        with pytest.raises(TypeError, match=name):
            type(row)(**{other: value for other, value in given.items() if other != name})


@by_name
def test_the_way_it_moves_is_numpys(row: Operation) -> None:
    """With one argument rising and the others fixed, the result moves as the row says."""
    random = np.random.default_rng(1)
    for signs in sign_patterns(row):
        moves = row.moves(signs)
        assert len(moves) == row.arity
        for place in range(row.arity):
            seen = set()
            for _ in range(SAMPLES):
                values: list[Any] = [drawn[0] for drawn in arguments(random, row, signs, 1)]
                values[place] = np.sort(arguments(random, row, signs, 24)[place])
                results = np.broadcast_to(compute(row, *values), 24)
                with np.errstate(invalid="ignore"):
                    seen |= set(np.sign(np.diff(results[~np.isnan(results)])).tolist())
            seen -= {0.0}
            seen = {way for way in seen if not math.isnan(way)}
            if moves[place]:
                assert seen <= {moves[place]}, (signs, place)
            elif len(seen) == 1:
                pytest.fail(f"for signs {signs} argument {place} always moves it by {seen}")


@by_name
def test_the_sign_is_numpys(row: Operation) -> None:
    """From arguments of known signs the result has the sign that the row says."""
    random = np.random.default_rng(2)
    for signs in sign_patterns(row):
        results = compute(row, *arguments(random, row, signs, 40 * SAMPLES))
        seen = set(np.sign(results[~np.isnan(results)]).tolist()) - {0.0}
        said = row.sign(signs)
        if said:
            assert seen <= {float(said)}, signs
        elif len(seen) == 1:
            pytest.fail(f"for signs {signs} the result always has the sign {seen}")


def bends(row: Operation, grid: np.ndarray, others: list[float]) -> set[Bend]:
    """Tell which bends the values on an even grid allow."""
    values = compute(row, grid, *others)
    if not np.isfinite(values).all():
        return set(Bend)
    second, size = np.diff(values, 2), 1e-12 * max(1.0, float(np.abs(values).max()))
    allowed = {Bend.NEITHER}
    if (second >= -size).all():
        allowed.add(Bend.CONVEX)
    if (second <= size).all():
        allowed.add(Bend.CONCAVE)
    if {Bend.CONVEX, Bend.CONCAVE} <= allowed:
        allowed.add(Bend.LINEAR)
    return allowed


@by_name
def test_the_bend_is_numpys(row: Operation) -> None:
    """Along its first argument an operation curves as the row says for the range."""
    random = np.random.default_rng(3)
    never_seen_to_bend = {Bend.CONVEX, Bend.CONCAVE}
    for sample in range(20 * SAMPLES):
        low, high = sorted(numbers(random, int(random.integers(-1, 2)), 2).tolist())
        if sample % 8 == 0:
            low, high = -1.0, 1.0  # some change at zero alone, which is on the grid then
        others = [
            float(random.integers(0, 2) if row.reads_truth(place) else numbers(random, 0, 1)[0])
            for place in range(1, row.arity)
        ]
        if low == high:
            continue
        said = row.bend(low, high, *others)
        allowed = bends(row, np.linspace(low, high, 65), others)
        assert said in allowed, (low, high, others)
        if said is Bend.NEITHER:
            never_seen_to_bend &= allowed
    if row.bend(0.5, 2.0, *(0.5 for _ in range(row.arity - 1))) is Bend.NEITHER:
        assert not never_seen_to_bend


@by_name
def test_the_neutral_number_is_numpys(row: Operation) -> None:
    """A neutral argument leaves the other one as it is; every such number is told."""
    random = np.random.default_rng(4)
    for place, neutral in enumerate(row.neutral):
        others = numbers(random, 0, SAMPLES)
        for candidate in {0.0, 1.0, *({neutral} - {None})}:
            if row.arity != 2 or row.truth:
                assert neutral is None
                continue
            values = [others, others]
            values[place] = np.full(SAMPLES, candidate)
            unchanged = np.array_equal(compute(row, *values), others)
            assert unchanged == (neutral == candidate), candidate


def _cases(count: int) -> list[tuple[float, float]]:
    random = np.random.default_rng(5)
    drawn = random.uniform(-1, 1, (count, 2)) * 10.0 ** random.integers(-8, 9, (count, 2))
    return [(float(a), float(b)) for a, b in drawn]


def _root(a: float) -> Fraction:
    """Give the square root to 200 bits, which decides how it is rounded."""
    scaled = Fraction(a) * 4**200
    return Fraction(math.isqrt(scaled.numerator // scaled.denominator), 2**200)


# The true result in rational numbers.
TRUE: dict[str, Any] = {
    "add": lambda a, b: Fraction(a) + Fraction(b),
    "subtract": lambda a, b: Fraction(a) - Fraction(b),
    "negative": lambda a: -Fraction(a),
    "multiply": lambda a, b: Fraction(a) * Fraction(b),
    "square": lambda a: Fraction(a) ** 2,
    "divide": lambda a, b: Fraction(a) / Fraction(b),
    "floor_divide": lambda a, b: Fraction(a) // Fraction(b),
    "remainder": lambda a, b: a % b,  # Python's own, which corrects C's fmod
    "absolute": lambda a: abs(Fraction(a)),
    "sign": lambda a: (a > 0) - (a < 0),
    "floor": math.floor,
    "ceil": math.ceil,
    "trunc": math.trunc,
    "rint": round,
    "sqrt": lambda a: _root(abs(a)),
    "maximum": max,
    "minimum": min,
    "where": lambda a, b, c: b if a else c,
    "less": lambda a, b: a < b,
    "less_equal": lambda a, b: a <= b,
    "greater": lambda a, b: a > b,
    "greater_equal": lambda a, b: a >= b,
    "equal": lambda a, b: a == b,
    "not_equal": lambda a, b: a != b,
    "logical_and": lambda a, b: bool(a) and bool(b),
    "logical_or": lambda a, b: bool(a) or bool(b),
    "logical_xor": lambda a, b: bool(a) != bool(b),
    "logical_not": lambda a: not a,
}


def test_exact_operations_are_those_with_a_true_result() -> None:
    """An operation that is said to be exact has its true result above, and no other has."""
    assert set(TRUE) == {row.name for row in ROWS if row.is_exact}


@pytest.mark.parametrize("name", TRUE)
def test_exact_operations_round_to_the_nearest_float(name: str) -> None:
    """On arrays NumPy gives the float next to the true result, to the last bit."""
    cases = [(a, b) for a, b in _cases(2_000) if abs(a) < 1e14 * abs(b)]
    if name == "sqrt":
        cases = [(abs(a), b) for a, b in cases]
    columns = [np.array(column) for column in zip(*cases, strict=True)]
    columns.append(columns[0] + columns[1])
    arity = OPERATIONS[name].arity
    found = compute(OPERATIONS[name], *columns[:arity])
    for place, value in enumerate(found.tolist()):
        true = TRUE[name](*(column[place] for column in map(np.ndarray.tolist, columns[:arity])))
        assert value == float(true), cases[place]
