"""How long a training run takes once failures are counted, and what it costs."""

import math
from typing import Any

from mlsysim.catalog.cluster import Cluster
from mlsysim.catalog.language_model import LanguageModel
from mlsysim.physics import reliability
from mlsysim.stages.arguments import check_number, check_record, check_whole, in_unit
from mlsysim.stages.mapping import mapped
from mlsysim.stages.stage import ForwardModel, View
from mlsysim.stages.training.goodput_result import GoodputResult
from mlsysim.units import Quantity, as_unit, is_quantity, magnitude

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


class GoodputModel(ForwardModel):
    """Count what failures cost a training run: in time, and in money.

    The useful throughput is ``goodput * effective_throughput``, the days are
    the tokens over it.  In a pipeline it stands after `DistributedModel`,
    whose throughput it takes; `EconomicsModel` after it bills the days
    and tokens that it finds.  The formulas are in `mlsysim.physics.reliability`.

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

    def solve(  # noqa: PLR0913 - these are the causes of lost time
        self,
        model: LanguageModel,
        fleet: Cluster,
        effective_throughput: Any,
        tokens: float,
        *,
        nodes: int | None = None,
        checkpoint_interval: float | None = None,
        checkpoint_bandwidth: float = _STORAGE_PER_NODE,
        state_bytes_per_parameter: float = _STATE_PER_PARAMETER,
        restart_time: float = _RESTART,
        accelerator_mtbf: float = _ACCELERATOR_MTBF,
        node_mtbf: float = _NODE_MTBF,
        accelerator_hour_price: float | None = None,
    ) -> GoodputResult:
        """Evaluate one run.

        Parameters
        ----------
        model
            What is trained; its parameters are what a checkpoint holds.
        fleet
            On what.
        effective_throughput
            Tokens per second while nothing fails; from `DistributedModel` in a pipeline.
        tokens
            How many to train on.
        nodes
            Nodes that are used and paid for, and any of which may fail; all unless given.
        checkpoint_interval
            Work between checkpoints (s); the best one by Daly's formula unless given.
        checkpoint_bandwidth
            At which each node saves its share while training waits (GB/s): that of the storage,
            or of the copy to host memory where writing goes on beside the training.
        state_bytes_per_parameter
            What a checkpoint holds.
        restart_time
            From a failure until work goes on: to notice, to replace, to load (s).
        accelerator_mtbf, node_mtbf
            Mean time between failures of an accelerator, and of a node for
            all other causes (hours).
        accelerator_hour_price
            What an accelerator costs for an hour (USD/hour); the rental price
            of the catalogue unless given.

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
        check_record("model", model, LanguageModel)
        check_record("fleet", fleet, Cluster)
        counted = fleet.nodes if nodes is None else nodes
        check_whole("nodes", counted)
        check_number("tokens", tokens, above=True)
        rate = effective_throughput
        rate = magnitude(rate, "1/s") if is_quantity(rate) else rate
        check_number("effective_throughput", rate, above=True)
        bandwidth = _positive("checkpoint_bandwidth", checkpoint_bandwidth, "GB/s")
        check_number("state_bytes_per_parameter", state_bytes_per_parameter, above=True)
        restart = in_unit("restart_time", restart_time, "s")
        check_number("restart_time", restart)

        accelerators = counted * fleet.node.accelerators
        mtbf = _HOUR * reliability.system_mtbf(
            accelerators,
            _positive("accelerator_mtbf", accelerator_mtbf, "hour"),
            counted,
            _positive("node_mtbf", node_mtbf, "hour"),
        )
        write = reliability.checkpoint_time(
            model.parameters * state_bytes_per_parameter, counted * bandwidth * 1e9
        )
        interval = (
            reliability.daly_interval(write, mtbf)
            if checkpoint_interval is None
            else _positive("checkpoint_interval", checkpoint_interval, "s")
        )
        share = reliability.goodput(interval, write, restart, mtbf)
        useful = share * rate
        time = tokens / useful
        writing = write / (interval + write)
        return GoodputResult(
            checks={},
            goodput=share,
            lost_to_checkpoints=writing,
            lost_to_failures=1 - writing - share,
            system_mtbf=Quantity(mtbf / _HOUR, _HOURS),
            checkpoint_time=Quantity(write, _SECONDS),
            checkpoint_interval=Quantity(interval, _SECONDS),
            interruptions=time / mtbf,
            effective_throughput=Quantity(useful, _RATE),
            days_to_train=Quantity(time / _DAY, _DAYS),
            usd_to_train=_bill(accelerators * time / _HOUR, accelerator_hour_price, fleet),
        )


def _positive(name: str, value: Any, unit: str) -> Any:
    number = in_unit(name, value, unit)
    check_number(name, number, above=True)
    return number


def _bill(hours: Any, given: Any, fleet: Any) -> Any:
    """Price accelerator hours; None where nobody states a price."""
    if given is not None:
        return hours * _positive("accelerator_hour_price", given, "USD/hour")
    price = mapped(_rental_price, fleet)
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
