"""The arguments of the serving stages: what a planner says of an engine and its replicas."""

from dataclasses import KW_ONLY, dataclass, field
from typing import Any

from mlsysim.catalog.accelerator import Accelerator, Precision
from mlsysim.catalog.builtin import Models, Systems
from mlsysim.catalog.cluster import Cluster
from mlsysim.catalog.language_model import LanguageModel
from mlsysim.catalog.node import Node
from mlsysim.catalog.runtime import Runtime
from mlsysim.stages.domains import (
    Arithmetic,
    Checked,
    Entry,
    Measure,
    Named,
    Number,
    Options,
    Whole,
)
from mlsysim.stages.knobs import Design, about, knob
from mlsysim.stages.machine import Fleet
from mlsysim.stages.serving.formats import check_weights

FLEETS = Entry((Cluster, Node, Accelerator))
MODELS = Entry((LanguageModel,))
_WEIGHTS = Checked(check_weights, "a format of weights")


@dataclass(frozen=True)
class EngineDesign(Design):
    """What all replicas have in common: the requests, the formats and the engine's settings."""

    _: KW_ONLY
    input_tokens: int = field(metadata=about(Whole(), "Of the prompt of a request.", unit="token"))
    output_tokens: int = field(metadata=about(Whole(), "Of the answer to it.", unit="token"))
    precision: str = knob(
        Arithmetic(tuple(Precision), kept="weight_precision"),
        "Arithmetic of the MLPs.",
        default="bf16",
        applies="where weights are kept in it, or products take longer than reading these",
    )
    weight_precision: str | None = knob(
        _WEIGHTS,
        'Format in which weights are kept (``Models.Formats``: "mxfp4", "fp8_block", "int4" for '
        "AWQ and GPTQ, ...); as `precision` unless given.  Weights that are narrower than "
        "`precision` are widened first.  Embeddings, head, norms and routers stay in 16 bits.",
        default=None,
    )
    attention_precision: str | None = knob(
        _WEIGHTS,
        "Format and arithmetic of the attention matrices.  Unless given they are kept as the other "
        "weights and multiplied in `precision`, or in 16 bits where the format covers only the "
        'experts of a mixture ("mxfp4", "nvfp4", "fp4", "int4_g32").',
        default=None,
        applies="where it is another width, or products take longer than reading the weights",
    )
    kv_precision: str = knob(
        Options(Models.Formats),
        "Format in which keys and values are kept; what there is depends on `runtime`.",
        default="bf16",
    )
    page_tokens: int = knob(
        Whole(),
        "Tokens per page of the cache.",
        default=16,
        unit="token",
        applies="where requests do not fill whole pages",
    )
    chunk_tokens: int = knob(
        Whole(),
        "Tokens of a prompt that one pass takes at most.",
        default=8192,
        unit="token",
        applies="where prompts that wait do not all fit one pass",
    )
    prefix_hit_rate: float = knob(
        Number(most=1.0), "Share of a prompt that is in the cache already.", default=0.0
    )
    prefixes: int = knob(
        Whole(0),
        "Different beginnings that prompts share, all as frequent, each of `prefix_hit_rate` of a "
        "prompt.  Memory that the batch leaves keeps them, whole ones in whole pages; the others "
        "are not found.  With 0 all are found, whatever it takes to keep them.",
        default=0,
        applies="with prefix_hit_rate above 0, where one of them fits at all",
    )
    host_cache: Any = knob(
        Measure("GB"),
        "Memory of the hosts of a node for prefixes that accelerators have no room for, in GB or "
        "as a quantity; a prompt waits until its own has come.  None unless given.",
        default=None,
        unit="GB",
    )
    draft_tokens: int = knob(
        Whole(0),
        "Tokens that a draft proposes per pass (speculative decoding); 0 for none.",
        default=0,
        unit="token",
    )
    draft_acceptance: float = knob(
        Number(most=1.0),
        "Chance that a proposed token is accepted.",
        default=0.7,
        applies="with draft_tokens above 0, and is refused at 0 then",
    )
    draft_layers: int = knob(
        Whole(),
        "Layers of the draft, each like one of the model's.",
        default=1,
        unit="layer",
        applies="with draft_tokens above 0 and no draft_model",
    )
    draft_model: LanguageModel | None = knob(
        MODELS,
        "A model that drafts in place of layers, kept in `precision`.  It prefills every prompt as "
        "well, and stands beside the last stage, once in each attention group.",
        default=None,
        applies="with draft_tokens above 0",
    )
    draft_tp_size: int | None = knob(
        Whole(),
        "Accelerators that share each layer of the draft_model; as many as of the model unless "
        "given.",
        default=None,
        applies="with draft_tokens above 0 and a draft_model",
    )
    memory_fraction: float = knob(
        Number(most=1.0, above=True),
        "Share of the accelerator's memory that the runtime may use.",
        default=0.9,
    )
    runtime_reserve: Any = knob(
        Measure("GB"),
        "What driver, libraries and communication buffers take of it, in GB or as a quantity.  "
        "Unless given, what logs of such runtimes show on an accelerator alone, and more with "
        "every doubling of the group that shares a layer.",
        default=None,
        unit="GB",
    )
    runtime: str = knob(
        Named(Systems.Runtimes, Runtime),
        "The engine, by its name in ``Systems.Runtimes``.",
        default="vllm",
    )


@dataclass(frozen=True)
class ServingDesign(EngineDesign):
    """Equal replicas, each a layout of its own; the arguments of `ServingModel.solve`.

    Formulas, emitters and documentation read the fields here.  In a search a field may hold an
    array or a traced value.
    """

    model: LanguageModel = field(metadata=about(MODELS, "What is served."))
    fleet: Fleet = field(
        metadata=about(
            FLEETS,
            "On what: a cluster, whose accelerators bound all replicas together; or what is rented "
            "by the piece, a node or an accelerator (with the others that its own links join), of "
            "which there are as many as wanted, each replica in one.",
        )
    )
    batch_size: int = field(
        metadata=about(
            Whole(), "Sequences that a replica decodes at a time, at most.", unit="sequence"
        )
    )
    _: KW_ONLY
    tp_size: int = knob(
        Whole(),
        "Accelerators that share each layer.  Beyond the key-value heads (beyond one with latent "
        "attention) they keep the same keys and values.",
        default=1,
    )
    pp_size: int = knob(Whole(), "Accelerators in a row that share the stack of layers.", default=1)
    ep_size: int = knob(
        Whole(),
        "Ranks that divide the experts among them.  The accelerators of a rank, ``tp_size * "
        "attention_dp_size / ep_size``, share each expert.  Tokens behind attention groups travel "
        "to fewer accelerators, and the fullest rank sets the pace.  Shared experts are divided by "
        "`tp_size` alone.",
        default=1,
        applies="to models with experts, and is refused above 1 with others",
    )
    redundant_experts: int = knob(
        Whole(0),
        "Copies of the busiest experts of each layer, which the ranks hold beside all of them "
        "(DeepSeek's EPLB).  We suppose that one for each rank takes all unevenness of the routing "
        "away, and fewer their share; the chance of the draw stays.",
        default=0,
        applies="with ep_size above 1, and is refused with 1",
    )
    attention_dp_size: int = knob(
        Whole(),
        "Groups of `tp_size` accelerators that each attend to sequences of their own; the experts "
        "span all of them.",
        default=1,
    )
    replicas: int = knob(Whole(), "Copies of all this.", default=1)


@dataclass(frozen=True)
class LoadDesign(Design):
    """What is asked of a fleet."""

    _: KW_ONLY
    request_rate: Any = knob(
        Measure("1/s", above=True),
        "Requests that arrive per second, over all replicas.  Without it, as many as can be "
        "answered: users ask again as soon as they have their answer, and the batch is full.",
        default=None,
        unit="1/s",
    )
    utilization_limit: float = knob(
        Number(most=1.0, above=True),
        "Share of its capacity that a replica, or any part of a fleet, may be asked for.",
        default=0.95,
        applies="with a request_rate",
    )


@dataclass(frozen=True)
class ContinuousBatchingDesign(ServingDesign, LoadDesign):
    """Replicas under a load; the arguments of `ContinuousBatchingModel.solve`."""
