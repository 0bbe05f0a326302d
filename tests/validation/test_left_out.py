"""Errors of sources that are left out of the fit, and the table and intervals made of them."""

import functools
import math
import random
import re
from collections import defaultdict
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from mlsysim.catalog import Systems
from mlsysim.stages.error_classes import COVERAGE, LEVELS, Quantity, error_classes, levels_of
from mlsysim.stages.evidence import Evidence
from mlsysim.validation.accuracy_page import accuracy_page
from mlsysim.validation.error_table import class_of, error_table, quantiles_of
from mlsysim.validation.left_out import Distance, Fitted, serving_fit, training_fit
from mlsysim.validation.measured import serving_rows, training_rows

_ENOUGH = 20


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


def test_intervals_hold_four_in_five_of_the_rows_left_out() -> None:
    """In each class of twenty rows or more, 75 to 88 % of them."""
    classes: dict[object, list[float]] = defaultdict(list)
    for one in distances():
        classes[class_of(one)].append(-one.left_out)
    low, high = levels_of(COVERAGE)
    seen = 0
    for name, found in error_classes().items():
        off = np.array(classes[name])
        if len(off) >= _ENOUGH:
            ends = math.log(found.factor(low)), math.log(found.factor(high))
            assert 0.75 <= np.mean((off >= ends[0]) & (off <= ends[1])) <= 0.88, name
            seen += len(off)
    assert seen >= 1000


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
    """Of many rows the quantiles of their errors; of few, what other families add widens them."""
    drawn = random.Random(0)  # noqa: S311 - no secret
    many = [drawn.gauss(0, 0.1) for _ in range(2000)]
    found = quantiles_of(many, [])
    assert found[LEVELS.index(0.5)] == pytest.approx(0, abs=0.01)
    assert found[LEVELS.index(0.9)] == pytest.approx(0.128, abs=0.015)
    few = [0.01, -0.01]
    wide = quantiles_of(few, [drawn.gauss(0, 0.3) for _ in range(500)])
    assert wide[0] < -0.1 < 0.1 < wide[-1]
    assert quantiles_of(few, [])[-1] == pytest.approx(0.01)


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
