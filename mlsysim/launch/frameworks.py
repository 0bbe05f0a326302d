"""The frameworks that run designs, and whether they can run a given one."""

import functools
import inspect
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Any, ClassVar, Protocol

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

GROUP = "mlsysim.emitters"
"""The group of entry points under which packages register emitters."""

_WHOLE: Mapping[str, Mapping[str, str]] = {"": {}}


@dataclass(frozen=True, kw_only=True, eq=False)
class Framework:
    """A framework that runs designs, and that they can be emitted for.

    Parameters
    ----------
    name
        What questions and options call it.
    stages
        The models whose designs it runs, the plainest first.
    rules
        What it insists on, over the arguments of the plainest model.
    tunes
        Whether it is made for fine-tuning: others that run a design name it only where weights are
        frozen.
    """

    MEGATRON: ClassVar["Framework"]
    TORCHTITAN: ClassVar["Framework"]
    DEEPSPEED: ClassVar["Framework"]
    AXOLOTL: ClassVar["Framework"]
    VLLM: ClassVar["Framework"]
    SGLANG: ClassVar["Framework"]

    name: str
    stages: tuple[type[ForwardModel], ...]
    rules: tuple[Rule, ...]
    tunes: bool = False

    def __str__(self) -> str:
        return self.name

    def __reduce__(self) -> tuple[Any, ...]:
        return Framework.named, (self.name,)

    @classmethod
    def named(cls, name: "str | Framework") -> "Framework":
        """Find a framework, ours or one that an installed package registers.

        Raises
        ------
        LaunchError
            If none is called so.
        """
        known = {found.name: found for found in frameworks()}
        try:
            return known[str(name)]
        except KeyError:
            raise LaunchError(
                f"no framework is called {str(name)!r}; known: {', '.join(known)}"
            ) from None

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
        others = [other.name for other in frameworks() if other.stage_among(stages)]
        launched = " or ".join(stage.__name__ for stage in self.stages)
        cure = (
            f"take {' or '.join(others)}"
            if others
            else f"ask about the part to launch with {launched} alone"
        )
        raise LaunchError(
            f"{self.name} launches designs of {launched}, and this question has "
            f"{', '.join(stage.name for stage in stages)}; {cure}"
        )

    def rules_of(self, stage: type[ForwardModel], name: str) -> tuple[Rule, ...]:
        """Give what it insists on, over the arguments and the metrics of a model."""
        plain = {self.stages[0].__name__: name}
        pools: Mapping[str, Mapping[str, str]] = {
            pool: _arguments_of_pool(stage, pool) for pool in POOLS
        }
        return tuple(
            item.renamed({**plain, **own}, pool)
            for item in self.rules
            for pool, own in (pools if _is_about(item, pools) else _WHOLE).items()
        )


_ENGINES = (ServingModel, ContinuousBatchingModel, DisaggregatedModel)
Framework.MEGATRON = Framework(name="megatron", stages=(DistributedModel,), rules=training.MEGATRON)
Framework.TORCHTITAN = Framework(
    name="torchtitan", stages=(DistributedModel,), rules=training.TORCHTITAN
)
Framework.DEEPSPEED = Framework(
    name="deepspeed", stages=(DistributedModel,), rules=training.DEEPSPEED
)
Framework.AXOLOTL = Framework(
    name="axolotl", stages=(DistributedModel,), rules=training.AXOLOTL, tunes=True
)
Framework.VLLM = Framework(name="vllm", stages=_ENGINES, rules=serving.VLLM)
Framework.SGLANG = Framework(name="sglang", stages=_ENGINES, rules=serving.SGLANG)
_OURS = (
    Framework.MEGATRON,
    Framework.TORCHTITAN,
    Framework.DEEPSPEED,
    Framework.AXOLOTL,
    Framework.VLLM,
    Framework.SGLANG,
)


class Emitter(Protocol):
    """What a package registers under ``mlsysim.emitters``: a framework, and how it is told.

    The entry point names such an object::

        [project.entry-points."mlsysim.emitters"]
        nemo = "my_package.nemo:EMITTER"

    Then ``for = "nemo"``, ``--for nemo`` and ``--emit nemo`` work like those of ours.
    """

    @property
    def framework(self) -> Framework:
        """The framework: its name is that of the entry point."""

    def write(self, arguments: Mapping[str, Any]) -> str:
        """Tell it a design: every argument of the model by name, with the defaults filled in."""


def frameworks() -> tuple[Framework, ...]:
    """List the frameworks: ours, then those that installed packages register.

    Raises
    ------
    LaunchError
        If a registered one cannot be imported, or has another name or one of ours.
    """
    return (*_OURS, *(emitter.framework for emitter in emitters().values()))


@functools.cache
def emitters() -> Mapping[str, Emitter]:
    """Give what installed packages register, by name.

    Raises
    ------
    LaunchError
        As `frameworks`.
    """
    found: dict[str, Emitter] = {}
    ours = {framework.name for framework in _OURS}
    for entry in entry_points(group=GROUP):
        place = f"the registered emitter {entry.name!r} ({entry.value})"
        try:
            emitter = entry.load()
            framework = emitter.framework
        except (ImportError, AttributeError) as error:
            raise LaunchError(
                f"{place} cannot be used: {error}; repair or uninstall its package"
            ) from error
        if framework.name != entry.name or entry.name in {*ours, *found}:
            raise LaunchError(
                f"{place} is for {framework.name!r}; an emitter is registered under the name of "
                "its framework, which no other has"
            )
        found[entry.name] = emitter
    return found


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
    """Judge a design, on plain numbers, arrays or traced values."""
    resolve = resolver(complete(type(stage), given), {stage.name: result})
    rules = framework.rules_of(type(stage), stage.name)
    return LaunchResult(checks={rule.reason: rule.check(resolve) for rule in rules})


def complete(stage: type[ForwardModel], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Fill in the defaults, and keep what the model takes."""
    taken = inspect.signature(stage.solve).parameters
    defaults = {name: item.default for name, item in taken.items() if name != "self"}
    return {name: arguments.get(name, default) for name, default in defaults.items()}
