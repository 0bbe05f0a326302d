"""What a caller may ask of any search."""

import math
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, fields
from numbers import Integral, Real
from os import PathLike
from typing import Any, TypedDict

from mlsysim.errors import ParameterError, suggest
from mlsysim.results.formatting import number

_LARGEST_SEED = 2**31 - 1
"""CP-SAT keeps its seed in 32 bits."""

_MOST_WORKERS = 1024
"""More threads than this only compete for memory; CP-SAT refuses more than 10,000."""

_RESPITE = 0.05
_LEAST_RESPITE = 0.15
WRITING = 0.1
"""What writing down a design takes, as a share of judging it."""


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a search has come.

    Parameters
    ----------
    done
        The designs accounted for: evaluated, or proven not to matter.
    total
        The designs in the space.
    best
        The objective of the best design so far, in the metric's own unit.
    bound
        No design is better than this.
    what
        What is counted, where it is not designs.
    """

    done: int
    total: int
    best: float | None = None
    bound: float | None = None
    what: str = "designs"

    def __str__(self) -> str:
        known = {"best": self.best, "bound": self.bound}
        told = [f"{word} {number(value)}" for word, value in known.items() if value is not None]
        return ", ".join([f"{number(self.done)} of {number(self.total)} {self.what}", *told])


ProgressCallback = Callable[[Progress], None]
"""Called now and then while a search lasts."""


class Limits(TypedDict, total=False):
    """How long a search may take and with what, as keywords (see `SearchOptions`)."""

    time_limit: float | None
    workers: int | None
    seed: int
    progress: ProgressCallback | None


class SweepOptions(Limits, total=False):
    """The options of each answer of a sweep."""

    method: str
    top: int


class ComparisonOptions(Limits, total=False):
    """The options of answers by several methods."""

    executor: Executor | None


class ListedOptions(ComparisonOptions, total=False):
    """Those, and how many of the best designs to list."""

    top: int


class FrontOptions(ComparisonOptions, total=False):
    """The options of a front."""

    method: str


class AnswerOptions(FrontOptions, total=False):
    """The options of a search."""

    top: int


class CertifiedOptions(AnswerOptions, total=False):
    """Those, and where to write a certificate."""

    certificate: str | PathLike[str] | None


class NoOptions(TypedDict):
    """Nothing: a keyword that ends here is misspelt, for type checkers as when it runs."""


@dataclass(frozen=True, kw_only=True)
class SearchOptions:
    """How much of an answer is wanted, and how long it may take.

    Parameters
    ----------
    top
        How many of the best designs to return.
    time_limit
        Seconds after which the search stops with what it has; no limit if `None`.
    workers
        Threads of the solver, up to 1,024; as many as there are cores if `None`.
    seed
        For everything random, below 2**31; the answer does not depend on it, up to ties.
    progress
        Called with a `Progress` now and then.
    executor
        Where every design has to be evaluated, evaluates parts of the space;
        nothing else does if `None`.

    Raises
    ------
    ParameterError
        If a value is of the wrong type or out of range.
    """

    top: int = 5
    time_limit: float | None = None
    workers: int | None = None
    seed: int = 0
    progress: ProgressCallback | None = None
    executor: Executor | None = None

    @classmethod
    def of(cls, **given: Any) -> "SearchOptions":
        """Make options from what a caller wrote.

        Raises
        ------
        ParameterError
            If there is no such option (the message gives the nearest), or a
            value is of the wrong type or out of range.
        """
        known = [field.name for field in fields(cls)]
        for name in given:
            if name not in known:
                raise ParameterError(f"a search has no option {name!r}{suggest(name, known)}")
        return cls(**given)

    def __post_init__(self) -> None:
        """Check every option, and turn the numbers of other libraries into Python's own."""
        self._take("top", _count("top", self.top, 1))
        self._take("seed", _count("seed", self.seed, 0, _LARGEST_SEED))
        if self.workers is not None:
            self._take("workers", _count("workers", self.workers, 1, _MOST_WORKERS))
        if self.time_limit is not None:
            self._take("time_limit", _seconds(self.time_limit))
        if self.progress is not None and not callable(self.progress):
            raise ParameterError(
                f"progress = {self.progress!r} cannot be called; "
                "hand in a function of one Progress: progress(state)"
            )

        if self.executor is not None and not isinstance(self.executor, Executor):
            cure = "take e.g. concurrent.futures.ProcessPoolExecutor()"
            if hasattr(self.executor, "get_executor"):  # a client of Dask
                cure = "take its client.get_executor()"
            raise ParameterError(f"executor = {self.executor!r} is no executor; {cure}")

    def _take(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)


def respite(limit: float) -> float:
    """Give the seconds by which judging what was found may exceed a time limit.

    A limit is kept to within a tenth of it, or 0.3 s; stopping takes some of that.
    """
    return max(_RESPITE * limit, _LEAST_RESPITE)


def _count(name: str, value: object, least: int, most: int | None = None) -> int:
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise ParameterError(
            f"{name} = {value!r} is not a whole number; write e.g. {name}={least + 4}"
        )
    count = int(value)
    if count < least:
        raise ParameterError(f"{name} = {count} is too small; the least is {name}={least}")
    if most is not None and count > most:
        raise ParameterError(f"{name} = {count} is too large; the most is {name}={most}")
    return count


def _seconds(limit: object) -> float:
    if isinstance(limit, bool) or not isinstance(limit, Real):
        raise ParameterError(
            f"time_limit = {limit!r} is not a number of seconds; write e.g. time_limit=60"
        )
    try:
        seconds = float(limit)
    except OverflowError:  # a whole number beyond any float
        seconds = math.inf
    if not 0 < seconds < math.inf:
        raise ParameterError(
            f"time_limit = {seconds} must be a finite number of seconds, more than 0; "
            "leave it out for no limit"
        )
    return seconds
