"""A serving design in plain numbers, as the engines want to be told."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from mlsysim.catalog.cluster import Cluster
from mlsysim.stages.machine import available
from mlsysim.stages.serving.design import ServingDesign


@dataclass(frozen=True)
class ServingPlan(ServingDesign):
    """A serving design, and what follows from it.

    Parameters
    ----------
    arguments
        Every argument of the model that priced it, save those that are None.
    role
        Of a pool: ``"prefill"`` or ``"decode"``; empty where one engine does both.
    """

    arguments: Mapping[str, Any] = field(kw_only=True)
    role: str = field(default="", kw_only=True)

    @classmethod
    def of(cls, arguments: Mapping[str, Any], role: str = "") -> Self:
        """Read the arguments of `ServingModel.solve`, with the defaults filled in."""
        given = {name: value for name, value in arguments.items() if value is not None}
        return cls(**{name: arguments[name] for name in cls.knobs()}, arguments=given, role=role)

    @property
    def weights(self) -> str:
        """What weights are kept in."""
        return self.weight_precision or self.precision

    @property
    def length(self) -> int:
        """Tokens of a request, in and out."""
        return self.input_tokens + self.output_tokens

    @property
    def stage(self) -> int:
        """Accelerators of one pipeline stage."""
        return self.tp_size * self.attention_dp_size

    @property
    def sequences(self) -> int:
        """Sequences of each attention group, those of the fullest."""
        return -(-self.batch_size // self.attention_dp_size)

    @property
    def host_share(self) -> float:
        """Memory of the hosts that keeps prefixes of one accelerator (GB)."""
        node = self.fleet.node if isinstance(self.fleet, Cluster) else self.fleet
        return float(self.host_cache or 0.0) / available(node)

    @property
    def draft_size(self) -> int:
        """Accelerators that share the model that drafts."""
        return self.draft_tp_size or self.tp_size

    @property
    def dtype(self) -> str:
        """What activations are kept in, in the words of PyTorch."""
        return {"fp16": "float16", "fp32": "float32", "tf32": "float32"}.get(
            self.precision, "bfloat16"
        )

    @property
    def arithmetic(self) -> str:
        """The layout as a product, as the headline of a launch."""
        degrees = {
            "tensor": self.tp_size,
            "attention groups": self.attention_dp_size,
            "pipeline": self.pp_size,
            "replicas": self.replicas,
        }
        product = " x ".join(f"{degree} {name}" for name, degree in degrees.items() if degree > 1)
        total = self.stage * self.pp_size * self.replicas
        return f"{total} accelerators = {product}" if product else "one accelerator"


def pool_plans(arguments: Mapping[str, Any]) -> tuple[ServingPlan, ServingPlan]:
    """Read the arguments of `DisaggregatedModel.solve`: the pools for prefill and for decode."""
    roles = ("prefill", "decode")
    shared = {
        name: value for name, value in arguments.items() if name.partition("_")[0] not in roles
    }
    first, second = (
        {
            name.removeprefix(f"{role}_"): value
            for name, value in arguments.items()
            if name.startswith(f"{role}_")
        }
        for role in roles
    )
    return (
        ServingPlan.of({**shared, **first}, roles[0]),
        ServingPlan.of({**shared, **second}, roles[1]),
    )
