"""Memory of the activations that wait for the backward pass."""

from typing import Any

from mlsysim.expr.functions import select, where
from mlsysim.numeric import from_numpy

# Norms, activation functions and the up-projections of latent attention (DeepSeek-V3, arXiv
# 2412.19437, section 3.2.3; Megatron-LM's modules layernorm, moe_act and mla_up_proj).
UP_PROJECTIONS = "norms_and_up_projections"
RECOMPUTE = ("none", "selective", UP_PROJECTIONS, "alternate", "full")
# 8-bit numbers with a scale of 4 bytes for each 128 (DeepSeek-V3, section 3.3.1).
FP8_BYTES = 1 + 4 / 128


@from_numpy
def layer_activations(
    tokens: Any, replicated: Any, divided: Any, tensor_parallel: Any, sequence_parallel: Any
) -> Any:
    """Measure what one layer keeps of one microbatch, scores excluded (byte).

    ``T (r/t + w/t)`` with sequence parallelism, ``T (r + w/t)`` without.  For
    classic attention of hidden size h, two bytes per element, a 4h-wide MLP
    and dropout, ``r = 10 h`` and ``w = 24 h``: Korthikanti et al. 2022, table 2.

    Parameters
    ----------
    tokens
        Tokens of a microbatch, T.
    replicated
        Bytes per token outside the tensor-parallel blocks, r: inputs of norms,
        attention and MLP.
    divided
        Bytes per token inside them, w: queries, keys, values, the attention's
        output, the MLP's inner layers.
    tensor_parallel
        Tensor-parallel size, t.
    sequence_parallel
        Whether the sequence is split where tensor parallelism replicates.

    Examples
    --------
    >>> layer_activations(1, 10, 24, 8, False), layer_activations(1, 10, 24, 8, True)
    (13.0, 4.25)
    """
    shared = where(sequence_parallel, tensor_parallel, 1)
    return tokens * (replicated / shared + divided / tensor_parallel)


@from_numpy
def score_bytes(
    tokens: Any, seq_len: Any, heads: Any, tensor_parallel: Any, element_bytes: Any = 2
) -> Any:
    """Measure the attention scores that one layer keeps of one microbatch (byte).

    ``(2 w + 1) a s T / t``: the softmax, its dropout mask of one byte and the
    dropped-out copy, for each head and pair of positions; ``5 a s² b`` for two
    bytes.  Korthikanti et al. 2022, section 4.1.

    Examples
    --------
    >>> score_bytes(2048, 2048, 64, 64)  # 5 s²
    20971520.0
    """
    return (2 * element_bytes + 1) * heads * seq_len * tokens / tensor_parallel


# Norms of PyTorch's operators work in single precision on a copy of their input; the softmax of
# attention gives out single precision, of which a copy is as wide as values are.
_SINGLE = 4
# Logits as the head gives them out, in single precision, and those shifted by a token; then the
# logarithms of the softmax, and their gradient.
EAGER_LOGIT_BYTES = 2 + 4 * _SINGLE


@from_numpy
def eager_bytes(normalized: Any, activated: Any, width: Any) -> Any:
    """Measure what operators one by one keep beside what fused kernels keep (byte).

    ``(4 - w) n + w a``: inputs of norms are kept in single precision, and what a gated activation
    function gives out is kept beside what goes into it (Hugging Face's Llama: ``LlamaRMSNorm``
    and ``LlamaMLP``).

    Parameters
    ----------
    normalized, activated
        Inputs of norms, n, and outputs of gated activation functions, a.
    width
        Bytes of a number, w.

    Examples
    --------
    >>> eager_bytes(100, 10, 2)
    220
    """
    return (_SINGLE - width) * normalized + width * activated


@from_numpy
def eager_scores(scores: Any, width: Any) -> tuple[Any, Any]:
    """Measure attention scores that operators one by one keep, and what they take on top (byte).

    Of each score ``4 + w`` wait, the softmax in single precision and a copy of width w; its
    backward pass has ``4 + 2 w`` more at once, the gradients of both and of the scores.

    Parameters
    ----------
    scores
        Those of fused-softmax kernels (`score_bytes`).
    width
        Bytes of a number, w.

    Examples
    --------
    >>> eager_scores(5.0, 2)
    (6.0, 8.0)
    """
    each = scores / (2 * width + 1)
    return (_SINGLE + width) * each, (_SINGLE + 2 * width) * each


@from_numpy
def stored_activations(
    recompute: Any, everything: Any, selected: Any, projected: Any, checkpoint: Any
) -> Any:
    """Choose what layers keep of a microbatch (byte).

    All; all but what is cheap to make again; all but what norms, activation functions and
    up-projections make again; the input of every second layer; or only inputs.  Korthikanti
    et al. 2022, section 5.

    Parameters
    ----------
    recompute
        One of `RECOMPUTE`.
    everything
        Activations with scores (`layer_activations`, `score_bytes`).
    selected, projected
        What of them ``"selective"`` drops, and `UP_PROJECTIONS`.
    checkpoint
        The inputs of the layers.
    """
    return select(
        recompute,
        {
            "none": everything,
            "selective": everything - selected,
            UP_PROJECTIONS: everything - projected,
            "alternate": (everything + checkpoint) / 2,
            "full": checkpoint,
        },
    )


@from_numpy
def logit_bytes(tokens: Any, vocabulary: Any, tensor_parallel: Any, width: Any = 8) -> Any:
    """Measure the logits and what becomes of them in the loss: ``w T V / t`` (byte).

    Parameters
    ----------
    tokens
        Tokens of a microbatch, T.
    vocabulary
        Logits of a token, V.
    tensor_parallel
        Tensor-parallel size, t.
    width
        Bytes kept at once of each logit, w: 8 for the softmax and its gradient in single precision.

    Examples
    --------
    >>> logit_bytes(8192, 128256, 1) / 2**30
    7.828125
    """
    return width * tokens * vocabulary / tensor_parallel
