"""What the serving engines have in common: weights, caches, drafts and replicas."""

from mlsysim.emit.serving_plan import ServingPlan
from mlsysim.emit.sheet import Sheet

_SIXTEEN_BITS = frozenset({"bf16", "fp16"})


def tell_weights(sheet: Sheet, plan: ServingPlan) -> None:
    """Set the type of activations, and how weights are kept."""
    sheet.set("--dtype", plan.dtype, "precision", "weight_precision", "attention_precision")
    if plan.weights == "fp8":
        sheet.set("--quantization", "fp8")
    elif plan.weights not in {*_SIXTEEN_BITS, "fp32", "tf32"}:
        sheet.remark(
            f"weights in {plan.weights}: take a checkpoint that is quantized so; "
            "the engine reads the method from it"
        )
    kept = plan.arguments.get("attention_precision")
    if kept is not None and kept != plan.precision:
        sheet.remark(f"attention_precision = {kept} is up to the checkpoint")


def tell_cache(sheet: Sheet, plan: ServingPlan, fp8: str) -> None:
    """Set what keys and values are kept in.

    Parameters
    ----------
    sheet
        What is set so far.
    plan
        The design.
    fp8
        The engine's word for 8 bits.
    """
    word = fp8 if plan.cache == "fp8" else "auto"
    sheet.set("--kv-cache-dtype", word, "kv_precision")


def tell_surroundings(sheet: Sheet, plan: ServingPlan, engine: str) -> None:
    """Say what is no option of the engine."""
    runtime = plan.arguments.get("runtime", engine)
    if runtime != engine:
        sheet.remark(f"runtime = {runtime}: the design was priced with the overheads of {runtime}")
    if plan.replicas > 1:
        sheet.remark(f"start {plan.replicas} of these, behind a router", "replicas")
    sheet.implies("model", "fleet", "runtime", "replicas", "input_tokens", "output_tokens")
    if not plan.draft:
        sheet.implies("draft_tokens", "draft_acceptance", "draft_layers")
