"""The frameworks that run designs, and whether they can run a given one."""

import inspect
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, assert_never

from mlsysim.errors import LaunchError
from mlsysim.launch import serving, training
from mlsysim.launch.rule import Rule
from mlsysim.problem.reading import resolver
from mlsysim.stages.serving.continuous_batching import ContinuousBatchingModel
from mlsysim.stages.serving.disaggregated import DisaggregatedModel
from mlsysim.stages.serving.serving import ServingModel
from mlsysim.stages.stage import ForwardModel, StageResult
from mlsysim.stages.training.distributed import DistributedModel

POOLS = ("prefill", "decode")
"""The pools of a disaggregated design; arguments of one begin with its name."""

_WHOLE: Mapping[str, Mapping[str, str]] = {"": {}}


class Framework(StrEnum):
    """A framework that runs designs, and that they can be emitted for."""

    MEGATRON = "megatron"
    TORCHTITAN = "torchtitan"
    DEEPSPEED = "deepspeed"
    VLLM = "vllm"
    SGLANG = "sglang"

    @classmethod
    def named(cls, name: str) -> "Framework":
        """Find a framework.

        Raises
        ------
        LaunchError
            If none is called so.
        """
        try:
            return cls(name)
        except ValueError:
            known = ", ".join(cls)
            raise LaunchError(f"no framework is called {name!r}; known: {known}") from None

    @property
    def stages(self) -> tuple[type[ForwardModel], ...]:
        """The models whose designs the framework runs, the plainest first."""
        match self:
            case Framework.MEGATRON | Framework.TORCHTITAN | Framework.DEEPSPEED:
                return (DistributedModel,)
            case Framework.VLLM | Framework.SGLANG:
                return (ServingModel, ContinuousBatchingModel, DisaggregatedModel)
            case _:
                assert_never(self)

    @property
    def rules(self) -> tuple[Rule, ...]:
        """What it insists on, over the arguments of the plainest model."""
        match self:
            case Framework.MEGATRON:
                return training.MEGATRON
            case Framework.TORCHTITAN:
                return training.TORCHTITAN
            case Framework.DEEPSPEED:
                return training.DEEPSPEED
            case Framework.VLLM:
                return serving.VLLM
            case Framework.SGLANG:
                return serving.SGLANG
            case _:
                assert_never(self)

    def stage_among(self, stages: Iterable[ForwardModel]) -> ForwardModel | None:
        """Find the model whose designs the framework runs; nothing if there is none."""
        return next((stage for stage in stages if isinstance(stage, self.stages)), None)

    def require_stage(self, stages: Iterable[ForwardModel]) -> ForwardModel:
        """Find the model whose designs the framework runs.

        Raises
        ------
        LaunchError
            If there is none; the message names the frameworks for which there is one.
        """
        stages = tuple(stages)
        found = self.stage_among(stages)
        if found is not None:
            return found
        others = [other.value for other in Framework if other.stage_among(stages)]
        launched = " or ".join(stage.__name__ for stage in self.stages)
        cure = (
            f"take {' or '.join(others)}"
            if others
            else f"ask about the part to launch with {launched} alone"
        )
        raise LaunchError(
            f"{self.value} launches designs of {launched}, and this question has "
            f"{', '.join(stage.name for stage in stages)}; {cure}"
        )

    def rules_of(self, stage: type[ForwardModel], name: str) -> tuple[Rule, ...]:
        """Give what it insists on, over the arguments and the metrics of a model.

        Parameters
        ----------
        stage
            The model: one of `stages`, or a subclass.
        name
            Its name in the pipeline.
        """
        plain = {self.stages[0].__name__: name}
        pools: Mapping[str, Mapping[str, str]] = {
            pool: _arguments_of_pool(stage, pool) for pool in POOLS
        }
        return tuple(
            item.renamed({**plain, **own}, pool)
            for item in self.rules
            for pool, own in (pools if _is_about(item, pools) else _WHOLE).items()
        )


def _arguments_of_pool(stage: type[ForwardModel], pool: str) -> dict[str, str]:
    """Map arguments of an engine to those of a pool; none where the model has no pools."""
    start = f"{pool}_"
    return {name.removeprefix(start): name for name in stage.inputs() if name.startswith(start)}


def _is_about(item: Rule, pools: Mapping[str, Mapping[str, str]]) -> bool:
    return any(name in own for own in pools.values() for name in item.names)


@dataclass(frozen=True, kw_only=True)
class LaunchResult(StageResult):
    """Whether a framework can run a design: a verdict among those of the models."""


def launch_result(
    framework: Framework, stage: ForwardModel, given: Mapping[str, Any], result: Any
) -> LaunchResult:
    """Judge a design, on plain numbers, arrays or traced values.

    Parameters
    ----------
    framework
        Who is to run it.
    stage
        The model that priced it.
    given
        The arguments that the model was given.
    result
        What the model returned.
    """
    resolve = resolver(complete(type(stage), given), {stage.name: result})
    rules = framework.rules_of(type(stage), stage.name)
    return LaunchResult(checks={rule.reason: rule.check(resolve) for rule in rules})


def complete(stage: type[ForwardModel], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Fill in the defaults, and keep what the model takes.

    Parameters
    ----------
    stage
        The model.
    arguments
        What it was given, and perhaps more.
    """
    taken = inspect.signature(stage.solve).parameters
    defaults = {name: item.default for name, item in taken.items() if name != "self"}
    return {name: arguments.get(name, default) for name, default in defaults.items()}
