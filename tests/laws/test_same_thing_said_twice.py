"""Law 6: what is said in another way has the same answer, to the last digit that matters."""

import random
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given, reject
from hypothesis import strategies as st
from laws.arguments import values_of
from laws.designs import (
    STAGES,
    Complete,
    Design,
    Space,
    designs,
    feasible,
    law,
    numbers,
    shown,
    together,
)
from strategies import LONG

from mlsysim.catalog import Systems
from mlsysim.catalog.accelerator import Accelerator
from mlsysim.catalog.cluster import Cluster
from mlsysim.catalog.node import Node
from mlsysim.errors import Infeasible, MissingFigureError
from mlsysim.expr.columns import Column
from mlsysim.expr.evaluate import over_designs
from mlsysim.expr.traced import Traced
from mlsysim.expr.tracing import parameters
from mlsysim.problem.space import SearchSpace
from mlsysim.stages.stage import ForwardModel, StageResult

_CLOSE = 1e-9
# Designs of each space: to trace costs more than to evaluate, so that a long run takes more.
DESIGNS = 20 if LONG else 6
_SPLITS = 2


def differences(one: Mapping[str, Any], two: Mapping[str, Any], what: str) -> Iterator[str]:
    """Name the metrics in which two results differ."""
    if one.keys() != two.keys():
        yield f"{what}: only one has {sorted(one.keys() ^ two.keys())}"
    for name in one.keys() & two.keys():
        if float(one[name]) != pytest.approx(float(two[name]), rel=_CLOSE, nan_ok=True):
            yield f"{what}: {name} is {one[name]!r} and {two[name]!r}"


# ------------------------------------------------------------------------------ kinds of numbers


def _with(value: Any, kind: type[np.integer[Any]]) -> Any:
    if isinstance(value, bool):
        return np.bool_(value)
    if isinstance(value, int) and value <= np.iinfo(kind).max:
        return kind(value)
    return value


def changed_by_numpy(design: Design, kind: type[np.integer[Any]]) -> Iterator[str]:
    """Name what changes when whole numbers are NumPy's."""
    if (plain := design.outcome()) is None:
        return
    fixed = {name: _with(value, kind) for name, value in design.arguments.items()}
    yield from differences(numbers(plain), numbers(design.but(**fixed).solve()), kind.__name__)


INTEGERS: list[type[np.integer[Any]]] = [np.int16, np.int32, np.int64, np.uint32]


@pytest.mark.parametrize("kind", INTEGERS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.__name__)
def test_whole_numbers_of_numpy_are_whole_numbers(
    stage: type[ForwardModel], kind: type[np.integer[Any]]
) -> None:
    """An argument that comes out of an array means what it says."""

    @law(10)
    @given(designs(stage))
    def holds(design: Design) -> None:
        assert not list(changed_by_numpy(design, kind))

    holds()


# ------------------------------------------------------------------------------------- readings


@st.composite
def spaces(draw: st.DrawFn, stage: type[ForwardModel], most: int = 3) -> Space:
    """Draw a few values for every argument of a stage; few can be left out in some designs only.

    Each that can be left out or not has the stage traced twice, so that many take ever longer.
    """
    base = draw(feasible(stage))
    complete = Complete(stage, base)
    split = draw(st.lists(st.sampled_from(list(base.arguments)), max_size=_SPLITS))
    space = Space()
    for name, value in base.arguments.items():
        space[name] = [value]
        if name in together(base):
            continue
        for _ in range(draw(st.integers(0, most - 1))):
            other = draw(values_of(stage, name, complete))
            alike = (other is None) == (value is None)
            if other not in space[name] and (alike or name in split):
                space[name].append(other)
    return space


def _drawn(place: int, choice: int, count: int) -> int:
    """Draw the position of a value, for each design and choice the same every time."""
    return random.Random(1000 * place + choice).randrange(count)  # noqa: S311 - no secret


def _chosen(space: Mapping[str, list[Any]], place: int) -> dict[str, Any]:
    return {
        name: values[_drawn(place, k, len(values))]
        for k, (name, values) in enumerate(space.items())
    }


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float))


def changed_by_arrays(stage: type[ForwardModel], space: Mapping[str, list[Any]]) -> Iterator[str]:
    """Name what changes when numbers stand in arrays."""
    numeric = {name for name, values in space.items() if all(map(_is_number, values))}
    fixed = {name: values[0] for name, values in space.items() if name not in numeric}
    points = [_chosen({name: space[name] for name in numeric}, place) for place in range(DESIGNS)]
    columns = {name: np.array([float(point[name]) for point in points]) for name in numeric}
    try:
        block = numbers(stage().solve(**fixed, **columns))
    except (Infeasible, MissingFigureError):
        reject()
    for place, point in enumerate(points):
        plain = numbers(stage().solve(**fixed, **point))
        mine = {name: value[place] if np.ndim(value) else value for name, value in block.items()}
        yield from differences(plain, mine, f"arrays at {point}")


def changed_by_tracing(stage: type[ForwardModel], given_: Mapping[str, list[Any]]) -> Iterator[str]:
    """Name what changes when every argument is a traced choice."""
    space = SearchSpace(
        {name: values for name, values in given_.items() if can_be_chosen(values[0])}
    )
    fixed = {name: values[0] for name, values in given_.items() if not can_be_chosen(values[0])}
    _, traced = parameters(space)
    try:
        symbolic = numbers(stage().solve(**fixed, **traced))
    except (Infeasible, MissingFigureError):
        reject()
    roots = {name: value.node for name, value in symbolic.items() if isinstance(value, Traced)}
    places = range(DESIGNS)
    positions = {
        name: np.array([_drawn(place, k, len(domain)) for place in places])
        for k, (name, domain) in enumerate(space.items())
    }
    columns = {
        name: Column([float(domain[place]) for place in range(len(domain))])
        for name, domain in space.items()
        if domain.is_numeric
    }
    values = dict(zip(roots, over_designs(roots.values(), positions, columns), strict=True))
    for place in places:
        point = {name: domain[int(positions[name][place])] for name, domain in space.items()}
        if (result := Design(stage, {**fixed, **point}).outcome()) is None:
            continue
        plain = numbers(result)
        mine = {
            name: values[name][place] if name in roots and np.ndim(values[name]) else value
            for name, value in symbolic.items()
        }
        mine |= {name: values[name] for name in roots if not np.ndim(values[name])}
        for name in plain.keys() & mine.keys():
            if float(plain[name]) != pytest.approx(float(mine[name]), rel=_CLOSE, abs=1e-12):
                at = shown_point(point)
                yield f"traced at {at}: {name} is {mine[name]!r}, not {plain[name]!r}"


def can_be_chosen(value: Any) -> bool:
    """Tell whether a value can stand in a space: tables of designs and counts cannot."""
    return not isinstance(value, (list, dict))


def shown_point(point: Mapping[str, Any]) -> str:
    """Write a design so that it can be pasted."""
    return ", ".join(f"{name}={shown(value)}" for name, value in point.items())


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.__name__)
def test_arrays_say_what_numbers_say(stage: type[ForwardModel]) -> None:
    """Any number of designs at a time have the metrics of one at a time."""

    @law(15)
    @given(spaces(stage))
    def holds(space: Space) -> None:
        assert not list(changed_by_arrays(stage, space))

    holds()


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.__name__)
def test_traced_choices_say_what_numbers_say(stage: type[ForwardModel]) -> None:
    """All arguments as choices at once, whatever they are, have the metrics of each design."""

    @law(15)
    @given(spaces(stage))
    def holds(space: Space) -> None:
        assert not list(changed_by_tracing(stage, space))

    holds()


# ------------------------------------------------------------------------------------- machines


def packagings(node: Node) -> Iterator[tuple[str, Accelerator | Node | Cluster]]:
    """Give the same accelerators alone, in their node, and in a cluster of such nodes."""
    yield "node", node
    if node.scale_up_domain == node.accelerators or node.accelerator.scale_up_domain == 1:
        yield "accelerator", node.accelerator
    if node.has("nic_bandwidth"):
        yield "cluster", Cluster(name="Same", node=node, nodes=4, fabric=Systems.Fabrics.IB_NDR)


def packaged(
    stage: type[ForwardModel], node: Node, **arguments: Any
) -> dict[str, dict[str, float]]:
    """Evaluate a design on each packaging."""
    roles = [name for name in stage.inputs() if name.endswith("fleet")]
    found: dict[str, StageResult] = {}
    for kind, fleet in packagings(node):
        design = Design(stage, {**arguments, **dict.fromkeys(roles, fleet)})
        if (result := design.outcome()) is not None:
            found[kind] = result
    return {kind: numbers(result) for kind, result in found.items()}
