"""A training design in plain numbers, as the frameworks want to be told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from mlsysim.emit.sheet import Sheet
from mlsysim.stages.training.design import TrainingDesign
from mlsysim.stages.training.distributed import DistributedModel


@dataclass(frozen=True)
class TrainingPlan(TrainingDesign):
    """A training design, and what follows from it.

    Parameters
    ----------
    arguments
        Every argument of the model that priced it, save those that are None.
    """

    arguments: Mapping[str, Any] = field(kw_only=True)

    @classmethod
    def of(cls, arguments: Mapping[str, Any]) -> Self:
        """Read the arguments of `DistributedModel.solve`, with the defaults filled in."""
        given = {name: value for name, value in arguments.items() if value is not None}
        return cls(**{name: arguments[name] for name in cls.knobs()}, arguments=given)

    @property
    def used_nodes(self) -> int:
        """Nodes that are used."""
        return self.fleet.nodes if self.nodes is None else self.nodes

    @property
    def accelerators(self) -> int:
        """Accelerators of these."""
        return self.used_nodes * self.fleet.node.accelerators

    @property
    def data(self) -> int:
        """Replicas."""
        return self.accelerators // (self.tp_size * self.pp_size * self.cp_size)

    @property
    def accumulation(self) -> int:
        """Microbatches of each replica per step."""
        return self.batch_size // (self.micro_batch_size * self.data)

    @property
    def trained_parameters(self) -> int:
        """Parameters that are trained."""
        if self.adapter_rank is None and not self.frozen_layers:
            return self.model.parameters
        given = {name: getattr(self, name) for name in self.knobs()}
        return int(DistributedModel().solve(**given).trained_parameters)

    @property
    def layers_told(self) -> tuple[int, ...]:
        """The layers of each stage where the design tells some; else nothing."""
        first, last, stages = self.first_stage_layers, self.last_stage_layers, self.pp_size
        if self.stage_layers is not None:
            return tuple(self.stage_layers)
        if first is None and last is None:
            return ()
        told = [layers for layers in (first, last) if layers is not None]
        between = (self.model.layers - sum(told)) // max(stages - len(told), 1)
        return (first or between, *[between] * (stages - 2), last or between)

    @property
    def uneven_layers(self) -> int:
        """By how many layers a stage differs from another, where the design tells them apart."""
        return _spread(self.layers_told)

    @property
    def uneven_inner_layers(self) -> int:
        """By how many layers a stage between the ends has fewer than the fullest."""
        told = self.layers_told
        return max(told, default=0) - min((*told[1:-1], max(told, default=0)))

    @property
    def uneven_recomputation(self) -> int:
        """The same of the layers that are computed again."""
        counted = self.recompute_layers
        return _spread(counted if isinstance(counted, Sequence) else ())

    @property
    def recomputed_each(self) -> int | None:
        """Layers of each stage that are computed again, where they are counted and alike."""
        counted = self.recompute_layers
        return counted[0] if isinstance(counted, Sequence) else counted

    @property
    def repeats_sends(self) -> bool:
        """Whether each member of a tensor-parallel group has the same tensor to send onwards."""
        return self.pp_size > 1 and self.tp_size > 1 and not self.sequence_parallel

    @property
    def arithmetic(self) -> str:
        """The layout as a product, as the headline of a launch."""
        degrees = {
            "tensor": self.tp_size,
            "pipeline": self.pp_size,
            "context": self.cp_size,
            "data": self.data,
        }
        product = " x ".join(f"{degree} {name}" for name, degree in degrees.items() if degree > 1)
        return f"{self.accelerators} accelerators = {product or '1'}"


def _spread(counts: Sequence[int]) -> int:
    return max(counts, default=0) - min(counts, default=0)


def tell_documents(sheet: Sheet, plan: TrainingPlan, packing: str) -> None:
    """Say how documents are packed, and what follows from the kernels: code of data and models."""
    if plan.document_len and plan.packed:
        sheet.remark(f"documents of {plan.document_len} tokens are packed: {packing}")
    elif plan.document_len:
        sheet.remark(f"documents of {plan.document_len} tokens are padded to {plan.seq_len}")
    if plan.kernels == "eager":
        sheet.remark("kernels = eager: the design was priced with operators one by one")
    sheet.implies("document_len", "packed", "kernels", "host_memory", "adapter_dropout")
