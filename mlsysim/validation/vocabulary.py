"""The words of the columns of measured runs that are closed sets.

How sources spell them is in ``vocabulary.toml``.
"""

import enum
import tomllib
from collections.abc import Mapping
from importlib import resources
from types import MappingProxyType
from typing import Any

from mlsysim.physics.state import ZeroStage
from mlsysim.validation.conventions import Convention
from mlsysim.validation.words import Words

# What units may call an accelerator.
_CHIPS = ("chip", "device", "accelerator", "card", "HPU", "TPU")


class MeasuredPrecision(enum.StrEnum):
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


class Recompute(enum.StrEnum):
    """What the backward pass computes again, in the words of `DistributedModel`."""

    NONE = "none"
    SELECTIVE = "selective"
    NORMS_AND_UP_PROJECTIONS = "norms_and_up_projections"
    ALTERNATE = "alternate"
    FULL = "full"


class PipelineSchedule(enum.StrEnum):
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


class Graphs(enum.StrEnum):
    """How much of a step is replayed from captured graphs."""

    NONE = "none"
    PARTIAL = "partial"
    FULL = "full"
    UNFUSED = "unfused"


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


class ServingUnit(enum.StrEnum):
    """What a serving row's value is measured in."""

    MILLISECONDS = "ms"
    SECONDS = "s"
    TOKENS = "tokens/s"
    TOKENS_PER_ACCELERATOR = "tokens/s/GPU"
    TOKENS_PER_USER = "tokens/s/user"
    REQUESTS = "requests/s"


class Latency(enum.StrEnum):
    """Which time of a request a serving row's value is, where it is a time."""

    TOKEN = "time per token"  # noqa: S105 - no password
    FIRST = "time to first token"
    REQUEST = "time of a request"


class Load(enum.StrEnum):
    """How a server was loaded."""

    BATCH = "batch"
    """All requests start together."""
    MOST = "most"
    """As many requests as memory holds, all the time."""
    USERS = "users"
    """Users who ask again as soon as they are answered."""


class MeasuredRuntime(enum.StrEnum):
    """The engines of the calibration."""

    VLLM = "vllm"
    SGLANG = "sglang"
    TENSORRT_LLM = "tensorrt_llm"
    TENSORRT_LLM_0 = "tensorrt_llm_0"
    """With its C++ runtime, before 1.0."""


def _words(kind: type[enum.Enum], file: Mapping[str, Any]) -> Words[Any]:
    """Read the spellings of a closed set; units of each GPU are those of each chip, too."""
    known = {str(word.value): word for word in kind}
    spellings = dict(known)
    for word, others in file.get(kind.__name__, {}).items():
        spellings |= dict.fromkeys(others, known[word])
    for spelling, word in list(spellings.items()):
        if spelling.casefold().endswith("/gpu") or "GPU-" in spelling:
            spellings |= {spelling.replace("GPU", chip): word for chip in _CHIPS}
    phrases = file["phrases"].get(kind.__name__, ())
    return Words(
        kind=kind,
        spellings=spellings,
        phrases=tuple((phrase, known[str(word)]) for phrase, word in phrases),
    )


_FILE = tomllib.loads(
    resources.files("mlsysim.validation").joinpath("vocabulary.toml").read_text(encoding="utf-8")
)
WORDS: Mapping[Any, Words[Any]] = MappingProxyType(
    {
        kind: _words(kind, _FILE)
        for kind in (
            MeasuredPrecision, Recompute, ZeroStage, PipelineSchedule, Overlap, Attention, Sharding,
            Stack, Graphs, Dispatcher, Certainty, MemoryUnit, MemoryAccounting, Timed, Unit,
            ServingUnit, Latency, Load, MeasuredRuntime, Convention,
        )
    }
)  # fmt: skip
"""What a column may say, by the type of its field."""
