"""SGLang: the options of ``sglang.launch_server`` (version 0.5.23, ``srt/server_args.py``)."""

from mlsysim.emit.serving_plan import ServingPlan
from mlsysim.emit.serving_words import tell_cache, tell_draft, tell_surroundings, tell_weights
from mlsysim.emit.sheet import Launch, Sheet

FRAMEWORK = "SGLang 0.5.23"
# what it converts as it loads
_ONLINE = {"fp8": "fp8", "mxfp8": "mxfp8"}


def sglang(plan: ServingPlan) -> Launch:
    """Tell SGLang a serving design.

    Its ``--tp-size`` counts all accelerators of a stage; attention groups divide them.
    """
    sheet = Sheet(framework=FRAMEWORK, arguments=plan.arguments)
    sheet.set("--tp-size", plan.stage, "tp_size")
    sheet.set("--pp-size", plan.pp_size, "pp_size")
    sheet.set("--attn-dp-size", plan.attention_dp_size, "attention_dp_size")
    sheet.set("--ep-size", plan.ep_size, "ep_size")
    tell_weights(sheet, plan, _ONLINE)
    tell_cache(sheet, plan, "sglang")
    sheet.set("--page-size", plan.page_tokens, "page_tokens")
    sheet.set("--mem-fraction-static", plan.memory_fraction, "memory_fraction")
    sheet.remark(
        "--mem-fraction-static holds weights and cache only; lower it where activations do not fit"
    )
    sheet.set("--context-length", plan.length)
    sheet.set("--max-running-requests", plan.batch_size, "batch_size")
    sheet.set("--chunked-prefill-size", plan.chunk_tokens, "chunk_tokens")
    sheet.turn_on("--disable-radix-cache", "prefix_hit_rate", when=plan.prefix_hit_rate == 0)
    if plan.host_cache:
        sheet.turn_on("--enable-hierarchical-cache")
        # Of each accelerator.
        sheet.set("--hicache-size", int(plan.host_share), "host_cache")
    if plan.redundant_experts:
        sheet.turn_on("--enable-eplb")
        sheet.set("--ep-num-redundant-experts", plan.redundant_experts, "redundant_experts")
    if plan.role:
        sheet.set("--disaggregation-mode", plan.role)
    _tell_draft(sheet, plan)
    tell_surroundings(sheet, plan, "sglang")
    return sheet.launch()


def _tell_draft(sheet: Sheet, plan: ServingPlan) -> None:
    if not plan.draft_tokens:
        return
    method = "EAGLE" if plan.draft_model is None else "STANDALONE"
    sheet.set("--speculative-algorithm", method, "draft_tokens")
    sheet.set("--speculative-draft-model-path", "DRAFT_MODEL")
    sheet.set("--speculative-num-steps", plan.draft_tokens)
    sheet.set("--speculative-eagle-topk", 1)
    # The token that the model itself gives counts as well.
    sheet.set("--speculative-num-draft-tokens", plan.draft_tokens + 1)
    if plan.draft_model is not None and plan.draft_size != plan.tp_size:
        sheet.remark("SGLang divides a draft as it does the model", "draft_tp_size")
    tell_draft(sheet, plan)
