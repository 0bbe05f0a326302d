"""A serving design in plain numbers, as the engines want to be told."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mlsysim.catalog.language_model import LanguageModel


@dataclass(frozen=True, kw_only=True)
class ServingPlan:
    """The arguments of `ServingModel.solve` for one design, and what follows from them.

    Parameters
    ----------
    arguments
        Every argument by name, with the defaults filled in.
    model
        What is served.
    fleet
        On what, by name.
    role
        Of a pool: ``"prefill"`` or ``"decode"``; empty where one engine does both.
    tensor, pipeline, expert, attention, replicas
        Degrees of parallelism: as in `ServingModel.solve`, `attention` being
        ``attention_dp_size``.
    batch
        Sequences that a replica decodes at a time.
    length
        Tokens of a request, in and out.
    chunk, page
        Tokens of a prompt per pass, and per page of the cache.
    precision, weights, cache
        Arithmetic, and what weights and cache are kept in.
    hit_rate, draft, draft_layers
        Prefix cache and speculation.
    memory_fraction
        Share of the memory that the engine may use.
    """

    arguments: Mapping[str, Any]
    model: LanguageModel
    fleet: str
    role: str
    tensor: int
    pipeline: int
    expert: int
    attention: int
    replicas: int
    batch: int
    length: int
    chunk: int
    page: int
    precision: str
    weights: str
    cache: str
    hit_rate: float
    draft: int
    draft_layers: int
    memory_fraction: float

    @property
    def stage(self) -> int:
        """Accelerators of one pipeline stage."""
        return self.tensor * self.attention

    @property
    def sequences(self) -> int:
        """Sequences of each attention group, those of the fullest."""
        return -(-self.batch // self.attention)

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
            "tensor": self.tensor,
            "attention groups": self.attention,
            "pipeline": self.pipeline,
            "replicas": self.replicas,
        }
        product = " x ".join(f"{degree} {name}" for name, degree in degrees.items() if degree > 1)
        total = self.stage * self.pipeline * self.replicas
        return f"{total} accelerators = {product}" if product else "one accelerator"


def pool_plans(arguments: Mapping[str, Any]) -> tuple[ServingPlan, ServingPlan]:
    """Read the arguments of `DisaggregatedModel.solve`: the pool for prefill, and that for decode.

    Parameters
    ----------
    arguments
        Every argument by name, with the defaults filled in.
    """
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
        serving_plan({**shared, **first}, roles[0]),
        serving_plan({**shared, **second}, roles[1]),
    )


def serving_plan(arguments: Mapping[str, Any], role: str = "") -> ServingPlan:
    """Read the arguments of `ServingModel.solve`.

    Parameters
    ----------
    arguments
        Every argument by name, with the defaults filled in.
    role
        Of a pool.
    """
    return ServingPlan(
        arguments={name: value for name, value in arguments.items() if value is not None},
        model=arguments["model"],
        fleet=arguments["fleet"].name,
        role=role,
        tensor=arguments["tp_size"],
        pipeline=arguments["pp_size"],
        expert=arguments["ep_size"],
        attention=arguments["attention_dp_size"],
        replicas=arguments["replicas"],
        batch=arguments["batch_size"],
        length=arguments["input_tokens"] + arguments["output_tokens"],
        chunk=arguments["chunk_tokens"],
        page=arguments["page_tokens"],
        precision=arguments["precision"],
        weights=arguments["weight_precision"] or arguments["precision"],
        cache=arguments["kv_precision"],
        hit_rate=arguments["prefix_hit_rate"],
        draft=arguments["draft_tokens"],
        draft_layers=arguments["draft_layers"],
        memory_fraction=arguments["memory_fraction"],
    )
