"""A question as one table: a row per design, sorted by the objective.

The position of the row is then the objective itself, in whole numbers and
without rounding: distinct values stay distinct, and CP-SAT's proof is exact.
Each condition restricts the rows under its own name.
"""

import numpy as np
from ortools.sat.python import cp_model

from mlsysim.search.cpsat.lowering.choices import add_choices
from mlsysim.search.cpsat.program.conditions import Tabulated
from mlsysim.search.cpsat.program.program import Program
from mlsysim.search.cpsat.solving.model import CompiledModel, Encoding, Kind


def table_model(program: Program, table: Tabulated) -> CompiledModel:
    """Build the model of a tabulated program.

    Parameters
    ----------
    program
        What is minimised.
    table
        Its designs, sorted; at least one.
    """
    model = cp_model.CpModel()
    variables, positions = add_choices(model, program.lengths, program.columns)
    rows = len(table.designs)
    row = model.new_int_var(0, rows - 1, "row")
    for place, name in enumerate(program.names):
        model.add_element(row, table.designs[:, place].tolist(), positions[name])
    names = [*(condition.name for condition in program.conditions), "every number is defined"]
    encodings = [Encoding(name="objective", kind=Kind.TABLE, size=rows, error=0.0)]
    for name, holds in zip(names, table.holds, strict=True):
        if not holds.all():
            domain = cp_model.Domain.from_values(np.flatnonzero(holds).tolist())
            model.add_linear_expression_in_domain(row, domain).with_name(name)
        encodings.append(Encoding(name=name, kind=Kind.TABLE, size=rows, error=0.0))
    model.minimize(row)
    return CompiledModel(
        model=model,
        variables=variables,
        positions=positions,
        encodings=tuple(encodings),
        objective=row,
    )
