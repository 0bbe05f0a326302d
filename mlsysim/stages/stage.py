"""What a stage of a pipeline is: a model that turns named inputs into a result."""

import copy
import functools
import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any, ClassVar, Self, get_type_hints

from mlsysim.errors import ParameterError, suggest
from mlsysim.expr.alternatives import may_be_none
from mlsysim.expr.functions import logical_and
from mlsysim.markup import table
from mlsysim.numeric import plain
from mlsysim.problem.verdict import Check
from mlsysim.stages.documentation import Metric, metrics_of
from mlsysim.stages.error_classes import AS_PREDICTED, MEASURED, Pace, pace_of
from mlsysim.stages.knobs import Knob, knobs_of
from mlsysim.stages.mapping import mapped
from mlsysim.stages.optional_choices import either


class View(StrEnum):
    """The part of a pipeline's result in which a stage's metrics are gathered."""

    PERFORMANCE = "performance"
    MACRO = "macro"


class ForwardModel(ABC):
    """An analytical model that can stand alone or in a `Pipeline`.

    A subclass writes `solve`.  The parameters of `solve` are what the stage
    requires (those with a default are optional); `produces` names the
    attributes of its result that later stages may take by the same name.  An
    argument that `solve` does not have is an error, and so is a missing one.
    Where an argument is None by default and a choice may be None, `solve` is
    called with None and with the rest of the choice, unless `reads_none` names
    the argument: then `solve` sees to it.

    A model that was compared with measured runs predicts, where it has a `level`, as that share of
    those runs turned out at the most (`at`, `pace`); the models that take what it produces follow.

    Examples
    --------
    >>> class Budget(ForwardModel):
    ...     produces = ("spare",)
    ...
    ...     def solve(self, *, total: float, spent: float = 0.0) -> dict[str, float]:
    ...         return {"spare": total - spent}
    >>> Budget().solve(total=10.0)
    {'spare': 10.0}
    >>> Budget().solve(total=10.0, spend=2.0)
    Traceback (most recent call last):
        ...
    mlsysim.errors.ParameterError: Budget has no argument 'spend'; did you mean 'spent'?
    """

    produces: ClassVar[tuple[str, ...]] = ()
    level: float | None = None
    reads_none: ClassVar[tuple[str, ...]] = ()
    view: ClassVar[View] = View.PERFORMANCE

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "solve" in cls.__dict__:
            cls.solve = _guarded(cls.__dict__["solve"])  # type: ignore[method-assign]

    @property
    def name(self) -> str:
        """The name under which a pipeline files the result."""
        return type(self).__name__

    def at(self, level: float) -> Self:
        """Give the model as that share of the measured runs turned out at the most.

        Parameters
        ----------
        level
            0.9 for times that nine in ten of the runs did not exceed.
        """
        slower = copy.copy(self)
        slower.level = level
        return slower

    def pace(self, fleet: Any, model: Any) -> Pace:
        """Give how much longer everything takes than predicted; choices may be given."""
        if self.level is None:
            return AS_PREDICTED
        paced: Pace = mapped(pace_of, self.name, fleet, model, self.level)
        return paced

    def support(self, *paces: Pace) -> Mapping[str, Check]:
        """Give the check that runs of the class were measured; none for the prediction itself."""
        if self.level is None:
            return {}
        measured = logical_and(*(pace.measured for pace in paces), True)  # noqa: FBT003
        return {MEASURED: Check.that(measured)}

    @classmethod
    def summary(cls) -> str:
        """Give the first sentence of what it does."""
        return (inspect.getdoc(cls) or "").partition("\n")[0]

    def _repr_html_(self) -> str:
        rows = [knob.cells for knob in self.knobs().values()]
        return table(Knob.COLUMNS, rows, f"{self.name}: {self.summary()}")

    @classmethod
    def inputs(cls) -> Mapping[str, inspect.Parameter]:
        """Give the parameters of `solve` by name."""
        return _inputs(cls.solve)

    @classmethod
    def knobs(cls) -> Mapping[str, Knob]:
        """Give the same with ranges, units and what each means."""
        return knobs_of(cls.solve)

    @classmethod
    def metrics(cls) -> Mapping[str, Metric]:
        """Give what the model reports by name; nothing where its result is no record."""
        return metrics_of(get_type_hints(cls.solve).get("return"))

    @abstractmethod
    def solve(self, *args: Any, **kwargs: Any) -> Any:
        """Evaluate the model."""


@dataclass(frozen=True, kw_only=True)
class StageResult:
    """What every stage of mlsysim reports; its metrics are the fields of a subclass.

    What else a result may tell of its design, such as the parts of its time, is
    described in `mlsysim.report.breakdowns`.

    Parameters
    ----------
    checks
        The conditions under which the design can exist at all, by reason.
    """

    checks: Mapping[str, Check]

    @property
    def feasible(self) -> bool:
        """Whether all checks hold."""
        return logical_and(True, *(check.holds for check in self.checks.values()))  # noqa: FBT003


@functools.cache
def _inputs(solve: Callable[..., Any]) -> Mapping[str, inspect.Parameter]:
    named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    parameters = list(inspect.signature(solve).parameters.values())[1:]
    return MappingProxyType({item.name: item for item in parameters if item.kind in named})


def _guarded(solve: Callable[..., Any]) -> Callable[..., Any]:
    """Make a `solve` report arguments that are unknown or missing, and read NumPy's numbers."""
    known = _inputs(solve)
    names = tuple(known)
    required = {name for name, item in known.items() if item.default is item.empty}
    optional = [name for name, item in known.items() if item.default is None]
    anything = any(
        item.kind is item.VAR_KEYWORD for item in inspect.signature(solve).parameters.values()
    )

    @functools.wraps(solve)
    def guarded(self: Any, *args: Any, **kwargs: Any) -> Any:
        if not anything and (unknown := kwargs.keys() - known.keys()):
            first = min(unknown)
            near = suggest(first, known) or f"; known: {', '.join(names)}"
            raise ParameterError(f"{self.name} has no argument {first!r}{near}")
        if missing := required - kwargs.keys() - set(names[: len(args)]):
            listed = ", ".join(repr(name) for name in names if name in missing)
            raise ParameterError(f"{self.name} needs {listed}; pass it by name")
        given = {name: plain(value) for name, value in kwargs.items()}
        doubtful = (name for name in optional if may_be_none(given.get(name)))
        name = next((name for name in doubtful if name not in self.reads_none), None)
        if name is not None:
            rest = {other: value for other, value in given.items() if other != name}
            return either(given[name], lambda value: guarded(self, *args, **rest, **{name: value}))
        return solve(self, *map(plain, args), **given)

    return guarded
