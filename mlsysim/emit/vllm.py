"""vLLM: the options of ``vllm serve`` (version 0.33, ``vllm/engine/arg_utils.py``)."""

import json

from mlsysim.emit.serving_plan import ServingPlan
from mlsysim.emit.serving_words import tell_cache, tell_surroundings, tell_weights
from mlsysim.emit.sheet import Launch, Sheet

FRAMEWORK = "vLLM 0.33"
# vllm/model_executor/layers/quantization/online: what it converts as it loads
_ONLINE = {"fp8": "fp8", "fp8_block": "fp8_per_block", "mxfp8": "mxfp8"}


def vllm(plan: ServingPlan) -> Launch:
    """Tell vLLM a serving design.

    Parameters
    ----------
    plan
        The design.
    """
    sheet = Sheet(framework=FRAMEWORK, arguments=plan.arguments)
    sheet.set("--tensor-parallel-size", plan.tp_size, "tp_size")
    sheet.set("--pipeline-parallel-size", plan.pp_size, "pp_size")
    sheet.set("--data-parallel-size", plan.attention_dp_size, "attention_dp_size")
    sheet.turn_on("--enable-expert-parallel", "ep_size", when=plan.ep_size > 1)
    tell_weights(sheet, plan, _ONLINE)
    tell_cache(sheet, plan, "vllm")
    sheet.set("--block-size", plan.page_tokens, "page_tokens")
    sheet.set("--gpu-memory-utilization", plan.memory_fraction, "memory_fraction")
    sheet.set("--max-model-len", plan.length)
    sheet.set("--max-num-seqs", plan.sequences, "batch_size")
    sheet.set("--max-num-batched-tokens", plan.chunk_tokens, "chunk_tokens")
    sheet.turn_on("--enable-chunked-prefill")
    switch = "enable" if plan.prefix_hit_rate > 0 else "disable"
    sheet.turn_on(f"--{switch}-prefix-caching", "prefix_hit_rate")
    if plan.role:
        # Either side of the connector may send and receive; the router knows which is which.
        connector = {"kv_connector": "NixlConnector", "kv_role": "kv_both"}
        sheet.set("--kv-transfer-config", json.dumps(connector))
    _tell_draft(sheet, plan)
    tell_surroundings(sheet, plan, "vllm")
    return sheet.launch()


def _tell_draft(sheet: Sheet, plan: ServingPlan) -> None:
    if not plan.draft_tokens:
        return
    proposal = {"model": "DRAFT_MODEL", "num_speculative_tokens": plan.draft_tokens}
    sheet.set("--speculative-config", json.dumps(proposal), "draft_tokens")
    sheet.remark(
        f"replace DRAFT_MODEL by a draft of {plan.draft_layers} layers whose tokens are accepted "
        f"at a rate of {plan.draft_acceptance}",
        "draft_layers",
        "draft_acceptance",
    )
