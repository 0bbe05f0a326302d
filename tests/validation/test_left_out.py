"""Errors of sources that are left out of the fit, and the table and intervals made of them."""

import functools
import math
import random
import re
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from mlsysim.catalog import Systems
from mlsysim.stages.error_classes import COVERAGE, LEVELS, Quantity, error_classes, levels_of
from mlsysim.stages.evidence import Evidence
from mlsysim.validation.accuracy_page import accuracy_page, held_by_others
from mlsysim.validation.error_table import by_class, error_table, quantiles_of
from mlsysim.validation.left_out import Distance, Fitted, serving_fit, training_fit
from mlsysim.validation.measured import serving_rows, training_rows

_ENOUGH = 20
# Of two sources each is judged by the other alone, which cannot tell how far sources lie apart.
_TELLING = 3


@functools.cache
def fits() -> tuple[Fitted, Fitted]:
    """Fit all constants, and leave every source of the package out in turn."""
    return training_fit(training_rows()), serving_fit(serving_rows())


def distances() -> tuple[Distance, ...]:
    """Give what is left out of both."""
    training, serving = fits()
    return (*training.distances, *serving.distances)


def test_the_catalogue_holds_what_the_rows_tell() -> None:
    """Every constant, and how sure it is, to the digits of the data files."""
    records = {**Systems.Calibrations, **Systems.Runtimes}
    for fit in fits():
        for owner, name, value, error in fit.values():
            record = Systems.Calibrations.Generic.serving if owner == "" else records[owner]
            if owner == "" and fit.common == "Generic":
                record = Systems.Calibrations.Generic
            # The two fits have the other's constants in their digits.
            assert getattr(record, name) == pytest.approx(value, rel=0.01), (owner, name)
            assert record.figures[name].error == pytest.approx(error, rel=0.1), (owner, name)


def test_the_table_is_what_leaving_sources_out_gives() -> None:
    """After a change of the models: python -m mlsysim.validation.calibrate --write."""
    made, known = error_table(distances()), error_classes()
    assert made.keys() == known.keys()
    for name, found in made.items():
        told, new = asdict(known[name]), asdict(found)
        assert told.pop("accelerators") == new.pop("accelerators")
        assert told.pop("quantiles") == pytest.approx(new.pop("quantiles"), abs=0.003), name
        assert told == pytest.approx(new, abs=0.003), name


def test_the_page_of_the_documentation_is_current() -> None:
    """After a change: python -m mlsysim.validation.calibrate --write --page docs/accuracy.md."""
    told = (Path(__file__).parents[2] / "docs" / "accuracy.md").read_text(encoding="utf-8")
    made = accuracy_page(told, distances())
    assert made.count("<!-- left out: ") == 4
    numbers = re.compile(r"[+-]?\d+(?:\.\d+)?")
    assert numbers.sub("#", told) == numbers.sub("#", made)
    for one, other in zip(numbers.findall(told), numbers.findall(made), strict=True):
        assert float(one) == pytest.approx(float(other), abs=1.001)  # the last digit may round


def test_intervals_hold_four_in_five_of_sources_that_they_have_not_seen() -> None:
    """Made without a source, they hold 75 to 88 % of its runs, over the classes that can tell."""
    classes = by_class(distances())
    held = seen = 0.0
    for name, members in classes.items():
        share = held_by_others(name, classes)
        sources = {one.group for one in members}
        if len(members) >= _ENOUGH and share is not None and len(sources) >= _TELLING:
            assert share >= 2 / 3, name
            held += share * len(members)
            seen += len(members)
    assert seen >= 600
    assert 0.75 <= held / seen <= 0.88


def test_intervals_hold_the_rows_they_are_made_of() -> None:
    """Three in four of them at least in each class of twenty rows or more, and not all of most."""
    classes = by_class(distances())
    shares = []
    low, high = levels_of(COVERAGE)
    for name, found in error_classes().items():
        off = -np.array([one.left_out for one in classes[name]])
        if len(off) >= _ENOUGH:
            ends = math.log(found.factor(low)), math.log(found.factor(high))
            shares.append(np.mean((off >= ends[0]) & (off <= ends[1])))
            assert shares[-1] >= 0.75, name
    assert np.median(shares) <= 0.88


def test_what_was_left_out_is_not_much_worse_than_what_was_fitted() -> None:
    """The sign that constants are not fitted to the noise of sources: three points at most."""
    for kind in ("dense", "mixture"):
        members = [
            one
            for one in distances()
            if one.evidence.kind == kind and one.quantity is Quantity.STEP
        ]
        fitted, left_out = (
            np.mean([abs(getattr(one, name)) for one in members]) for name in ("fitted", "left_out")
        )
        assert fitted < left_out < fitted + 0.03


def test_quantiles_are_those_of_the_rows() -> None:
    """Of many sources the quantiles of their rows; of few rows, what other families add widens."""
    drawn = random.Random(0)  # noqa: S311 - no secret
    many = [[drawn.gauss(0, 0.1) for _ in range(20)] for _ in range(100)]
    found = quantiles_of(many, [], 0.0)
    assert found[LEVELS.index(0.5)] == pytest.approx(0, abs=0.01)
    assert found[LEVELS.index(0.9)] == pytest.approx(0.128, abs=0.015)
    few = [[0.01, -0.01]]
    wide = quantiles_of(few, [drawn.gauss(0, 0.3) for _ in range(500)], 0.0)
    assert wide[0] < -0.1 < 0.1 < wide[-1]
    assert quantiles_of(few, [], 0.0)[-1] == pytest.approx(0.01)


def test_a_source_that_nobody_has_seen_is_off_by_something_of_its_own() -> None:
    """The fewer sources there are and the further they lie apart elsewhere, the wider."""
    drawn = random.Random(1)  # noqa: S311 - no secret
    rows = [drawn.gauss(0, 0.05) for _ in range(100)]
    one = quantiles_of([rows], [], 0.04)
    apart = quantiles_of([rows[:50], rows[50:]], [], 0.04)
    alike = quantiles_of([rows], [], 0.0)
    assert one[-1] > apart[-1] > alike[-1]
    assert one[0] < apart[0] < alike[0]
    assert one[LEVELS.index(0.9)] == pytest.approx(1.28 * math.hypot(0.2, 0.05), rel=0.15)
    # A source of many rows does not outweigh those of few.
    mixed = quantiles_of([[0.3], [-0.001] * 100], [], 0.0)
    assert mixed[LEVELS.index(0.05)] < -0.2


def test_a_class_says_how_slow_predictions_are() -> None:
    """Runs that took longer than predicted have factors above one."""
    kind = Evidence(stage="DistributedModel", accelerator="X", family="F", mixture=False)
    slow = [
        Distance(
            id=str(number),
            group="g",
            accelerator="X",
            evidence=kind,
            quantity=Quantity.STEP,
            stack="",
            fitted=-0.1,
            left_out=-0.2,
        )
        for number in range(3)
    ]
    (found,) = error_table(slow).values()
    assert found.factor(0.5) == pytest.approx(math.exp(0.2))
    assert (found.rows, found.sources, found.mean, found.fitted) == (3, 1, 0.2, 0.1)
