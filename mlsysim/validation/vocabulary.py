"""The words of the columns of measured runs that are closed sets, with the spellings of sources."""

import enum
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from mlsysim.validation.conventions import CONVENTION_PHRASES, Convention
from mlsysim.validation.words import Words


class Precision(enum.StrEnum):
    """What matrix products of a training run compute in, or what a server keeps weights in."""

    BF16 = "bf16"
    FP16 = "fp16"
    TF32 = "tf32"
    FP32 = "fp32"
    FP8 = "fp8"
    MXFP8 = "mxfp8"
    INT8 = "int8"
    INT8_WEIGHTS = "int8_weights"
    FP4 = "fp4"
    NVFP4 = "nvfp4"
    MXFP4 = "mxfp4"
    MXFP4_WEIGHTS = "mxfp4_weights"
    FP4_FP8 = "fp4_fp8"
    INT4 = "int4"
    INT4_FP8 = "int4_fp8"


_PRECISIONS = {
    "amp_bf16": Precision.BF16,
    "bfloat16": Precision.BF16,
    "amp_fp16": Precision.FP16,
    "float16": Precision.FP16,
    "half": Precision.FP16,
    "float32": Precision.FP32,
    "amp_fp8": Precision.FP8,
    "e4m3": Precision.FP8,
    "float8": Precision.FP8,
    "fp8-cs": Precision.FP8,  # Megatron-Bridge: current scaling
    "fp8-ds": Precision.FP8,
    "fp8-sc": Precision.FP8,
    "fp8_block": Precision.FP8,
    "fp8 tensorwise": Precision.FP8,
    "fp8/bf16": Precision.FP8,
    "fp8-mx": Precision.MXFP8,
    "aqt": Precision.INT8,
    "w8a8": Precision.INT8,
    "sq": Precision.INT8,
    "int8_wo": Precision.INT8_WEIGHTS,
    "w8a16": Precision.INT8_WEIGHTS,
    "w4a16_mxfp4": Precision.MXFP4_WEIGHTS,
    "w4a8_mxfp4": Precision.FP4_FP8,
    "w4a8_nvfp4_fp8": Precision.FP4_FP8,
    "int4_wo": Precision.INT4,
    "w4a16": Precision.INT4,
    "awq": Precision.INT4,
    "gptq": Precision.INT4,
    "w4a8": Precision.INT4_FP8,
    "w4afp8": Precision.INT4_FP8,
}


class Recompute(enum.StrEnum):
    """What the backward pass computes again, in the words of `DistributedModel`."""

    NONE = "none"
    SELECTIVE = "selective"
    NORMS_AND_UP_PROJECTIONS = "norms_and_up_projections"
    ALTERNATE = "alternate"
    FULL = "full"


_RECOMPUTES = {
    **dict.fromkeys(("no", "off", "false", "disabled"), Recompute.NONE),
    **dict.fromkeys(("yes", "on", "uniform", "block", "checkpointing"), Recompute.FULL),
    # What is sent to the host instead of being kept is taken to cost as much as computing it.
    **dict.fromkeys(
        ("offload", "offload qkv_proj", "qkv_proj_offloaded", "minimal_offloaded"), Recompute.FULL
    ),
    # torchtitan: every second layer, or half of the operations of each.
    **dict.fromkeys(("selective (op)", "selective (layer)"), Recompute.ALTERNATE),
    # Modules of Megatron-Core.
    **dict.fromkeys(
        (
            "core_attn",
            "core attention",
            "attention",
            "norm",
            "layernorm",
            "act",
            "norm, act",
            "moe_act",
            "moe",
            "mlp",
            "mla_up_proj",
        ),
        Recompute.SELECTIVE,
    ),
    # Policies of MaxText; those that keep all matrix products are close to none.
    **dict.fromkeys(
        (
            "minimal",
            "minimal_flash",
            "minimal_with_context",
            "save_dot_except_mlp",
            "save_dot_except_mlpwi",
            "save_dot_except_logits_ffn",
            "save_dot_with_context_except_mlp",
            "save_qkv_proj",
            "save_out_proj",
        ),
        Recompute.SELECTIVE,
    ),
}


class ZeroStage(enum.IntEnum):
    """What replicas share: nothing, states of the optimizer, gradients, weights."""

    NOTHING = 0
    STATES = 1
    GRADIENTS = 2
    WEIGHTS = 3


_ZERO_STAGES = {
    "zero-1": ZeroStage.STATES,
    "zero-2": ZeroStage.GRADIENTS,
    "zero-3": ZeroStage.WEIGHTS,
    "fsdp": ZeroStage.WEIGHTS,
    "fsdp2": ZeroStage.WEIGHTS,
    "fsdp axis": ZeroStage.WEIGHTS,
    # Shards within nodes and copies across them send between nodes what stage 2 does: gradients
    # one way and, once a step, weights the other.
    "hsdp": ZeroStage.GRADIENTS,
    "hybrid": ZeroStage.GRADIENTS,
    "fsdp 8 in node, dp across nodes": ZeroStage.GRADIENTS,
}


class Schedule(enum.StrEnum):
    """The order of microbatches in a pipeline, in the words of `DistributedModel`."""

    ONE_F_ONE_B = "1f1b"
    INTERLEAVED = "interleaved"
    ZERO_BUBBLE = "zero-bubble"
    DUALPIPE = "dualpipe"


class Overlap(enum.StrEnum):
    """What computation hides of communication, in the words of `DistributedModel`."""

    NONE = "none"
    DATA = "data"
    ALL = "all"


class Attention(enum.StrEnum):
    """What kernels attention had, in the words of `DistributedModel`."""

    CAUSAL = "causal"
    FULL = "full"
    UNFUSED = "unfused"


class Sharding(enum.StrEnum):
    """How the state was kept, in the words of `DistributedModel`."""

    ZERO = "zero"
    FSDP = "fsdp"


class Stack(enum.StrEnum):
    """The software of a training run; `mlsysim.validation.stacks` has its habits."""

    NEMO = "nemo"
    MEGATRON_BRIDGE = "megatron_bridge"
    MEGATRON_LM = "megatron_lm"
    MEGATRON_DEEPSPEED = "megatron_deepspeed"
    DEEPSPEED = "deepspeed"
    TORCHTITAN = "torchtitan"
    LLM_FOUNDRY = "llm_foundry"
    MAXTEXT = "maxtext"
    INTERNEVO = "internevo"
    PRIMUS = "primus"
    MEGASCALE = "megascale"
    ALPA = "alpa"
    MIST = "mist"
    OTHER = "other"


_STACKS = {
    "megatron-bridge": Stack.MEGATRON_BRIDGE,
    "megatron-lm": Stack.MEGATRON_LM,
    "megatron-core": Stack.MEGATRON_BRIDGE,
    "mcore": Stack.MEGATRON_BRIDGE,
    "megatron-deepspeed": Stack.MEGATRON_DEEPSPEED,
    "llm-foundry": Stack.LLM_FOUNDRY,
}


class Graphs(enum.StrEnum):
    """How much of a step is replayed from captured graphs."""

    NONE = "none"
    PARTIAL = "partial"
    FULL = "full"


class Dispatcher(enum.StrEnum):
    """What sends tokens to their experts."""

    ALLTOALL = "alltoall"
    DEEPEP = "deepep"
    HYBRIDEP = "hybridep"


class Certainty(enum.StrEnum):
    """How sure a figure is."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class MemoryUnit(enum.StrEnum):
    """The gigabytes of a source."""

    GB = "GB"
    GIB = "GiB"


class MemoryAccounting(enum.StrEnum):
    """What a source prints as memory: all of the device, or a peak of PyTorch's allocator.

    The peak of what is reserved leaves out driver and communication buffers, that of what is
    allocated the gaps as well.
    """

    DEVICE = "device"
    RESERVED = "reserved"
    ALLOCATED = "allocated"


class Timed(enum.StrEnum):
    """What the value of a training row is the time or the rate of."""

    STEP = "step"
    LAYER = "layer"
    STEP_WITH_EVALUATION = "step with evaluation"


_TIMED = {
    **dict.fromkeys(
        (
            "throughput",
            "achieved throughput",
            "training throughput",
            "pre-training throughput",
            "fine-tuning throughput",
            "sft throughput",
            "lora throughput",
            "iteration time",
            "step time",
            "time per step",
            "gpu-hours per 1t tokens",
            "mfu",
            "hfu",
        ),
        Timed.STEP,
    ),
    "layer forward+backward time": Timed.LAYER,
    "iteration time incl. share of evaluation": Timed.STEP_WITH_EVALUATION,
}


_TIMED_PHRASES = (
    ("layer ", Timed.LAYER),
    ("with evaluation", Timed.STEP_WITH_EVALUATION),
    *((phrase, Timed.STEP) for phrase in ("time", "throughput", "step", "utilization")),
)


class Unit(enum.StrEnum):
    """What a training row's value is measured in."""

    SECONDS = "s"
    MILLISECONDS = "ms"
    TOKENS_PER_ACCELERATOR = "tokens/s/GPU"
    TOKENS = "tokens/s"
    SAMPLES = "samples/s"
    SAMPLES_PER_ACCELERATOR = "samples/s/GPU"
    TERAFLOPS = "TFLOP/s/GPU"
    PETAFLOPS = "PFLOP/s"
    PER_CENT_MODEL = "% MFU"
    PER_CENT_HARDWARE = "% HFU"
    HOURS_PER_TERATOKEN = "GPU-hours/Ttoken"
    KILOHOURS_PER_TERATOKEN = "kGPU-hours/Ttoken"


_EACH = ("gpu", "chip", "device", "accelerator", "card", "hpu", "tpu")
_UNITS = {
    **dict.fromkeys(("sec", "seconds", "s/step", "s/iteration"), Unit.SECONDS),
    "ms/step": Unit.MILLISECONDS,
    **dict.fromkeys(("tok/s", "tokens/sec", "token/s"), Unit.TOKENS),
    **dict.fromkeys(("samples/sec", "sequences/s", "sequences/sec"), Unit.SAMPLES),
    **dict.fromkeys(("tflop/s", "tflops"), Unit.TERAFLOPS),
    "pflops": Unit.PETAFLOPS,
    **dict.fromkeys(("%", "mfu", "mfu %", "%mfu", "percent", "pct"), Unit.PER_CENT_MODEL),
    **dict.fromkeys(("hfu", "hfu %", "%hfu"), Unit.PER_CENT_HARDWARE),
    **{
        f"{rate}/{each}": unit
        for each in _EACH
        for unit, rates in (
            (Unit.TOKENS_PER_ACCELERATOR, ("tokens/s", "tokens/sec", "tok/s", "token/s")),
            (Unit.SAMPLES_PER_ACCELERATOR, ("samples/s", "samples/sec", "sequences/s")),
            (Unit.TERAFLOPS, ("tflop/s", "tflops", "tflops/s")),
        )
        for rate in rates
    },
    **{f"{each}-hours/ttoken": Unit.HOURS_PER_TERATOKEN for each in _EACH},
    **{f"k{each}-hours/ttoken": Unit.KILOHOURS_PER_TERATOKEN for each in _EACH},
}


class ServingUnit(enum.StrEnum):
    """What a serving row's value is measured in."""

    MILLISECONDS = "ms"
    SECONDS = "s"
    TOKENS = "tokens/s"
    TOKENS_PER_ACCELERATOR = "tokens/s/GPU"
    TOKENS_PER_USER = "tokens/s/user"
    REQUESTS = "requests/s"


_SERVING_UNITS = {
    **{f"{rate}/{each}": ServingUnit.TOKENS_PER_ACCELERATOR for each in _EACH
       for rate in ("tokens/s", "tok/s")},
    "tok/s": ServingUnit.TOKENS,
    "tok/s/user": ServingUnit.TOKENS_PER_USER,
    "req/s": ServingUnit.REQUESTS,
}  # fmt: skip


class Latency(enum.StrEnum):
    """Which time of a request a serving row's value is, where it is a time."""

    TOKEN = "time per token"  # noqa: S105 - no password
    FIRST = "time to first token"
    REQUEST = "time of a request"


_LATENCIES = {
    **dict.fromkeys(
        ("TTFT and TPOT", "TPOT", "ITL", "decode latency per token", "inter-token latency",
         "time per output token"),
        Latency.TOKEN,
    ),
    **dict.fromkeys(("TTFT", "first token latency", "prefill latency"), Latency.FIRST),
    **dict.fromkeys(
        ("total latency", "total latency of the batch", "end-to-end latency", "request latency"),
        Latency.REQUEST,
    ),
    # Rates are told by their unit.
    **dict.fromkeys(
        ("throughput", "output throughput", "total output throughput", "request throughput",
         "output throughput per GPU"),
        Latency.TOKEN,
    ),
}  # fmt: skip


_LATENCY_PHRASES = (
    *((phrase, Latency.TOKEN) for phrase in ("per token", "per output token", "tpot", "itl")),
    *((phrase, Latency.FIRST) for phrase in ("first token", "ttft", "prefill")),
    *((phrase, Latency.REQUEST) for phrase in ("total", "end-to-end", "e2e", "request")),
    ("throughput", Latency.TOKEN),
)


class Load(enum.StrEnum):
    """How a server was loaded."""

    BATCH = "batch"
    """All requests start together."""
    MOST = "most"
    """As many requests as memory holds, all the time."""
    USERS = "users"
    """Users who ask again as soon as they are answered."""


_LOADS = {
    "offline static batch": Load.BATCH,
    "static": Load.BATCH,
    "offline max load": Load.MOST,
    "offline": Load.MOST,
    "agg": Load.USERS,
    "disagg": Load.USERS,
    "closed loop": Load.USERS,
}


class Runtime(enum.StrEnum):
    """The engines of the calibration."""

    VLLM = "vllm"
    SGLANG = "sglang"
    TENSORRT_LLM = "tensorrt_llm"
    TENSORRT_LLM_0 = "tensorrt_llm_0"
    """With its C++ runtime, before 1.0."""


_RUNTIMES = {
    "tensorrt-llm": Runtime.TENSORRT_LLM,
    "trtllm": Runtime.TENSORRT_LLM,
    "trt-llm": Runtime.TENSORRT_LLM,
    "tensorrt-llm (nim)": Runtime.TENSORRT_LLM_0,
    "fastertransformer": Runtime.TENSORRT_LLM_0,
    # Engines without constants of their own.
    "optimum-habana": Runtime.VLLM,
    "transformers": Runtime.VLLM,
    "tgi": Runtime.VLLM,
    "lmdeploy": Runtime.VLLM,
}

WORDS: Mapping[Any, Words[Any]] = MappingProxyType(
    {
        Precision: Words(kind=Precision, spellings=_PRECISIONS),
        Recompute: Words(kind=Recompute, spellings=_RECOMPUTES),
        ZeroStage: Words(kind=ZeroStage, spellings=_ZERO_STAGES),
        Schedule: Words(kind=Schedule),
        Overlap: Words(kind=Overlap),
        Attention: Words(kind=Attention),
        Sharding: Words(kind=Sharding),
        Stack: Words(kind=Stack, spellings=_STACKS),
        Graphs: Words(kind=Graphs),
        Dispatcher: Words(kind=Dispatcher),
        Certainty: Words(kind=Certainty),
        MemoryUnit: Words(kind=MemoryUnit),
        MemoryAccounting: Words(kind=MemoryAccounting),
        Timed: Words(kind=Timed, spellings=_TIMED, phrases=_TIMED_PHRASES),
        Unit: Words(kind=Unit, spellings=_UNITS),
        ServingUnit: Words(kind=ServingUnit, spellings=_SERVING_UNITS),
        Latency: Words(kind=Latency, spellings=_LATENCIES, phrases=_LATENCY_PHRASES),
        Load: Words(kind=Load, spellings=_LOADS),
        Runtime: Words(kind=Runtime, spellings=_RUNTIMES),
        Convention: Words(kind=Convention, phrases=CONVENTION_PHRASES),
    }
)
"""What a column may say, by the type of its field."""
