"""Accelerators: one device of compute, as software sees it."""

# ruff: noqa: RUF009 - the calls below make field descriptors, not shared defaults

import enum
import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mlsysim.catalog.calibration import Calibration
from mlsysim.catalog.fields import NumberField, Presence, count, flag, number
from mlsysim.catalog.measures import QuantityField, measure, table
from mlsysim.catalog.record import Record
from mlsysim.catalog.reference import reference
from mlsysim.errors import Infeasible, MissingFigureError, ParameterError, suggest


class Precision(enum.StrEnum):
    """The arithmetic for which a peak is stated."""

    FP32 = "fp32"
    TF32 = "tf32"
    BF16 = "bf16"
    FP16 = "fp16"
    FP8 = "fp8"
    FP4 = "fp4"
    INT8 = "int8"
    INT4 = "int4"


_PRECISIONS = tuple(precision.value for precision in Precision)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Accelerator(Record):
    """One accelerator: what it computes, holds, moves, draws and costs.

    Amounts are quantities, or text such as ``"80 GiB"``; they are kept in base units.

    Parameters
    ----------
    year
        The year of introduction.
    peaks
        Dense peak arithmetic by precision; a sparse figure does not belong here.
    memory_capacity
        What software can see of the device memory (less than the label says).
    memory_bandwidth
        Peak bandwidth of the device memory.
    memory_efficiency
        Fraction of `memory_bandwidth` that kernels reach which do little else than read.
    link_bandwidth
        Bandwidth out of the accelerator, one direction, to the others of its scale-up domain;
        where there is no such domain, to the host.
    link_latency
        Time of a ring step of a collective over that link.
    collective_overhead
        Time that a collective costs whatever its size and group.
    scale_up_domain
        How many accelerators reach one another over these links.
    full_mesh
        Whether the link is divided among all peers for good: one pair then has
        only ``link_bandwidth / (scale_up_domain - 1)``.
    matmul_efficiencies
        The best matrix product measured, as a fraction of the peak, by precision.
    product_efficiencies, product_overheads
        What a matrix product takes, by precision: large ones reach this fraction of the peak, and
        each costs this time whatever its size.  Both are fitted to measured products.
    link_efficiency
        Fraction of `link_bandwidth` that collectives of large messages reach.
    calibration
        What the family of the accelerator achieves in whole training runs.
    thermal_design_power
        The power that the cooling is built for.
    unit_price
        What one costs to buy, without a server around it.
    rental_prices
        On-demand price of one for an hour, by provider.
    spot_prices
        The same for capacity that may be taken away.
    embodied_carbon
        What making one emitted.

    Examples
    --------
    >>> mine = Accelerator(
    ...     name="Mine", peaks={"bf16": "500 Tflop/s"},
    ...     memory_capacity="64 GiB", memory_bandwidth="2 TB/s",
    ... )
    >>> mine.peak("bf16").m_as("Tflop/s")
    500.0
    >>> mine.has("unit_price")
    False
    """

    year: int = count(least=1950, optional=True)
    peaks: Mapping[str, Any] = table(
        QuantityField("Tflop/s", Presence.REQUIRED, zero=False), _PRECISIONS, optional=False
    )
    memory_capacity: Any = measure("GiB")
    memory_bandwidth: Any = measure("GB/s")
    memory_efficiency: float = number(most=1.0)
    link_bandwidth: Any = measure("GB/s", optional=True)
    link_latency: Any = measure("us", optional=True, zero=True)
    collective_overhead: Any = measure("us", optional=True, zero=True)
    scale_up_domain: int = count(1)
    full_mesh: bool = flag()
    matmul_efficiencies: Mapping[str, float] = table(NumberField(most=1.0), _PRECISIONS)
    product_efficiencies: Mapping[str, float] = table(NumberField(most=1.0), _PRECISIONS)
    product_overheads: Mapping[str, Any] = table(
        QuantityField("us", Presence.REQUIRED, zero=True), _PRECISIONS
    )
    link_efficiency: float = number(most=1.0)
    calibration: Calibration = reference(Calibration, optional=True)
    thermal_design_power: Any = measure("W", optional=True)
    unit_price: Any = measure("USD", optional=True)
    rental_prices: Mapping[str, Any] = table(
        QuantityField("USD/hour", Presence.REQUIRED, zero=False)
    )
    spot_prices: Mapping[str, Any] = table(QuantityField("USD/hour", Presence.REQUIRED, zero=False))
    embodied_carbon: Any = measure("kg", optional=True)

    @property
    def precisions(self) -> tuple[str, ...]:
        """The precisions for which it has a peak, widest first."""
        return tuple(name for name in _PRECISIONS if name in self.__dict__["peaks"])

    def supports(self, precision: str) -> bool:
        """Tell whether it has arithmetic of a precision.

        Raises
        ------
        ParameterError
            If no accelerator at all has such a precision.
        """
        if precision not in _PRECISIONS:
            raise ParameterError(
                f"precision {precision!r} is not known{suggest(str(precision), _PRECISIONS)}"
            )
        return precision in self.__dict__["peaks"]

    def peak(self, precision: str) -> Any:
        """Give the dense peak arithmetic in one precision.

        Precisions are never substituted for one another: fp16 is not bf16.

        Raises
        ------
        Infeasible
            If the accelerator has no arithmetic of this precision.
        ParameterError
            If no accelerator at all has such a precision.

        Examples
        --------
        >>> from mlsysim.catalog import Systems
        >>> Systems.Accelerators.H100_SXM.peak("bf16").m_as("Tflop/s")
        989.0
        """
        if not self.supports(precision):
            raise Infeasible(
                f"{self.name} has no {precision} arithmetic; it has {', '.join(self.precisions)}"
            )
        return self.__dict__["peaks"][precision]

    @property
    def matmul_efficiency(self) -> float:
        """The best 16-bit matrix product measured, as a fraction of the peak.

        Raises
        ------
        MissingFigureError
            If none is known.
        """
        measured = self.matmul_efficiencies
        for precision in (Precision.BF16, Precision.FP16):
            if precision in measured:
                return measured[precision]
        raise MissingFigureError(
            f"{self.name}: no measured 16-bit matrix product is known; state an efficiency, or use "
            f"{self.name}.replace(matmul_efficiencies={{'bf16': 0.75}}) with your figure"
        )

    @property
    def rental_price(self) -> Any:
        """The median of the providers' on-demand prices for an hour.

        Raises
        ------
        MissingFigureError
            If no provider's price is known.
        """
        prices = list(self.rental_prices.values())
        if not prices:
            raise MissingFigureError(
                f"{self.name}: no rental price is known; use "
                f"{self.name}.replace(rental_prices={{'mine': '2.5 USD/hour'}}) with your figure"
            )
        return statistics.median(prices)
