"""A part of the grid that is evaluated by itself, in another process perhaps."""

import traceback
from dataclasses import dataclass, replace

from mlsysim.search.arrays.block_reading import NotVectorisedError
from mlsysim.search.arrays.layout import GridLayout
from mlsysim.search.arrays.scan import SMALL, Scan
from mlsysim.search.arrays.tally import Tally
from mlsysim.search.arrays.task import Task
from mlsysim.search.remote_errors import portable

Units = tuple[str | None, ...]
"""The unit of each objective; nothing where no design has settled it."""


@dataclass(frozen=True, kw_only=True, order=True)
class Place:
    """Where in the order of the blocks something stands.

    Parameters
    ----------
    block
        The number of a block.
    point
        The number of a point in it.
    """

    block: int
    point: int = 0


@dataclass(frozen=True, kw_only=True)
class GridPart:
    """Some consecutive designs.

    Parameters
    ----------
    start
        The first.
    amount
        How many blocks they are, or how many points.
    in_blocks
        Whether they are blocks, to be evaluated as arrays.
    units
        What is known of the units before they are evaluated.
    """

    start: Place
    amount: int
    in_blocks: bool
    units: Units


@dataclass(frozen=True, kw_only=True)
class Findings:
    """What came of a part.

    Parameters
    ----------
    tally
        What was seen.
    units
        What is known of the units now.
    plain_evaluations, blocks, point_by_point
        Those of the scan.
    stopped_at
        The block that arrays cannot do, which was left, as was what follows it.
    misled
        Why arrays are not to be believed.
    error
        What the evaluator raised.
    """

    tally: Tally
    units: Units
    plain_evaluations: int
    blocks: int
    point_by_point: str | None
    stopped_at: int | None = None
    misled: str | None = None
    error: Exception | None = None


def sendable(task: Task) -> Task:
    """Leave out of a task what concerns the process alone that is asked."""
    options = replace(task.options, progress=None, executor=None, time_limit=None)
    return replace(task, options=options)


def evaluate_part(task: Task, part: GridPart) -> Findings:
    """Evaluate a part of the grid.

    Returns
    -------
    Findings
        Also where the evaluator fails: the error is among them.
    """
    scan = Scan(task, in_blocks=part.in_blocks)
    scan.settle(part.units)
    stopped_at: int | None = None
    misled: str | None = None
    error: Exception | None = None
    try:
        layout = GridLayout(task.problem.space)
        stopped_at = _take_blocks(scan, layout, part) if part.in_blocks else None
        if not part.in_blocks:
            _take_points(scan, layout, part)
    except NotVectorisedError as reason:
        misled = str(reason)
    except Exception as reason:  # noqa: BLE001 - the user's; raised where the question was asked
        error = portable(reason, traceback.format_exc())
    return Findings(
        tally=scan.tally,
        units=scan.units,
        plain_evaluations=scan.plain_evaluations,
        blocks=scan.blocks,
        point_by_point=scan.point_by_point,
        stopped_at=stopped_at,
        misled=misled,
        error=error,
    )


def _take_blocks(scan: Scan, layout: GridLayout, part: GridPart) -> int | None:
    """Take in blocks until there is one that arrays cannot do; give its number."""
    for number in range(part.start.block, part.start.block + part.amount):
        block = layout.block(number)
        if block.size < SMALL:
            scan.take_points(block, range(block.size))
        elif not scan.take_block(block):
            return number
    return None


def _take_points(scan: Scan, layout: GridLayout, part: GridPart) -> None:
    place, left = part.start, part.amount
    while left:
        block = layout.block(place.block)
        stop = min(place.point + left, block.size)
        scan.take_points(block, range(place.point, stop))
        left -= stop - place.point
        place = Place(block=place.block + 1)
