"""What hardware and energy cost."""

from typing import Any

from mlsysim.numeric import from_numpy


@from_numpy
def straight_line_capital(price: Any, time: Any, lifetime: Any) -> Any:
    """Charge a purchase to a period, in equal parts over its life: ``C T / Y`` (USD).

    Parameters
    ----------
    price
        What was paid, C.
    time
        The period, T.
    lifetime
        Years of service, Y, in the unit of the period.

    Examples
    --------
    >>> straight_line_capital(1460.0, 30, 4 * 365)
    30.0
    """
    return price * time / lifetime


@from_numpy
def maintenance(price: Any, rate: Any, time: Any) -> Any:
    """Charge upkeep in proportion to the full purchase price: ``r C T`` (USD).

    The price is not depreciated: a machine in its last year breaks no less.

    Parameters
    ----------
    price
        What was paid, C.
    rate
        Share of it per unit of time, r.
    time
        The period, T.
    """
    return price * rate * time


@from_numpy
def average_power(maximum: Any, idle_share: Any, utilization: Any) -> Any:
    """Interpolate between idle and full power: ``P (i + u (1 - i))`` (watt).

    Parameters
    ----------
    maximum
        Power at full load, P.
    idle_share
        What an idle machine draws of it, i.
    utilization
        Share of the time at full load, u.

    Examples
    --------
    >>> average_power(10000.0, 0.25, 0.5)
    6250.0
    """
    return maximum * (idle_share + utilization * (1 - idle_share))


@from_numpy
def facility_energy(power: Any, time: Any, effectiveness: Any) -> Any:
    """Measure the energy that a facility draws for its machines: ``PUE P T`` (joule).

    Parameters
    ----------
    power
        Average power of the machines, P.
    time
        The period, T.
    effectiveness
        Power usage effectiveness: facility power over machine power.
    """
    return power * time * effectiveness


@from_numpy
def cost_per_token(cost: Any, time: Any, tokens_per_second: Any) -> Any:
    """Divide a cost by what was produced: ``C / (T r)`` (USD).

    Parameters
    ----------
    cost
        Cost of the period, C.
    time
        The period, T.
    tokens_per_second
        Rate of production, r.
    """
    return cost / (time * tokens_per_second)


@from_numpy
def energy_per_item(power: Any, rate: Any) -> Any:
    """Divide the energy of a machine by what it makes: ``P / r`` (joule).

    Parameters
    ----------
    power
        Average power, P (watt).
    rate
        What it makes per second, r.

    Examples
    --------
    >>> energy_per_item(10000.0, 4.0)
    2500.0
    """
    return power / rate


@from_numpy
def time_share_cost(cost: Any, share: Any, rate: Any) -> Any:
    """Charge a share of a machine's cost to one of the things it makes: ``c s / r`` (USD).

    A serving replica spends its time on prompts and on answers; each kind of
    token is charged for the time that it takes.

    Parameters
    ----------
    cost
        Cost per second, c.
    share
        Share of the busy time that goes into this kind, s.
    rate
        How many of this kind are made per second, r.

    Examples
    --------
    >>> time_share_cost(0.01, 0.25, 1000.0)
    2.5e-06
    """
    return cost * share / rate
