"""Chains of models: each takes what the caller gives and what earlier models produce."""

import functools
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from mlsysim.core.pipeline_result import PipelineResult, metric
from mlsysim.errors import ParameterError, PipelineError, suggest
from mlsysim.launch.frameworks import Framework, launch_result
from mlsysim.markup import table
from mlsysim.stages.stage import ForwardModel, View


class Callback(Protocol):
    """What `Pipeline.register_callback` accepts."""

    def on_stage_end(self, stage_name: str, result: Any) -> None:
        """Receive the result of a stage as soon as it is there."""


class Pipeline:
    """Models that run one after the other.

    An argument given to `run` goes to every stage that has a parameter of
    that name.  Where none is given, the stage takes what the latest earlier
    stage `produces` under that name, else the parameter's default.

    Parameters
    ----------
    stages
        The models, in order.
    framework
        Who is to run the designs: ``"megatron"``, ``"torchtitan"``, ``"deepspeed"``,
        ``"axolotl"``, ``"vllm"`` or ``"sglang"``.  What it cannot run is infeasible, by a verdict
        ``<framework>.feasible`` with its reasons.

    Raises
    ------
    PipelineError
        If there is no stage, two share a name, or something is not a model.
    LaunchError
        If the framework is not known, or runs no designs of these models.

    Examples
    --------
    >>> from mlsysim.core.solver import DistributedModel, EconomicsModel
    >>> print(Pipeline([DistributedModel(), EconomicsModel()]).explain().splitlines()[0])
    1. DistributedModel
    """

    def __init__(
        self, stages: Iterable[ForwardModel], *, framework: Framework | str | None = None
    ) -> None:
        if isinstance(stages, ForwardModel):
            raise PipelineError(f"a pipeline takes a list of stages; write [{stages.name}()]")
        self._stages = tuple(stages)
        self._callbacks: list[Callback] = []
        if not self._stages:
            raise PipelineError("a pipeline needs at least one stage, e.g. [DistributedModel()]")
        seen: set[str] = set()
        for stage in self._stages:
            if not isinstance(stage, ForwardModel):
                cure = f"; write {stage.__name__}()" if isinstance(stage, type) else ""
                raise PipelineError(f"{stage!r} is not a stage{cure or '; subclass ForwardModel'}")
            if stage.name in seen:
                raise PipelineError(
                    f"two stages are called {stage.name!r}; give a subclass its own `name`"
                )
            seen.add(stage.name)
        self._framework = None if framework is None else Framework.named(framework)
        if self._framework is not None:
            self._framework.require_stage(self._stages)

    def _repr_html_(self) -> str:
        rows = [(stage.name, stage.summary()) for stage in self._stages]
        return table(("stage", "what it does"), rows, "Pipeline")

    @property
    def framework(self) -> Framework | None:
        """Who is to run the designs, if anyone in particular."""
        return self._framework

    @property
    def stages(self) -> tuple[ForwardModel, ...]:
        """The models, in order."""
        return self._stages

    def register_callback(self, callback: Callback) -> None:
        """Call ``callback.on_stage_end(stage_name, result)`` after each stage.

        During a search the results may hold arrays or traced values.

        Raises
        ------
        PipelineError
            If the object has no such method.
        """
        if not callable(getattr(callback, "on_stage_end", None)):
            raise PipelineError(
                f"{callback!r} cannot be called back; give it on_stage_end(stage_name, result)"
            )
        self._callbacks.append(callback)

    def run(self, **inputs: Any) -> PipelineResult:
        """Evaluate all stages.

        Parameters
        ----------
        inputs
            Arguments for the stages, by name.

        Raises
        ------
        ParameterError
            If no stage takes an argument.
        PipelineError
            If a stage lacks an argument that neither the caller nor an earlier
            stage provides (an optional one too, if a later stage produces it),
            or does not produce what it declares.
        """
        self._check(inputs)
        available: dict[str, Any] = {}
        results: dict[str, Any] = {}
        for stage in self._stages:
            offered = {**available, **inputs}
            taken = {name: offered[name] for name in stage.inputs() if name in offered}
            result = stage.solve(**taken)
            results[stage.name] = result
            if self._framework is not None and stage is self._framework.stage_among(self._stages):
                launch = launch_result(self._framework, stage, taken, result)
            for callback in self._callbacks:
                callback.on_stage_end(stage.name, result)
            available.update(_produced(stage, result))
        views = {stage.name: stage.view for stage in self._stages}
        if self._framework is not None:
            results[self._framework.name] = launch
            views[self._framework.name] = View.PERFORMANCE
        again = functools.partial(_at_level, self._stages, self._framework, inputs)
        return PipelineResult(results, views, inputs, again)

    def explain(self) -> str:
        """Describe the flow: what each stage takes, from where, and what it hands on."""
        lines: list[str] = []
        origin: dict[str, str] = {}
        for number, stage in enumerate(self._stages, start=1):
            known = stage.inputs()
            fed = [f"{name} (from {origin[name]})" for name in known if name in origin]
            free = {name: item for name, item in known.items() if name not in origin}
            needs = [name for name, item in free.items() if item.default is item.empty]
            options = [
                f"{name}={item.default!r}"
                for name, item in free.items()
                if item.default is not item.empty
            ]
            lines.append(f"{number}. {stage.name}")
            for title, entries in (
                ("takes", fed),
                ("needs", needs),
                ("options", options),
                ("hands on", stage.produces),
            ):
                if entries:
                    lines.append(f"     {title}: {', '.join(entries)}")
            origin.update(dict.fromkeys(stage.produces, stage.name))
        return "\n".join(lines)

    def _check(self, inputs: Mapping[str, Any]) -> None:
        known = {name for stage in self._stages for name in stage.inputs()}
        for name in inputs:
            if name not in known:
                near = suggest(name, known) or f"; known: {', '.join(sorted(known))}"
                raise ParameterError(f"no stage takes an argument {name!r}{near}")
        available = set(inputs)
        for position, stage in enumerate(self._stages):
            # A default in place of what a later stage will find would be a silent one.
            late = {name for other in self._stages[position + 1 :] for name in other.produces}
            for name, item in stage.inputs().items():
                wanted = item.default is item.empty or name in late
                if wanted and name not in available:
                    raise PipelineError(self._gap(stage, name))
            available.update(stage.produces)

    def _gap(self, stage: ForwardModel, name: str) -> str:
        makers = [other.name for other in self._stages if name in other.produces]
        cure = f"put {makers[0]} before it, or " if makers else ""
        return (
            f"{stage.name} takes {name!r}, which neither the arguments nor an earlier stage "
            f"provides; {cure}pass {name}=... to run"
        )


def _at_level(
    stages: tuple[ForwardModel, ...],
    framework: Framework | None,
    inputs: Mapping[str, Any],
    level: float,
) -> PipelineResult:
    """Evaluate a pipeline as that share of the measured runs turned out at the most."""
    slower = Pipeline([stage.at(level) for stage in stages], framework=framework)
    return slower.run(**inputs)


def _produced(stage: ForwardModel, result: Any) -> dict[str, Any]:
    produced = {}
    for name in stage.produces:
        try:
            produced[name] = metric(result, name)
        except (AttributeError, KeyError):
            raise PipelineError(
                f"{stage.name} declares to produce {name!r}, but its result has no such attribute"
            ) from None
    return produced
