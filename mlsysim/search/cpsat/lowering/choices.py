"""The integer variables of a model: one per choice, and its position."""

from collections.abc import Mapping

import numpy as np

from mlsysim.expr.columns import Column
from mlsysim.search.cpsat.cp_model import cp_model
from mlsysim.search.cpsat.lowering.scaled import LARGEST


def add_choices(
    model: cp_model.CpModel,
    lengths: Mapping[str, int],
    columns: Mapping[str, Column],
    prefix: str = "",
) -> tuple[dict[str, cp_model.IntVar], dict[str, cp_model.IntVar]]:
    """Make the variables of every choice.

    Returns
    -------
    dict
        The variable of each choice, under its name: its value where all values
        are whole numbers, else its position.
    dict
        The position of each choice in its domain.
    """
    variables = {}
    positions = {}
    for name, length in lengths.items():
        column = columns.get(name)
        called = f"{prefix}.{name}" if prefix else name
        if column is None or not column.is_whole or _is_huge(column, length):
            variables[name] = positions[name] = model.new_int_var(0, length - 1, called)
            continue
        position = model.new_int_var(0, length - 1, f"{called}.position")
        if column.line is not None:
            start, step = column.line
            ends = sorted((start, start + step * (length - 1)))
            variable = model.new_int_var(ends[0], ends[1], called)
            model.add(variable == start + step * position)
        else:
            values = [int(value) for value in column.at(np.arange(length))]
            variable = model.new_int_var_from_domain(cp_model.Domain.from_values(values), called)
            model.add_element(position, values, variable)
        variables[name], positions[name] = variable, position
    return variables, positions


def _is_huge(column: Column, length: int) -> bool:
    """Tell whether values do not fit the solver's integers."""
    low, high = column.extremes(np.array([0]), np.array([length - 1]))
    return bool(max(-low[0], high[0]) > LARGEST)
