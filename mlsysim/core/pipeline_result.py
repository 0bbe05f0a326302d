"""The result of a pipeline: one result per stage, and views across the stages."""

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from mlsysim.errors import ConfidenceError, UnknownNameError, suggest
from mlsysim.expr.functions import logical_and
from mlsysim.results.interval import Interval, interval_of
from mlsysim.stages.error_classes import COVERAGE, MEASURED, levels_of
from mlsysim.stages.stage import View

_VERDICT = ("checks", "feasible")


class PipelineResult(Mapping[str, Any]):
    """Results by stage name; ``result["Stage"]``, ``result.Stage`` and ``result["Stage.metric"]``.

    Parameters
    ----------
    results
        The result of each stage.
    views
        The view to which each stage belongs.
    arguments
        What the caller gave to the pipeline, by name.
    again
        Evaluates the pipeline at a level (`at_level`).
    """

    __slots__ = ("_again", "_arguments", "_levels", "_results", "_views")

    def __init__(
        self,
        results: Mapping[str, Any],
        views: Mapping[str, View],
        arguments: Mapping[str, Any] | None = None,
        again: "Callable[[float], PipelineResult] | None" = None,
    ) -> None:
        self._results = dict(results)
        self._views = views
        self._arguments = dict(arguments or {})
        self._again = again
        self._levels: dict[float, PipelineResult] = {}

    @property
    def arguments(self) -> Mapping[str, Any]:
        """What the pipeline was given, fixed or chosen; constraints may name each."""
        return MappingProxyType(self._arguments)

    @property
    def performance(self) -> "StageView":
        """The metrics of all stages about speed and memory."""
        return self._view(View.PERFORMANCE)

    @property
    def macro(self) -> "StageView":
        """The metrics of all stages about money, energy and carbon."""
        return self._view(View.MACRO)

    @property
    def feasibility(self) -> "Feasibility":
        """The verdicts of all stages."""
        return Feasibility(self._results)

    def at_level(self, level: float) -> "PipelineResult":
        """Give the same, had the models been as far off as with that share of the measured runs.

        Parameters
        ----------
        level
            0.9 for times that nine in ten of the runs of the class did not exceed, each
            predicted by constants that had not seen its source; 0.5 for their median.
        """
        if self._again is None:
            raise ConfidenceError("this result was not made by a pipeline, so it has no error")
        if level not in self._levels:
            self._levels[level] = self._again(level)
        return self._levels[level]

    @property
    def measured(self) -> Any:
        """Whether runs were measured of all that was predicted; of a result at a level."""
        checks = (getattr(result, "checks", {}).get(MEASURED) for result in self._results.values())
        found = [check.holds for check in checks if check is not None]
        if not found:
            raise ConfidenceError(
                f"none of {', '.join(self._results)} was compared with measured runs, so nothing "
                "is known of their errors; leave the confidence out"
            )
        return logical_and(True, *found)  # noqa: FBT003

    def intervals(self, coverage: float = COVERAGE) -> Mapping[str, Interval]:
        """Give the interval of every predicted figure by path, such as ``"ServingModel.mfu"``.

        It holds that share of the measured runs of the class.  A figure without one
        follows from the arguments alone.

        Parameters
        ----------
        coverage
            The share, 0.8 unless given.

        Raises
        ------
        ConfidenceError
            If no run of the class was measured.
        """
        ends = [self.at_level(level) for level in levels_of(coverage)]
        if not all(end.measured for end in ends):
            raise ConfidenceError("no run like this was measured, so that no interval is known")
        found = {}
        for stage, result in self._results.items():
            for name in metrics_of(result):
                values = [metric(end[stage], name) for end in ends]
                if (interval := interval_of(*values)) is not None:
                    found[f"{stage}.{name}"] = interval
        return found

    def __getitem__(self, path: str) -> Any:
        stage, _, rest = path.partition(".")
        if stage not in self._results:
            raise UnknownNameError(f"no stage is called {stage!r}{suggest(stage, self._results)}")
        value = self._results[stage]
        for name in rest.split(".") if rest else ():
            try:
                value = metric(value, name)
            except (AttributeError, KeyError):
                near = suggest(name, metrics_of(value))
                raise UnknownNameError(f"{path!r}: there is no {name!r}{near}") from None
        return value

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return self[name]

    def get(self, path: str, default: Any = None) -> Any:
        """Give what a path leads to, or the default; cheaper than a failing look-up."""
        if path.partition(".")[0] not in self._results:
            return default
        return super().get(path, default)

    def __contains__(self, path: object) -> bool:
        stage, _, rest = str(path).partition(".")
        return stage in self._results and (not rest or super().__contains__(path))

    def __iter__(self) -> Iterator[str]:
        return iter(self._results)

    def __len__(self) -> int:
        return len(self._results)

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._results]

    def __repr__(self) -> str:
        return f"<PipelineResult of {', '.join(self._results)}>"

    def _view(self, view: View) -> "StageView":
        members = {name: self._results[name] for name, own in self._views.items() if own is view}
        return StageView(view.value, members)


class StageView:
    """The metrics of some stages, each under its own name.

    Parameters
    ----------
    title
        The name of the view.
    members
        The results of the stages that it gathers.
    """

    __slots__ = ("_members", "_title")

    def __init__(self, title: str, members: Mapping[str, Any]) -> None:
        self._title = title
        self._members = members

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        owners = [stage for stage, result in self._members.items() if name in metrics_of(result)]
        if len(owners) == 1:
            return metric(self._members[owners[0]], name)
        if not owners:
            raise UnknownNameError(
                f"{self._title} has no metric {name!r}{suggest(name, dir(self))}"
            )
        choices = " or ".join(f"{stage}.{name}" for stage in owners)
        raise UnknownNameError(f"{self._title}.{name} is ambiguous; write {choices}")

    def __dir__(self) -> list[str]:
        return sorted({name for result in self._members.values() for name in metrics_of(result)})

    def __repr__(self) -> str:
        return f"<{self._title} of {', '.join(self._members) or 'no stage'}>"


class Feasibility:
    """The verdicts of all stages that give one.

    Parameters
    ----------
    results
        The result of each stage.
    """

    __slots__ = ("_results",)

    def __init__(self, results: Mapping[str, Any]) -> None:
        self._results = results

    @property
    def feasible(self) -> Any:
        """Whether every stage finds the design feasible."""
        return logical_and(True, *(verdict for _, verdict in self._verdicts()))  # noqa: FBT003

    @property
    def checks(self) -> Mapping[str, Any]:
        """Every check, under ``"<stage>: <reason>"``."""
        return {
            f"{stage}: {reason}": check
            for stage, result in self._results.items()
            for reason, check in getattr(result, "checks", {}).items()
        }

    def __getattr__(self, name: str) -> Any:
        verdicts = dict(self._verdicts())
        if name.startswith("_") or name not in verdicts:
            raise UnknownNameError(f"feasibility has no stage {name!r}{suggest(name, verdicts)}")
        return verdicts[name]

    def __dir__(self) -> list[str]:
        return ["feasible", "checks", *(stage for stage, _ in self._verdicts())]

    def __repr__(self) -> str:
        return f"<feasibility of {', '.join(self._results)}>"

    def _verdicts(self) -> list[tuple[str, Any]]:
        found = []
        for stage, result in self._results.items():
            try:
                found.append((stage, metric(result, "feasible")))
            except (AttributeError, KeyError):
                continue  # a stage without a verdict rules nothing out
        return found


def metric(result: Any, name: str) -> Any:
    """Read a metric out of a stage's result, be it a mapping or an object."""
    return result[name] if isinstance(result, Mapping) else getattr(result, name)


def metrics_of(result: Any) -> list[str]:
    """List the metrics of a stage's result; verdicts have a view of their own."""
    names = result if isinstance(result, Mapping) else dir(result)
    return [name for name in names if not name.startswith("_") and name not in _VERDICT]
