"""Read a figure that may change over time."""

import re
from typing import Any

from mlsysim.errors import QuestionError
from mlsysim.files.plans.schema import SeriesTable
from mlsysim.files.plans.times import DAY, Reader
from mlsysim.plans.records.series import Beyond, Series

TIME = r"([01]?\d|2[0-3]):([0-5]\d)"
"""A time of day, as it is written."""


def series(value: Any, unit: str, factor: float, key: str, reader: Reader) -> Series:
    """Read a figure: one for all times, or a table of them.

    Parameters
    ----------
    value
        What the file holds.
    unit
        The unit of the figure.
    factor
        What it is multiplied by.
    key
        The key, for messages.
    reader
        Reads the file.
    """
    if not isinstance(value, SeriesTable):
        with reader.at(key):
            return Series((reader.amount(value, unit, key) * factor,))
    if bool(value.daily) is bool(value.values):
        raise QuestionError(
            f"{reader.file}: {key}: write either daily = {{ '00:00' = ... }} or values = [...]"
        )
    if value.daily:
        return _daily(value, unit, factor, key, reader)
    step = reader.span(value.step, f"{key}.step")
    figures = tuple(
        _figure(item, value.unit, unit, f"{key}.values[{place}]", reader) * factor
        for place, item in enumerate(value.values)
    )
    with reader.at(key):
        times = tuple(step * place for place in range(len(figures)))
        return Series(figures, times, step * len(figures), Beyond(value.beyond))


def _daily(value: SeriesTable, unit: str, factor: float, key: str, reader: Reader) -> Series:
    """Read a figure by the time of day, which the plan may begin in the middle of."""
    found: dict[int, float] = {}
    for text, item in value.daily.items():
        match = re.fullmatch(TIME, text)
        if match is None:
            raise QuestionError(
                f"{reader.file}: {key}.daily: {text!r} is no time of day; write e.g. '07:00'"
            )
        moment = int(match[1]) * 3600 + int(match[2]) * 60
        found[moment] = _figure(item, value.unit, unit, f"{key}.daily.{text}", reader) * factor
    if 0 not in found:
        raise QuestionError(f"{reader.file}: {key}.daily: says nothing of '00:00', the first time")
    begun = 0
    if reader.origin is not None:
        midnight = reader.origin.replace(hour=0, minute=0, second=0, microsecond=0)
        begun = int((reader.origin - midnight).total_seconds())
    at_begin = found[max(moment for moment in found if moment <= begun)]
    turned = {0: at_begin} | {(moment - begun) % DAY: each for moment, each in found.items()}
    times = tuple(sorted(turned))
    with reader.at(key):
        return Series(tuple(turned[at] for at in times), times, DAY, Beyond.REPEAT)


def _figure(value: Any, own: str, unit: str, key: str, reader: Reader) -> float:
    """Read one figure; a plain number has the unit of the table, or the usual one."""
    if isinstance(value, str) or not own:
        return reader.amount(value, unit, key)
    return reader.amount(f"{value!r} {own}", unit, key)
