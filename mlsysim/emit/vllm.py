"""vLLM: the options of ``vllm serve`` (version 0.33, ``vllm/engine/arg_utils.py``)."""

import json

from mlsysim.emit.serving_plan import ServingPlan
from mlsysim.emit.serving_words import tell_cache, tell_draft, tell_surroundings, tell_weights
from mlsysim.emit.sheet import Launch, Sheet

FRAMEWORK = "vLLM 0.33"
# vllm/model_executor/layers/quantization/online: what it converts as it loads
_ONLINE = {"fp8": "fp8", "fp8_block": "fp8_per_block", "mxfp8": "mxfp8"}


def vllm(plan: ServingPlan) -> Launch:
    """Tell vLLM a serving design."""
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
    if plan.host_cache:
        # In all, over the accelerators of an engine.
        size = plan.host_share * plan.tp_size * plan.pp_size * 1e9 / 2**30
        sheet.set("--kv-offloading-size", round(size, 2), "host_cache")
        sheet.set("--kv-offloading-backend", "native")
    if plan.redundant_experts:
        copies = {"num_redundant_experts": plan.redundant_experts}
        sheet.turn_on("--enable-eplb")
        sheet.set("--eplb-config", json.dumps(copies), "redundant_experts")
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
    proposal: dict[str, str | int] = {
        "model": "DRAFT_MODEL",
        "num_speculative_tokens": plan.draft_tokens,
    }
    if plan.draft_model is not None:
        proposal["draft_tensor_parallel_size"] = plan.draft_size
        if plan.draft_size not in {1, plan.tp_size}:
            sheet.remark("vLLM puts a draft on one accelerator or on all of the group")
    sheet.set("--speculative-config", json.dumps(proposal), "draft_tokens", "draft_tp_size")
    tell_draft(sheet, plan)
