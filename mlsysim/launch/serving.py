"""What the serving engines can run, over the arguments of `ServingModel.solve`.

vLLM 0.33: ``vllm/engine/arg_utils.py`` and ``vllm/config``; SGLang 0.5.23:
``sglang/srt/server_args.py``.
"""

from mlsysim.launch.rule import Rule, rule
from mlsysim.stages.serving.formats import CACHE_WORDS


def _cache(engine: str) -> Rule:
    # What activations are kept in follows from the arithmetic: 16 bits where that has fewer.
    narrow = [name for name, word in CACHE_WORDS[engine].items() if word != "auto"]
    return rule(
        "cache",
        f"the cache is in {', '.join(narrow)}, or in what activations are kept in",
        *(f'kv_precision == "{name}"' for name in narrow),
        'kv_precision == "fp16" and precision == "fp16"',
        'kv_precision == "fp32" and precision == "fp32"',
        'kv_precision == "fp32" and precision == "tf32"',
        'kv_precision == "bf16" and precision != "fp16" and precision != "fp32" '
        'and precision != "tf32"',
    )


# The times of a design are those of its `runtime`; one of a user's own may stand for either.
_ENGINE = rule(
    "runtime",
    "times are not those of TensorRT-LLM",
    'runtime != "tensorrt_llm" and runtime != "tensorrt_llm_0"',
)

VLLM = (
    rule(
        "experts_over_all",
        "experts are dealt out over all accelerators of a stage, or over none",
        "ep_size == 1",
        "ep_size == tp_size * attention_dp_size",
    ),
    rule(
        "tokens_per_pass",
        "a pass has room for a token of each sequence",
        "chunk_tokens * attention_dp_size >= batch_size",
    ),
    rule("pages", "pages are a multiple of 16 tokens", "page_tokens % 16 == 0"),
    _cache("vllm"),
    _ENGINE,
)

SGLANG = (
    rule(
        "expert_ranks",
        "expert parallelism divides the accelerators of a stage",
        "(tp_size * attention_dp_size) % ep_size == 0",
    ),
    _cache("sglang"),
    _ENGINE,
)
