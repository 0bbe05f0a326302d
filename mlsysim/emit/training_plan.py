"""A training design in plain numbers, as the frameworks want to be told."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mlsysim.catalog.cluster import Cluster
from mlsysim.catalog.language_model import LanguageModel


@dataclass(frozen=True, kw_only=True)
class TrainingPlan:
    """The arguments of `DistributedModel.solve` for one design, and what follows from them.

    Parameters
    ----------
    arguments
        Every argument by name, with the defaults filled in.
    model, fleet
        What is trained, and on what.
    nodes, accelerators
        How many are used.
    tensor, pipeline, context, expert, virtual
        Degrees of parallelism, and chunks of layers per stage.
    data
        Replicas.
    batch, micro_batch, seq_len
        Sequences per step and per microbatch, tokens per sequence.
    precision, recompute, overlap, schedule, attention
        As in `DistributedModel.solve`.
    sharding, moment_bytes, activation_storage, dispatch
        Likewise.
    zero, gradient_bytes, sequence_parallel, scatter_gather, fused_loss, optimizer_offload
        Likewise.
    """

    arguments: Mapping[str, Any]
    model: LanguageModel
    fleet: Cluster
    nodes: int
    accelerators: int
    tensor: int
    pipeline: int
    context: int
    expert: int
    virtual: int
    data: int
    batch: int
    micro_batch: int
    seq_len: int
    precision: str
    recompute: str
    overlap: str
    schedule: str
    attention: str
    zero: int
    sharding: str
    gradient_bytes: int
    moment_bytes: int
    activation_storage: str
    dispatch: str
    sequence_parallel: bool
    scatter_gather: bool
    fused_loss: bool
    optimizer_offload: bool

    @property
    def accumulation(self) -> int:
        """Microbatches of each replica per step."""
        return self.batch // (self.micro_batch * self.data)

    @property
    def even_batch(self) -> bool:
        """Whether every replica gets the same number of whole microbatches."""
        return self.batch % (self.micro_batch * self.data) == 0

    @property
    def repeats_sends(self) -> bool:
        """Whether each member of a tensor-parallel group has the same tensor to send onwards."""
        return self.pipeline > 1 and self.tensor > 1 and not self.sequence_parallel

    @property
    def arithmetic(self) -> str:
        """The layout as a product, as the headline of a launch."""
        degrees = {
            "tensor": self.tensor,
            "pipeline": self.pipeline,
            "context": self.context,
            "data": self.data,
        }
        product = " x ".join(f"{degree} {name}" for name, degree in degrees.items() if degree > 1)
        return f"{self.accelerators} accelerators = {product or '1'}"


def training_plan(arguments: Mapping[str, Any]) -> TrainingPlan:
    """Read the arguments of `DistributedModel.solve`.

    Parameters
    ----------
    arguments
        Every argument by name, with the defaults filled in.
    """
    fleet: Cluster = arguments["fleet"]
    nodes = fleet.nodes if arguments["nodes"] is None else arguments["nodes"]
    accelerators = nodes * fleet.node.accelerators
    tensor, pipeline = arguments["tp_size"], arguments["pp_size"]
    context = arguments["cp_size"]
    return TrainingPlan(
        arguments={name: value for name, value in arguments.items() if value is not None},
        model=arguments["model"],
        fleet=fleet,
        nodes=nodes,
        accelerators=accelerators,
        tensor=tensor,
        pipeline=pipeline,
        context=context,
        expert=arguments["ep_size"],
        virtual=arguments["virtual_stages"],
        data=accelerators // (tensor * pipeline * context),
        batch=arguments["batch_size"],
        micro_batch=arguments["micro_batch_size"],
        seq_len=arguments["seq_len"],
        precision=arguments["precision"],
        recompute=arguments["recompute"],
        overlap=arguments["overlap"],
        schedule=arguments["schedule"],
        attention=arguments["attention"],
        zero=arguments["zero_stage"],
        sharding=arguments["sharding"],
        gradient_bytes=arguments["gradient_bytes"],
        moment_bytes=arguments["moment_bytes"],
        activation_storage=arguments["activation_storage"],
        dispatch=arguments["dispatch"],
        sequence_parallel=arguments["sequence_parallel"],
        scatter_gather=arguments["scatter_gather"],
        fused_loss=arguments["fused_loss"],
        optimizer_offload=arguments["optimizer_offload"],
    )
