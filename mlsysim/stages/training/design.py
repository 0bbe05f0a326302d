"""The arguments of `DistributedModel.solve`: everything that a planner says of a training run."""

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

from mlsysim.catalog.cluster import Cluster
from mlsysim.catalog.language_model import LanguageModel
from mlsysim.physics.activations import RECOMPUTE
from mlsysim.physics.schedule import SCHEDULES
from mlsysim.physics.state import OPTIMIZERS, STATE_WIDTHS
from mlsysim.stages.domains import (
    Arithmetic,
    Checked,
    Entry,
    Flag,
    Measure,
    Number,
    Options,
    Whole,
)
from mlsysim.stages.knobs import Design, about, knob
from mlsysim.stages.matrices import TARGETS
from mlsysim.stages.per_stage import PerStage
from mlsysim.stages.serving.formats import check_weights
from mlsysim.stages.training.experts import DISPATCHERS, GRAPHS
from mlsysim.stages.training.stacks import STACKS

OVERLAPS = ("none", "data", "all")
ATTENTIONS = ("causal", "full", "unfused")
SHARDINGS = ("zero", "fsdp")
FORMATS = ("wide", "fp8")
KERNELS = ("fused", "eager")


@dataclass(frozen=True)
class TrainingDesign(Design):
    """A training run, as its planner lays it out.

    Its fields are the arguments of `DistributedModel.solve`; formulas, emitters and documentation
    read them here.  In a search a field may hold an array or a traced value.
    """

    model: LanguageModel = field(metadata=about(Entry((LanguageModel,)), "What is trained."))
    fleet: Cluster = field(metadata=about(Entry((Cluster,)), "On what."))
    batch_size: int = field(
        metadata=about(
            Whole(),
            "Sequences per step over all replicas.  Replicas beyond it are idle: paid for, "
            "without work.",
            unit="sequence",
        )
    )
    _: KW_ONLY
    tp_size: int = knob(
        Whole(),
        "Accelerators that share each layer.  It must divide the heads and the MLP; a group that "
        "does not fit a scale-up domain communicates over the network.",
        default=1,
    )
    pp_size: int = knob(
        Whole(),
        "Accelerators in a row that share the stack of layers, ``ceil(L / pp_size)`` each.",
        default=1,
    )
    first_stage_layers: int | None = knob(
        Whole(),
        "Layers of the first stage of the pipeline, which also holds the embedding; the stages of "
        "which nothing is said share the others evenly.",
        default=None,
        unit="layer",
        applies="with pp_size above 1, and is refused without or with stage_layers",
    )
    last_stage_layers: int | None = knob(
        Whole(),
        "Layers of the last stage of the pipeline, which also holds the output head; the stages of "
        "which nothing is said share the others evenly.",
        default=None,
        unit="layer",
        applies="with pp_size above 1, and is refused without or with stage_layers",
    )
    stage_layers: Sequence[int] | None = knob(
        PerStage(each=Whole()),
        "Layers of each stage of the pipeline, from the first to the last, as a list; shared as "
        "evenly as can be unless given.",
        default=None,
        unit="layer",
    )
    cp_size: int = knob(
        Whole(),
        "Accelerators that share each sequence; keys and values go round among them.",
        default=1,
    )
    ep_size: int = knob(
        Whole(),
        "Accelerators of a stage among which whole experts are dealt out, taken from those of "
        "tensor, context and data parallelism.  With 1, tensor parallelism splits each expert.",
        default=1,
        applies="to models with experts",
    )
    precision: str = knob(
        Arithmetic(tuple(STATE_WIDTHS)),
        "Arithmetic of the matrix products.  In 8 and 4 bits, weights and activations are still "
        "kept in 16, and attention and the output head compute in 16.",
        default="fp16",
        applies="where numbers are kept in it, or products take longer than what they wait for",
    )
    efficiency: float | None = knob(
        Number(most=1.0, above=True),
        "Fraction of the dense peak that large matrix products reach; element-wise kernels and "
        "launches come on top.  Unless given, what kernels and runs on such accelerators were "
        "measured to reach.",
        default=None,
        applies="where products take longer than what they wait for: launches and memory",
    )
    seq_len: int = knob(Whole(), "Tokens per sequence.", default=2048, unit="token")
    document_len: int | None = knob(
        Whole(),
        "Tokens of a document, several of which are packed into a sequence without seeing one "
        "another; each sequence is one document unless given.",
        default=None,
        unit="token",
    )
    packed: bool = knob(
        Flag(),
        "Whether documents are packed; if not, each sequence is one of them, and padding that "
        "counts as no token.",
        default=True,
        applies="with a document_len below seq_len",
    )
    micro_batch_size: int = knob(
        Whole(),
        "Sequences that go through the pipeline together; the last microbatch may be smaller and "
        "costs as much.",
        default=1,
        unit="sequence",
    )
    virtual_stages: int = knob(
        Whole(),
        "Chunks of layers per pipeline stage (interleaved 1F1B); above 1 the microbatches must "
        "come in multiples of `pp_size`.",
        default=1,
        applies="with pp_size above 1",
    )
    schedule: str = knob(
        Options(SCHEDULES),
        'In what order microbatches pass the pipeline.  ``"1f1b"`` (interleaved where there are '
        'virtual stages), ``"interleaved"`` (insists on them), ``"zero-bubble"``, which fills the '
        'bubble with gradients of weights that hide no message, or ``"dualpipe"``, in which '
        "microbatches enter at both ends and each accelerator holds two stages (DeepSeek-V3).",
        default="1f1b",
        applies="with pp_size above 1, and more trained than the last stage; with virtual stages, "
        '"1f1b" and "interleaved" are one',
    )
    overlap: str = knob(
        Options(OVERLAPS),
        'What computation hides of communication.  Nothing (``"none"``); the traffic between '
        'replicas and what can run beside gradients of weights (``"data"``, Megatron-LM\'s '
        'default); or the other traffic within replicas too (``"all"``).',
        default="data",
        applies="where there is such traffic",
    )
    attention: str = knob(
        Options(ATTENTIONS),
        'How attention is computed.  Fused kernels with a mask that is ``"causal"`` or '
        '``"full"``, or ``"unfused"`` ones, which compute the whole square and write it to '
        "memory.",
        default="causal",
        applies="where a sequence has many tokens: a fused core of a few hides behind launches",
    )
    kernels: str = knob(
        Options(KERNELS),
        'Whether norms, activation functions and the loss are kernels of their own (``"fused"``), '
        'or operators one by one (``"eager"``, as in Hugging Face\'s models), which keep what '
        "passes between them: inputs of norms, attention weights and logits in single precision, "
        "and what activation functions give out.",
        default="fused",
        applies="to 16 bits and less, and in single precision to gated MLPs, unfused attention and "
        "logits",
    )
    zero_stage: int = knob(
        Whole(0, 3),
        "What replicas share: 0 nothing, 1 optimizer states (Megatron-LM's distributed "
        "optimizer), 2 gradients too, 3 weights too.",
        default=1,
        applies="with several replicas, or cp_size above 1",
    )
    zero_group: int | None = knob(
        Whole(),
        "Accelerators among which the state is divided; each further group of so many holds a copy "
        "of it, and gradients are summed over the copies as well (hybrid sharding: HSDP, the zero1 "
        "of InternEvo).  All replicas, and the ranks of context parallelism, unless given.",
        default=None,
        applies="with zero_stage above 0, and several replicas or cp_size above 1",
    )
    sharding: str = knob(
        Options(SHARDINGS),
        'How the state is kept.  ``"zero"``, working weights beside the optimizer\'s master '
        "copies (Megatron-LM and DeepSpeed: 18 bytes a parameter with gradients of 4), or "
        '``"fsdp"``, shards in 32 bits that are the master copies themselves, gathered in 16 '
        "(PyTorch's FSDP2, torchtitan: 16 bytes); it needs stage 2 (weights stay gathered) or 3.",
        default="zero",
        applies="with master_weights below fp32, or zero_stage 2; else stage 3 is one thing",
    )
    recompute: str = knob(
        Options(RECOMPUTE),
        "What the backward pass computes again.  Nothing; what takes most memory for least work "
        '(``"selective"``), which is the attention core, or norms and activation functions where '
        "kernels are fused (these rebuild the core in any case); norms, activation functions and "
        'the up-projections of latent attention (``"norms_and_up_projections"``); every second '
        'layer (``"alternate"``); or all.',
        default="selective",
    )
    recompute_layers: int | Sequence[int] | None = knob(
        PerStage(each=Whole(0), alone=Whole()),
        "Layers of each stage (of each chunk, with virtual stages) that are computed again, the "
        "first ones; all unless given.  One number is Megatron-LM's block method; a list has one "
        "for each stage of the pipeline.",
        default=None,
        unit="layer",
        applies='with ``recompute="full"``, and is refused with any other',
    )
    sequence_parallel: bool = knob(
        Flag(),
        "Whether norms and residuals are split along the sequence, within tensor parallelism.",
        default=False,
        applies="with tp_size above 1",
    )
    scatter_gather: bool = knob(
        Flag(),
        "Whether a tensor-parallel group shares the sending of what goes to the next stage, as "
        "Megatron-LM does and DeepSpeed does not; sequence parallelism shares it in any case.",
        default=True,
        applies="with tp_size and pp_size above 1, without sequence_parallel",
    )
    fused_loss: bool = knob(
        Flag(),
        "Whether the loss is computed piece by piece, so that logits are never kept.",
        default=False,
        applies="where the stage with the output head holds most, or takes longest",
    )
    optimizer_offload: bool = knob(
        Flag(),
        "Whether the optimizer's states live in the host's memory, which is slow; gradients that "
        "ZeRO divides follow them (zero_stage 2 or 3).",
        default=False,
    )
    parameter_offload: bool = knob(
        Flag(),
        "Whether the shards of weights live in the host's memory too; each microbatch gathers them "
        "from there in both passes.",
        default=False,
        applies="with zero_stage 3, and is refused with any other",
    )
    activation_offload: float = knob(
        Number(most=1.0),
        "Share of the activations that wait for the backward pass in the host's memory: they go "
        "there beside the forward pass, and come back beside the backward one.  Those of two "
        "layers are at hand in any case.",
        default=0.0,
        applies="where more than two layers wait for their backward pass",
    )
    host_memory: Any = knob(
        Measure("GB"),
        "Memory of the hosts of a node, in GB or as a quantity, that takes what is offloaded; that "
        "of the catalogue unless given.  Where neither is known it sets no limit.",
        default=None,
        unit="GB",
        applies="with optimizer_offload, parameter_offload or activation_offload",
    )
    gradient_bytes: int = knob(
        Options((2, 4, 6)),
        "Bytes per gradient, in memory and on the wire: 4 or 2; 6 keeps both, and sends 4 "
        "(DeepSpeed's bf16 optimizer).",
        default=4,
        unit="byte",
        applies="below single precision, whose gradients have 4 bytes at least",
    )
    moment_bytes: int = knob(
        Options((2, 4)),
        "Bytes of each moment that the optimizer keeps whole: 4, or 2 for bf16.",
        default=4,
        unit="byte",
        applies='with the optimizers "adamw", "sgd_momentum" and "muon"',
    )
    optimizer: str = knob(
        Options(OPTIMIZERS),
        "What updates the weights, by what it keeps of each: Adam's two moments "
        '(``"adamw"``), or those in 8 bits (``"adamw_8bit"``); sums over rows and columns '
        '(``"adafactor"``); nothing (``"sgd"``) or one moment (``"sgd_momentum"``); one moment of '
        'matrices in layers, which are made orthogonal, and Adam\'s of the rest (``"muon"``).',
        default="adamw",
    )
    master_weights: bool = knob(
        Flag(),
        "Whether weights narrower than 32 bits are updated in copies of 32 bits; if not, they are "
        "updated as they are (pure bf16).",
        default=True,
        applies="below single precision",
    )
    adapter_rank: int | None = knob(
        Whole(),
        "Rank of low-rank adapters (LoRA), which are trained in place of the weights they stand "
        "beside; all other weights are frozen.  Unless given, the weights are trained.",
        default=None,
    )
    adapter_targets: str = knob(
        Options(tuple(TARGETS)),
        'Which matrices have adapters: those of queries and values (``"query_value"``), of '
        '``"attention"``, of the ``"mlp"`` with its experts, or all of the layers but routers '
        '(``"linear"``).',
        default="linear",
        applies="with adapter_rank",
    )
    adapter_dropout: bool = knob(
        Flag(),
        "Whether what goes into adapters is dropped out, for each apart: a copy waits for the "
        "backward pass, with a mask of a byte.",
        default=False,
        applies="with adapter_rank",
    )
    base_format: str | None = knob(
        Checked(check_weights, "a format of weights"),
        'Format of frozen weights (``Models.Formats``: "nf4" for QLoRA, "int8", ...), which are '
        "widened to be multiplied; as working weights unless given.  Embeddings, head, norms and "
        "routers stay in 16 bits.",
        default=None,
        applies="with adapter_rank or frozen_layers; of the latter where they are on the fullest "
        "stage",
    )
    frozen_layers: int = knob(
        Whole(0),
        "Layers at the bottom that are frozen, with the embedding: they have no backward pass, "
        "no adapters, and keep nothing for it.",
        default=0,
        unit="layer",
    )
    activation_storage: str = knob(
        Options(FORMATS),
        "How inputs of matrix products and of activation functions wait for the backward pass.  "
        '``"wide"``, in 16 bits (32 in single precision), or ``"fp8"``, with a scale for each '
        "128 numbers; the latter takes one pass more over them, and needs products in 8 bits.",
        default="wide",
    )
    dispatch: str = knob(
        Options(FORMATS),
        'Format of tokens on their way to experts of other ranks, ``"wide"`` or ``"fp8"``.',
        default="wide",
        applies='with ep_size above 1; ``"fp8"`` needs products in 8 bits',
    )
    graphs: str | None = knob(
        Options(tuple(GRAPHS)),
        "How much of a step is replayed from captured graphs instead of being launched kernel by "
        'kernel: ``"none"``, ``"partial"`` (attention and router, not the experts), or ``"full"``, '
        'a whole iteration; or ``"unfused"``, none by software of before autumn 2025 on hosts with '
        "Grace processors.  It sets the least time of a pass through a layer with routed experts, "
        "and how long the messages of those wait for the host.  Unless given, between the two.",
        default=None,
        applies="to models with experts",
    )
    dispatcher: str | None = knob(
        Options(tuple(DISPATCHERS)),
        'What sends tokens to their experts.  ``"alltoall"``, NCCL\'s, with tokens sorted before '
        'and after; or ``"deepep"`` and ``"hybridep"``, kernels that sort as they send and come '
        "closer to what the network can do, both alike.  Unless given, NCCL's without the sorting, "
        "which within a scale-up domain is the same as such kernels.",
        default=None,
        applies="with ep_size above 1",
    )
    stack: str | None = knob(
        Options(tuple(STACKS)),
        "The framework, which sets in how many messages replicas exchange gradients and weights, "
        'each of which goes round a ring of them all.  ``"megatron"`` sends buckets of 40 million '
        'parameters or more, ``"torchtitan"`` layers, ``"deepspeed"`` single tensors, as ZeRO does '
        "without prefetching.  Unless given, each exchange is one message.",
        default=None,
        applies="with several replicas, or cp_size above 1",
    )
    nodes: int | None = knob(
        Whole(),
        "How many nodes of the fleet are used and paid for; all unless given.",
        default=None,
        unit="node",
    )
