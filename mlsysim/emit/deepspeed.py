"""DeepSpeed: its configuration file (version 0.19, ``deepspeed/runtime/config.py``)."""

from typing import Any

from mlsysim.emit.sheet import Launch, Sheet
from mlsysim.emit.training_plan import TrainingPlan, tell_documents

FRAMEWORK = "DeepSpeed 0.19"

_REPEATED = {
    "selective": "the attention core",
    "alternate": "every second layer",
    "full": "each layer",
}


def deepspeed(plan: TrainingPlan) -> Launch:
    """Tell DeepSpeed a training design."""
    sheet = Sheet(framework=FRAMEWORK, arguments=plan.arguments)
    sheet.set("train_batch_size", plan.batch_size, "batch_size")
    sheet.set("train_micro_batch_size_per_gpu", plan.micro_batch_size, "micro_batch_size")
    sheet.set("gradient_accumulation_steps", plan.accumulation)
    _tell_precision(sheet, plan)
    _tell_sharing(sheet, plan)
    _tell_layout(sheet, plan)
    _tell_code(sheet, plan)
    return sheet.launch()


def _tell_precision(sheet: Sheet, plan: TrainingPlan) -> None:
    half = plan.precision == "fp16"
    brain = plan.precision in {"bf16", "fp8", "fp4"}
    sheet.set("bf16.enabled", brain, "precision")
    sheet.set("fp16.enabled", half)
    narrow = "fp16" if half else "bf16" if brain else "fp32"
    wide = plan.gradient_bytes > 2  # noqa: PLR2004 - bytes in 16 bits
    kept: dict[str, Any] = {"data_types.grad_accum_dtype": "fp32" if wide else narrow}
    kept["communication_data_type"] = kept["data_types.grad_accum_dtype"]
    for name, value in kept.items():
        sheet.set(name, value, "gradient_bytes")
    if plan.precision in {"fp8", "fp4"}:
        sheet.remark(f"{plan.precision} is up to the layers of the model (Transformer Engine)")


def _tell_sharing(sheet: Sheet, plan: TrainingPlan) -> None:
    sheet.set("zero_optimization.stage", plan.zero_stage, "zero_stage")
    sheet.set("zero_optimization.overlap_comm", plan.overlap != "none", "overlap")
    sheet.set("zero_optimization.contiguous_gradients", value=True)
    sheet.set("zero_optimization.reduce_scatter", value=True)
    if plan.optimizer_offload:
        sheet.set("zero_optimization.offload_optimizer.device", "cpu")
    if plan.parameter_offload:
        sheet.set("zero_optimization.offload_param.device", "cpu")
    sheet.implies(
        "parameter_offload", "optimizer_offload", "sharding", "moment_bytes", "activation_storage"
    )
    sheet.implies("dispatch")
    if plan.overlap == "all":
        sheet.set("tensor_parallel.tp_overlap_comm", value=True)


def _tell_layout(sheet: Sheet, plan: TrainingPlan) -> None:
    sheet.set("tensor_parallel.autotp_size", plan.tp_size, "tp_size")
    if plan.cp_size > 1:
        sheet.set("sequence_parallel_size", plan.cp_size)
        sheet.remark("cp_size: DeepSpeed-Ulysses, which deals out heads and not a ring of keys")
    if plan.ep_size > 1:
        sheet.set("expert_parallel.enabled", value=True)
        sheet.set("expert_parallel.autoep_size", plan.ep_size)
    if plan.pp_size > 1:
        sheet.remark(
            f"pp_size = {plan.pp_size} is code, not configuration: "
            f"PipelineModule(layers, num_stages={plan.pp_size})"
        )
    if plan.sequence_parallel:
        sheet.remark("sequence_parallel (of norms) has no counterpart")
    sheet.implies("cp_size", "ep_size", "pp_size", "virtual_stages", "schedule")
    sheet.implies("first_stage_layers", "last_stage_layers", "stage_layers")
    sheet.implies("sequence_parallel", "nodes", "fleet")


def _tell_code(sheet: Sheet, plan: TrainingPlan) -> None:
    """Say what the model's own code decides."""
    sheet.remark(f"the model is code: {plan.model.name}, sequences of {plan.seq_len}", "model")
    sheet.implies("seq_len")
    few = plan.recompute_layers
    if plan.recompute == "none":
        sheet.implies("recompute")
    else:
        sheet.remark(
            f"recompute = {plan.recompute} is code: deepspeed.checkpointing.checkpoint around "
            + (f"{few} layers of each stage" if few else _REPEATED[plan.recompute]),
            "recompute",
            "recompute_layers",
        )
    if plan.activation_offload:
        sheet.remark(
            "activation_offload = 1 is code: deepspeed.checkpointing.configure(None, "
            "checkpoint_in_cpu=True)"
        )
    sheet.implies("activation_offload")
    sheet.remark(f"attention = {plan.attention} is up to the model", "attention")
    if plan.fused_loss:
        sheet.remark("fused_loss is up to the model")
    if plan.repeats_sends and plan.scatter_gather:
        sheet.remark(
            "scatter_gather has no counterpart: whole tensors go from stage to stage; price the "
            "design with scatter_gather = false"
        )
    sheet.implies("fused_loss", "scatter_gather", "stack")
    _tell_tuning(sheet, plan)
    sheet.remark(f"add optimizer ({plan.optimizer}) and scheduler", "optimizer")


def _tell_tuning(sheet: Sheet, plan: TrainingPlan) -> None:
    """Say what is trained, and in what the rest is kept: the model's code decides."""
    if not plan.master_weights and plan.precision == "bf16":
        sheet.set("bf16.bf16_master_weights_and_grads", value=True)
    if plan.adapter_rank:
        sheet.remark(
            f"adapter_rank = {plan.adapter_rank} is code: peft.LoraConfig, with adapters at "
            f"{plan.adapter_targets}, before deepspeed.initialize",
            "adapter_rank",
        )
    if plan.base_format and (plan.adapter_rank or plan.frozen_layers):
        sheet.remark(f"base_format = {plan.base_format} is up to how the model is loaded")
    if plan.frozen_layers:
        sheet.remark(f"frozen_layers = {plan.frozen_layers} is code: requires_grad_(False)")
    tell_documents(sheet, plan, "positions and sequence lengths are the data loader's to give")
    sheet.implies("master_weights", "adapter_targets", "base_format", "frozen_layers")
