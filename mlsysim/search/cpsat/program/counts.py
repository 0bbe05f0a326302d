"""Tell which numbers are whole at every design: two of them differ by one at least."""

from collections.abc import Mapping

import numpy as np

from mlsysim.expr.columns import Column
from mlsysim.expr.graph import Apply, Choice, Constant, GraphNode, Table, reachable
from mlsysim.expr.operation import (
    Absolute,
    Division,
    Extreme,
    Product,
    Rounding,
    Selection,
    Sign,
    Square,
    Sum,
)

_KEEPING = (Absolute, Division, Extreme, Product, Selection, Square, Sum)


def is_whole(root: GraphNode, columns: Mapping[str, Column]) -> bool:
    """Tell whether a number is whole at every design at which it is one."""
    whole: dict[int, bool] = {}
    for node in reachable([root]):
        whole[node.position] = node.truth or _is_whole(node, columns, whole)
    return whole[root.position]


def _is_whole(node: GraphNode, columns: Mapping[str, Column], whole: Mapping[int, bool]) -> bool:
    match node:
        case Constant():
            return node.value == np.rint(node.value)
        case Choice():
            return columns[node.name].is_whole
        case Table():
            known = node.values[~np.isnan(node.values)]
            return bool(np.all(known == np.rint(known)))
        case Apply(operation=operation, arguments=arguments):
            parts = arguments[1:] if isinstance(operation, Selection) else arguments
            kept = isinstance(operation, _KEEPING) and all(whole[a.position] for a in parts)
            return kept or isinstance(operation, (Rounding, Sign))
        case _:
            return False
