"""How long a training run takes once failures are counted, and what it costs."""

import math
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

from mlsysim.catalog.cluster import Cluster
from mlsysim.catalog.language_model import LanguageModel
from mlsysim.physics import reliability
from mlsysim.problem.verdict import Check
from mlsysim.stages.domains import Entry, Measure, Number, Whole
from mlsysim.stages.knobs import Design, about, knob, takes
from mlsysim.stages.mapping import mapped
from mlsysim.stages.stage import ForwardModel, View
from mlsysim.stages.training.goodput_result import GoodputResult
from mlsysim.units import Quantity, as_unit, magnitude

_HOUR = 3600.0
_DAY = 24 * _HOUR
_HOURS = as_unit("hour")
_SECONDS = as_unit("s")
_DAYS = as_unit("day")
_RATE = as_unit("1/s")

# Llama 3 405B (arXiv 2407.21783, table 5): 419 unexpected interruptions of 16,384 accelerators in
# 2,048 nodes over 54 days, 58.7 % of them from the accelerators and the rest from all else.
_ACCELERATOR_MTBF = 86_300.0
_NODE_MTBF = 15_300.0
# The same, section 3.3.1: storage that sustains 2 TB/s, over 2,048 nodes.
_STORAGE_PER_NODE = 1.0
# MegaScale (arXiv 2402.15627, section 6.3): found and restarted within ten minutes on average.
_RESTART = 600.0
# A working weight, its master copy and two moments: what is needed to go on (gradients are not).
_STATE_PER_PARAMETER = 14.0
_GIGABYTE = 1e9

# Of as many attempts to reach a checkpoint at least one has to succeed.
_ATTEMPTS = 100


@dataclass(frozen=True)
class GoodputDesign(Design):
    """A run that may fail; the arguments of `GoodputModel.solve`."""

    model: LanguageModel = field(
        metadata=about(
            Entry((LanguageModel,)),
            "What is trained; a checkpoint holds its parameters unless `checkpoint_size` is given.",
        )
    )
    fleet: Cluster = field(metadata=about(Entry((Cluster,)), "On what."))
    effective_throughput: Any = field(
        metadata=about(
            Measure("1/s", above=True),
            "Tokens per second while nothing fails; from `DistributedModel` in a pipeline.",
            unit="1/s",
        )
    )
    tokens: float = field(metadata=about(Number(above=True), "How many to train on.", unit="token"))
    _: KW_ONLY
    nodes: int | None = knob(
        Whole(),
        "Nodes that are used and paid for, and any of which may fail; all unless given.",
        default=None,
        unit="node",
    )
    checkpoint_interval: Any = knob(
        Measure("s", above=True),
        "Work between checkpoints; the best one by Daly's formula unless given.",
        default=None,
        unit="s",
    )
    checkpoint_bandwidth: Any = knob(
        Measure("GB/s", above=True),
        "At which each node saves its share while training waits: that of the storage, or of the "
        "copy to host memory where writing goes on beside the training.",
        default=_STORAGE_PER_NODE,
        unit="GB/s",
    )
    checkpoint_size: Any = knob(
        Measure("GB", above=True),
        "What a checkpoint holds; from `DistributedModel` in a pipeline.",
        default=None,
        unit="GB",
        applies="where `state_bytes_per_parameter` is not given",
    )
    state_bytes_per_parameter: float | None = knob(
        Number(above=True),
        "The same for each parameter of the model; 14, of Adam in mixed precision, where nothing "
        "else tells.",
        default=None,
        unit="byte",
    )
    restart_time: Any = knob(
        Measure("s"),
        "From a failure until work goes on: to notice, to replace, to load.",
        default=_RESTART,
        unit="s",
    )
    accelerator_mtbf: Any = knob(
        Measure("hour", above=True),
        "Mean time between failures of an accelerator.",
        default=_ACCELERATOR_MTBF,
        unit="hour",
    )
    node_mtbf: Any = knob(
        Measure("hour", above=True),
        "Mean time between failures of a node for all other causes.",
        default=_NODE_MTBF,
        unit="hour",
    )
    accelerator_hour_price: Any = knob(
        Measure("USD/hour", above=True),
        "What an accelerator costs for an hour; the rental price of the catalogue unless given.",
        default=None,
        unit="USD/hour",
    )


class GoodputModel(ForwardModel):
    """Count what failures cost a training run: in time, and in money.

    The useful throughput is ``goodput * effective_throughput``, the days are
    the tokens over it.  In a pipeline it stands after `DistributedModel`,
    whose throughput it takes; `EconomicsModel` after it bills the days
    and tokens that it finds.  A run is infeasible if less than one of a hundred attempts to get
    from a failure to the next checkpoint succeeds.  The formulas are in
    `mlsysim.physics.reliability`.

    Examples
    --------
    >>> from mlsysim.catalog import Models, Systems
    >>> run = GoodputModel().solve(
    ...     model=Models.Language.Llama3_1_405B,
    ...     fleet=Systems.Clusters.Meta_Llama3_16K_H100,
    ...     effective_throughput=2.8e6,
    ...     tokens=15.6e12,
    ... )
    >>> round(run.goodput, 3), round(run.days_to_train.m_as("day"), 1)
    (0.926, 69.6)
    """

    view = View.MACRO
    produces = ("goodput", "effective_throughput", "duration_days")

    @takes(GoodputDesign)
    def solve(self, design: GoodputDesign) -> GoodputResult:
        """Evaluate one run.

        Returns
        -------
        GoodputResult
            Time and money.

        Raises
        ------
        ParameterError
            If an argument is out of range.
        UnitError
            If an argument is in a unit of another dimension.
        """
        fleet = design.fleet
        counted = fleet.nodes if design.nodes is None else design.nodes
        accelerators = counted * fleet.node.accelerators
        mtbf = _HOUR * reliability.system_mtbf(
            accelerators, design.accelerator_mtbf, counted, design.node_mtbf
        )
        write = reliability.checkpoint_time(
            _saved(design), counted * design.checkpoint_bandwidth * _GIGABYTE
        )
        interval = (
            reliability.daly_interval(write, mtbf)
            if design.checkpoint_interval is None
            else design.checkpoint_interval
        )
        share = reliability.goodput(interval, write, design.restart_time, mtbf)
        useful = share * design.effective_throughput
        time = design.tokens / useful
        recovered = design.restart_time + interval + write
        return GoodputResult(
            checks={"a checkpoint is reached between failures": _reached(recovered, mtbf)},
            goodput=share,
            lost_to_checkpoints=write / (interval + write),
            lost_to_failures=reliability.lost_to_failures(
                interval, write, design.restart_time, mtbf
            ),
            system_mtbf=Quantity(mtbf / _HOUR, _HOURS),
            checkpoint_time=Quantity(write, _SECONDS),
            checkpoint_interval=Quantity(interval, _SECONDS),
            interruptions=time / mtbf,
            effective_throughput=Quantity(useful, _RATE),
            days_to_train=Quantity(time / _DAY, _DAYS),
            usd_to_train=_bill(accelerators * time / _HOUR, design.accelerator_hour_price, fleet),
        )


def _saved(design: GoodputDesign) -> Any:
    """Give the bytes of a checkpoint."""
    each = design.state_bytes_per_parameter
    if each is None and design.checkpoint_size is not None:
        return design.checkpoint_size * _GIGABYTE
    return design.model.parameters * (_STATE_PER_PARAMETER if each is None else each)


def _reached(recovered: Any, mtbf: Any) -> Check:
    """Demand that one of a hundred attempts to get from a failure to the next checkpoint succeeds.

    ``R + t + d <= M ln 100``: nothing strikes for so long with a probability of
    ``e^(-(R + t + d)/M)``.  Nobody would wait for a run that gets on more rarely.
    """
    return Check.at_most(
        Quantity(recovered / _HOUR, _HOURS), Quantity(math.log(_ATTEMPTS) * mtbf / _HOUR, _HOURS)
    )


def _bill(hours: Any, given: Any, fleet: Any) -> Any:
    """Price accelerator hours; None where nobody states a price."""
    price = mapped(_rental_price, fleet) if given is None else given
    return None if isinstance(price, float) and math.isnan(price) else hours * price


def _rental_price(fleet: Cluster) -> float:
    """Give the price of an hour (USD); not a number where nobody states it.

    Of a choice among fleets some may have none: a question that looks at their bill is told so,
    and others are answered.
    """
    accelerator = fleet.accelerator
    if not accelerator.has("rental_prices"):
        return math.nan
    price: float = magnitude(accelerator.rental_price, "USD/hour")
    return price
