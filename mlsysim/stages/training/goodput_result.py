"""What `GoodputModel` reports."""

from dataclasses import dataclass
from typing import Annotated, Any

from mlsysim.stages.amounts import PerSecond
from mlsysim.stages.stage import StageResult
from mlsysim.units import Amount


@dataclass(frozen=True, kw_only=True)
class GoodputResult(StageResult):
    """Time and money of a training run with failures.

    Parameters
    ----------
    goodput
        Share of the time that ends up in work that is kept; `lost_to_checkpoints` and
        `lost_to_failures` make it up to 1.
    lost_to_checkpoints
        Share of the time without failures that goes into writing checkpoints.
    lost_to_failures
        Share of the time that goes into work that is lost, and into starting again.
    system_mtbf
        Mean time between failures of the whole run.
    checkpoint_time
        Time that training waits for a checkpoint.
    checkpoint_interval
        Work between two checkpoints.
    interruptions
        Failures to expect over the run.
    effective_throughput
        Tokens per second over the whole time, failures included.
    days_to_train
        Time until all tokens are seen.
    usd_to_train
        Accelerator hours times their price; `None` where no price is known.
    """

    goodput: float
    lost_to_checkpoints: float
    lost_to_failures: float
    system_mtbf: Annotated[Amount, "h"]
    checkpoint_time: Annotated[Amount, "s"]
    checkpoint_interval: Annotated[Amount, "s"]
    interruptions: float
    effective_throughput: PerSecond
    days_to_train: Annotated[Amount, "day"]
    usd_to_train: float | None

    @property
    def duration_days(self) -> Any:
        """The days, under the name by which `EconomicsModel` takes them."""
        return self.days_to_train

    def key_figures(self) -> str:
        """Write how long the run takes, what it costs, and what failures take of it."""
        dollars = self.usd_to_train
        cost = "" if dollars is None else f" for {dollars:,.0f} USD"
        return (
            f"{self.days_to_train.m_as('day'):,.4g} days to train{cost}; goodput "
            f"{100 * self.goodput:.1f} %, {100 * self.lost_to_failures:.1f} % lost to failures, "
            f"{100 * self.lost_to_checkpoints:.1f} % to checkpoints"
        )
