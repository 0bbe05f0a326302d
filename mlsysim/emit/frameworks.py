"""Emit a design for a framework."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mlsysim.core.solver import DisaggregatedModel
from mlsysim.emit import axolotl, deepspeed, megatron, sglang, torchtitan, vllm
from mlsysim.emit.serving_plan import ServingPlan, pool_plans
from mlsysim.emit.sheet import Launch
from mlsysim.emit.training_plan import TrainingPlan
from mlsysim.emit.writing import as_command, as_document, as_yaml
from mlsysim.errors import LaunchError
from mlsysim.launch.cures import Asked, Given, refusals
from mlsysim.launch.frameworks import Framework, complete, emitters
from mlsysim.problem.reading import resolver
from mlsysim.stages.stage import ForwardModel

_TRAINERS: Mapping[Framework, Callable[[TrainingPlan], Launch]] = {
    Framework.MEGATRON: megatron.megatron,
    Framework.TORCHTITAN: torchtitan.torchtitan,
    Framework.DEEPSPEED: deepspeed.deepspeed,
    Framework.AXOLOTL: axolotl.axolotl,
}
_SERVERS: Mapping[Framework, Callable[[ServingPlan], Launch]] = {
    Framework.VLLM: vllm.vllm,
    Framework.SGLANG: sglang.sglang,
}


@dataclass(frozen=True, kw_only=True)
class Emission:
    """A design as one framework is told it.

    Parameters
    ----------
    framework
        Which one.
    launches
        Options, remarks and environment: of one engine, or of a pool each; none of an emitter
        that another package registers.
    text
        The commands or the configuration file.
    """

    framework: Framework
    launches: tuple[Launch, ...]
    text: str


def emit(
    framework: Framework | str,
    arguments: Mapping[str, Any],
    stage: type[ForwardModel] | None = None,
    asked: Asked | None = None,
) -> Emission:
    """Tell a framework a design.

    Parameters
    ----------
    framework
        ``"megatron"``, ``"torchtitan"``, ``"deepspeed"``, ``"axolotl"``, ``"vllm"``,
        ``"sglang"``, or one that an installed package registers
        (`mlsysim.launch.frameworks.Emitter`).
    arguments
        Those of `DistributedModel.solve`, or of `ServingModel.solve` for an engine; defaults
        may be left out.
    stage
        The model that priced the design, where it is another that takes the same arguments.
    asked
        What the question behind the design leaves open, so that a refusal can name the constraint
        to add; everything that is given unless told.

    Raises
    ------
    LaunchError
        If the framework is not known, or cannot run the design.

    Examples
    --------
    >>> from mlsysim.catalog import Models, Systems
    >>> design = dict(model=Models.Language.Llama3_70B, fleet=Systems.Nodes.DGX_H100,
    ...     batch_size=32, input_tokens=1024, output_tokens=256, tp_size=8)
    >>> "--tensor-parallel-size 8" in emit("vllm", design).text
    True
    """
    framework = Framework.named(framework)
    priced = stage or framework.stages[0]
    full = complete(priced, arguments)
    if (foreign := emitters().get(framework.name)) is not None:
        _refuse(framework, priced, full, {}, asked or Asked(named=arguments, chosen=arguments))
        return Emission(framework=framework, launches=(), text=foreign.write(full))
    if framework in _SERVERS:
        _refuse(framework, priced, full, {}, asked or Asked(named=arguments, chosen=arguments))
        pools = issubclass(priced, DisaggregatedModel)
        return _served(framework, pool_plans(full) if pools else (ServingPlan.of(full),))
    plan = TrainingPlan.of(full)
    counts = {
        "accelerators_total": plan.accelerators,
        "data_parallel_size": plan.data,
        "trained_parameters": plan.trained_parameters,
        "uneven_layers": plan.uneven_layers,
        "uneven_inner_layers": plan.uneven_inner_layers,
        "uneven_recomputation": plan.uneven_recomputation,
    }
    _refuse(framework, priced, full, counts, asked or Asked(named=arguments, chosen=arguments))
    return _trained(framework, plan)


def _refuse(
    framework: Framework,
    stage: type[ForwardModel],
    arguments: Mapping[str, Any],
    counts: Mapping[str, int],
    asked: Asked,
) -> None:
    name = stage.__name__
    given = Given(resolve=resolver(arguments, {name: counts}), asked=asked)
    found = refusals(framework.rules_of(stage, name), given)
    if found:
        told = "; ".join(map(str, found))
        raise LaunchError(f"{framework.name} cannot run this design: {told}")


def _trained(framework: Framework, plan: TrainingPlan) -> Emission:
    launch = _TRAINERS[framework](plan)
    headline = f"{plan.model.name} on {plan.fleet.name}, {plan.arithmetic}"
    torchrun = [
        "torchrun",
        f"--nnodes {plan.used_nodes}",
        f"--nproc-per-node {plan.fleet.node.accelerators}",
    ]
    if framework is Framework.MEGATRON:
        text = as_command(launch, headline, [*torchrun, "pretrain_gpt.py"])
    elif framework is Framework.TORCHTITAN:
        text = as_command(launch, headline, [*torchrun, "-m torchtitan.train"])
    elif framework is Framework.AXOLOTL:
        text = as_yaml(launch, headline)
    else:
        text = as_document(launch, headline)
    return Emission(framework=framework, launches=(launch,), text=text)


def _served(framework: Framework, plans: Sequence[ServingPlan]) -> Emission:
    words = {
        Framework.VLLM: ["vllm serve", '"$MODEL"'],
        Framework.SGLANG: ["python -m sglang.launch_server", "--model-path", '"$MODEL"'],
    }
    launches = tuple(_SERVERS[framework](plan) for plan in plans)
    texts = [
        as_command(launch, _headline(plan), words[framework])
        for launch, plan in zip(launches, plans, strict=True)
    ]
    return Emission(framework=framework, launches=launches, text="\n".join(texts))


def _headline(plan: ServingPlan) -> str:
    pool = f"pool for {plan.role}, " if plan.role else ""
    return (
        f"{plan.model.name} on {plan.fleet.name}, {pool}{plan.arithmetic}; "
        "MODEL is where the weights are"
    )
