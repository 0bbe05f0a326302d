"""What the serving engines have in common: weights, caches, drafts and replicas."""

from collections.abc import Mapping

from mlsysim.catalog.builtin import Models
from mlsysim.catalog.number_format import NumberFormat
from mlsysim.emit.serving_plan import ServingPlan
from mlsysim.emit.sheet import Sheet
from mlsysim.stages.serving.formats import CACHE_WORDS

_UNQUANTIZED = frozenset({"bf16", "fp16", "fp32", "tf32"})


def tell_weights(sheet: Sheet, plan: ServingPlan, online: Mapping[str, str]) -> None:
    """Set the type of activations, and how weights are kept.

    Parameters
    ----------
    sheet
        What is set so far.
    plan
        The design.
    online
        The engine's word for each format into which it converts weights of 16 bits as it loads
        them.
    """
    sheet.set("--dtype", plan.dtype, "precision", "weight_precision", "attention_precision")
    kept = Models.Formats[plan.weights]
    native = plan.model.native_format if plan.model.has("native_format") else None
    if native is not None and _alike(native, kept):
        sheet.remark(f"weights in {kept}: the checkpoint is published in {native}")
    elif plan.weights in online:
        sheet.set("--quantization", online[plan.weights])
    elif plan.weights not in _UNQUANTIZED:
        sheet.remark(
            f"weights in {kept}, {kept.title}: take a checkpoint that is quantized so; "
            "the engine reads the method from it"
        )
    attention = plan.attention_precision
    if attention is not None and attention != plan.precision:
        sheet.remark(f"attention_precision = {attention} is up to the checkpoint")


def _alike(left: NumberFormat, right: NumberFormat) -> bool:
    """Tell whether two formats differ in how they scale at most."""
    return (left.element_bits, left.arithmetic) == (right.element_bits, right.arithmetic)


def tell_cache(sheet: Sheet, plan: ServingPlan, engine: str) -> None:
    """Set what keys and values are kept in."""
    words = CACHE_WORDS[engine]
    sheet.set("--kv-cache-dtype", words.get(plan.kv_precision, plan.kv_precision), "kv_precision")


def tell_draft(sheet: Sheet, plan: ServingPlan) -> None:
    """Say what stands for DRAFT_MODEL."""
    if plan.draft_model is None:
        kind = f"a draft of {plan.draft_layers} layers"
    else:
        kind = f"{plan.draft_model.title} in {plan.precision}"
    sheet.remark(
        f"replace DRAFT_MODEL by {kind} whose tokens are accepted at a rate of "
        f"{plan.draft_acceptance}",
        "draft_layers",
        "draft_acceptance",
        "draft_model",
    )


def tell_surroundings(sheet: Sheet, plan: ServingPlan, engine: str) -> None:
    """Say what is no option of the engine."""
    runtime = plan.runtime
    if runtime != engine:
        sheet.remark(f"runtime = {runtime}: the design was priced with the overheads of {runtime}")
    if plan.replicas > 1:
        sheet.remark(f"start {plan.replicas} of these, behind a router", "replicas")
    sheet.implies("model", "fleet", "runtime", "replicas", "input_tokens", "output_tokens")
    if not plan.draft_tokens:
        sheet.implies("draft_tokens", "draft_acceptance", "draft_layers")
    sheet.implies("draft_model", "draft_tp_size")
    sheet.implies("prefixes", "host_cache", "redundant_experts")
