"""What the free words of a measured row mean in the models' terms.

Sources write "fp8 (TransformerEngine hybrid)", "amp_bf16" or "mxfp8"; the first
precision named counts.  Each function returns None where it does not recognise
the words, for the caller to say so.
"""

import re

# The first that matches within the first precision named.
_PRECISIONS = (
    (r"nvfp4|mxfp4|fp4", "fp4"),
    (r"fp8|e4m3|float8|mxfp8", "fp8"),
    (r"int8|aqt", "int8"),
    (r"bf16|bfloat16", "bf16"),
    (r"fp16|float16|half", "fp16"),
    (r"tf32", "tf32"),
    (r"fp32|float32", "fp32"),
)
_RECOMPUTES = (
    (r"^(none|no|off|false|disabled)\b", "none"),
    # MaxText's policies; those that keep all matrix products are close to none.
    (r"^minimal|save_dot|save_qkv|save_out", "selective"),
    (r"^(full|uniform|block|yes|on)\b|offload|checkpoint", "full"),
    (r"selective|norm|act|attention|core|layernorm|mlp|moe", "selective"),
)


def precision_of(words: str) -> str | None:
    """Name the arithmetic.

    Examples
    --------
    >>> precision_of("amp_bf16"), precision_of("fp8/bf16 (not read)"), precision_of("quick")
    ('bf16', 'fp8', None)
    """
    found = [
        (match.start(), name)
        for pattern, name in _PRECISIONS
        if (match := re.search(pattern, words.casefold()))
    ]
    return min(found, default=(0, None), key=lambda pair: pair[0])[1]


def recompute_of(words: str) -> str | None:
    """Name the recomputation.

    Examples
    --------
    >>> recompute_of("norm, act"), recompute_of("offload qkv_proj"), recompute_of("none")
    ('selective', 'full', 'none')
    """
    return _first(_RECOMPUTES, words.casefold())


def zero_stage_of(words: str) -> int | None:
    """Give the ZeRO stage; fully sharded data parallelism is stage 3.

    Sharding within nodes and copies across them sends between nodes what stage
    2 does: gradients one way and, once a step, weights the other.

    Examples
    --------
    >>> zero_stage_of("1 (Megatron distributed optimizer)"), zero_stage_of("fsdp axis")
    (1, 3)
    >>> zero_stage_of("FSDP 8 in node, DP across nodes")
    2
    """
    said = words.casefold()
    if "fsdp" in said:
        return 2 if "across nodes" in said or "hybrid" in said else 3
    number = re.match(r"(?:zero-?)?([0-3])\b", said)
    return int(number[1]) if number else None


def _first(patterns: tuple[tuple[str, str], ...], said: str) -> str | None:
    return next((name for pattern, name in patterns if re.search(pattern, said)), None)
