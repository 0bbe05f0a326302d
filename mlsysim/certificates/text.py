"""Formulas as plain data for JSON, and back.

A choice is ``{"name", "values"}``: a list of numbers, a list of names, or ``{"start", "step",
"count"}``.  A step is a list that begins with its kind: ``["number", 3.0]``, ``["choice",
"nodes"]``, ``["table", ["tp"], [1.0, 2.0]]``, or an operation with the places of earlier steps,
``["multiply", 0, 3]``.  Numbers that JSON does not have are text: ``"nan"``, ``"inf"``.
"""

import math
from typing import Any

import numpy as np

from mlsysim.certificates.formulas import (
    CertifiedRequirement,
    ChoiceFormula,
    Formulas,
    NumberFormula,
    Result,
    Step,
    TableFormula,
    Value,
)
from mlsysim.certificates.rules import ARITY
from mlsysim.errors import CertificateError


def formulas_to(formulas: Formulas) -> dict[str, Any]:
    """Write formulas as plain data."""
    return {
        "objective": {
            "text": formulas.text,
            "sense": formulas.sense,
            "unit": formulas.unit,
            "step": formulas.objective,
        },
        "requirements": [
            {"name": item.name, "holds": item.holds, "sides": list(item.sides)}
            for item in formulas.requirements
        ],
        "choices": [_choice_to(choice) for choice in formulas.choices],
        "steps": [_step_to(step) for step in formulas.steps],
    }


def formulas_from(data: Any) -> Formulas:
    """Read formulas.

    Raises
    ------
    CertificateError
        If they are malformed.
    """
    try:
        return _formulas_from(data)
    except (KeyError, TypeError, ValueError, IndexError, OverflowError) as reason:
        raise CertificateError(f"question.json: is malformed: {reason!r}") from None


def _formulas_from(data: Any) -> Formulas:
    choices = tuple(map(_choice_from, data["choices"]))
    lengths = {choice.name: choice.count for choice in choices}
    if len(lengths) < len(choices):
        raise CertificateError("question.json: two choices have the same name")
    numeric = {choice.name for choice in choices if choice.is_numeric}
    steps: list[Step] = []
    for step in data["steps"]:
        steps.append(_step_from(step, len(steps), lengths, numeric))
    count = len(steps)
    objective = data["objective"]
    if objective["sense"] not in {"minimize", "maximize"}:
        raise CertificateError("question.json: objective: sense: is neither of the two")
    return Formulas(
        choices=choices,
        steps=tuple(steps),
        requirements=tuple(
            CertifiedRequirement(
                name=str(item["name"]),
                holds=_place(item["holds"], count),
                sides=tuple(_place(side, count) for side in item["sides"]),
            )
            for item in data["requirements"]
        ),
        objective=_place(objective["step"], count),
        sense=objective["sense"],
        text=str(objective["text"]),
        unit=str(objective["unit"]),
    )


def _choice_to(choice: ChoiceFormula) -> dict[str, Any]:
    values = choice.values
    if isinstance(values, range):
        return {
            "name": choice.name,
            "values": {"start": values.start, "step": values.step, "count": choice.count},
        }
    return {"name": choice.name, "values": list(values)}


def _choice_from(data: Any) -> ChoiceFormula:
    values = data["values"]
    if isinstance(values, dict):
        start, step, count = (_whole(values[key]) for key in ("start", "step", "count"))
        return ChoiceFormula(
            name=str(data["name"]), values=range(start, start + step * count, step)
        )
    kinds = {type(value) for value in values}
    if kinds == {str} or (kinds and kinds <= {int, float, bool}):
        return ChoiceFormula(name=str(data["name"]), values=tuple(values))
    raise CertificateError(f"question.json: choice {data['name']!r} has no values of one kind")


def _step_to(step: Step) -> list[Any]:
    match step:
        case NumberFormula(value=value):
            return ["number", _number_to(value)]
        case Value(choice=name):
            return ["choice", name]
        case TableFormula(choices=names, values=values):
            return ["table", list(names), [_number_to(value) for value in values.ravel().tolist()]]
        case Result(operation=operation, arguments=arguments):
            return [operation, *arguments]


def _step_from(data: Any, place: int, lengths: dict[str, int], numeric: set[str]) -> Step:
    match data:
        case ["number", value]:
            return NumberFormula(value=_float(value))
        case ["choice", str(name)] if name in numeric:
            return Value(choice=name)
        case ["table", list(names), list(values)] if names and len(set(names)) == len(names):
            table = np.array([_float(value) for value in values], np.float64)
            return TableFormula(
                choices=tuple(names), values=table.reshape([lengths[n] for n in names])
            )
        case [str(operation), *arguments] if ARITY.get(operation) == len(arguments):
            places = tuple(_place(argument, place) for argument in arguments)
            return Result(operation=operation, arguments=places)
        case _:
            raise CertificateError(f"question.json: steps[{place}]: {str(data)[:80]} is no step")


def _place(value: Any, count: int) -> int:
    place = _whole(value)
    if not 0 <= place < count:
        raise CertificateError(f"question.json: there is no step {place} before it is used")
    return place


def _whole(value: Any) -> int:
    if type(value) is not int:
        raise CertificateError(f"question.json: {value!r} is no whole number")
    return value


def _number_to(value: float) -> float | str:
    return value if math.isfinite(value) else str(value)


def _float(value: Any) -> float:
    if type(value) in {int, float} or value in {"nan", "inf", "-inf"}:
        return float(value)
    raise CertificateError(f"question.json: {value!r} is no number")
