"""Axolotl: its configuration file, for Hugging Face's trainer and PEFT (version 0.19)."""

from typing import Any

from mlsysim.emit.sheet import Launch, Sheet
from mlsysim.emit.training_plan import TrainingPlan, tell_documents
from mlsysim.physics.state import ZeroStage

FRAMEWORK = "Axolotl 0.19"

_MODULES = {
    "query_value": ["q_proj", "v_proj"],
    "attention": ["q_proj", "k_proj", "v_proj", "o_proj"],
    "mlp": ["gate_proj", "up_proj", "down_proj"],
}
# bitsandbytes keeps states in 8 bits, or in pages that move to the host.
_OPTIMIZERS = {
    ("adamw", False): "adamw_torch_fused",
    ("adamw", True): "paged_adamw_32bit",
    ("adamw_8bit", False): "adamw_bnb_8bit",
    ("adamw_8bit", True): "paged_adamw_8bit",
    ("adafactor", False): "adafactor",
    ("sgd", False): "sgd",
    ("muon", False): "muon",
}
_FOUR_BITS = {"nf4": False, "nf4_double": True}


def axolotl(plan: TrainingPlan) -> Launch:
    """Tell Axolotl a training design."""
    sheet = Sheet(framework=FRAMEWORK, arguments=plan.arguments)
    sheet.set("base_model", "MODEL", "model")
    sheet.remark("MODEL is where the weights are; add datasets, output_dir and learning_rate")
    _tell_tuned(sheet, plan)
    _tell_batch(sheet, plan)
    _tell_precision(sheet, plan)
    _tell_sharing(sheet, plan)
    _tell_offload(sheet, plan)
    _tell_layout(sheet, plan)
    _tell_kernels(sheet, plan)
    return sheet.launch()


def _tell_tuned(sheet: Sheet, plan: TrainingPlan) -> None:
    """Set what is trained, and how the rest is kept."""
    frozen = bool(plan.adapter_rank or plan.frozen_layers)
    base = plan.base_format if frozen else None
    four = base in _FOUR_BITS
    if plan.adapter_rank:
        sheet.set("adapter", "qlora" if four else "lora")
        sheet.set("lora_r", plan.adapter_rank, "adapter_rank")
        sheet.set("lora_alpha", 2 * plan.adapter_rank)
        sheet.set("lora_dropout", 0.05 if plan.adapter_dropout else 0.0)
        if plan.adapter_targets == "linear":
            sheet.set("lora_target_linear", value=True)
        else:
            sheet.set("lora_target_modules", _MODULES[plan.adapter_targets])
        sheet.remark("lora_alpha and the rate of dropout change no price: set them as you like")
    if four:
        sheet.set("load_in_4bit", value=True)
        double = _FOUR_BITS[str(base)]
        sheet.set("bnb_config_kwargs.bnb_4bit_use_double_quant", value=double)
    elif base == "int8":
        sheet.set("load_in_8bit", value=True)
    elif base:
        sheet.remark(f"base_format = {base}: load a checkpoint that is quantized so")
    above = range(plan.frozen_layers, plan.model.layers)
    if plan.frozen_layers and plan.adapter_rank:
        sheet.set("peft_layers_to_transform", list(above))
    elif plan.frozen_layers:
        trained = [rf"^model\.layers\.{layer}\." for layer in above]
        sheet.set("unfrozen_parameters", [*trained, r"^model\.norm\.", r"^lm_head\."])
    sheet.implies("adapter_targets", "adapter_dropout", "base_format", "frozen_layers")


def _tell_batch(sheet: Sheet, plan: TrainingPlan) -> None:
    sheet.set("micro_batch_size", plan.micro_batch_size, "micro_batch_size")
    sheet.set("gradient_accumulation_steps", plan.accumulation, "batch_size")
    sheet.set("sequence_len", plan.seq_len, "seq_len")
    sheet.set("sample_packing", bool(plan.document_len) and plan.packed)
    sheet.set("pad_to_sequence_len", value=True)
    tell_documents(sheet, plan, "sample_packing keeps them apart where attention is fused")


def _tell_precision(sheet: Sheet, plan: TrainingPlan) -> None:
    if plan.precision == "tf32":
        sheet.set("tf32", value=True)
    elif plan.precision == "fp16":
        sheet.set("fp16", value=True)
    elif plan.precision != "fp32":
        sheet.set("bf16" if plan.master_weights else "bfloat16", value=True)
    if plan.precision == "fp8":
        sheet.set("fp8", value=True)
    sheet.set("optimizer", _OPTIMIZERS[plan.optimizer, plan.optimizer_offload and _unshared(plan)])
    sheet.implies("precision", "master_weights", "optimizer", "moment_bytes", "gradient_bytes")


def _unshared(plan: TrainingPlan) -> bool:
    """Tell whether the optimizer leaves the accelerator page by page, and not by sharding."""
    return plan.zero_stage == 0 or plan.data == 1


def _tell_sharing(sheet: Sheet, plan: TrainingPlan) -> None:
    away = plan.optimizer_offload and not _unshared(plan)
    if plan.sharding == "fsdp":
        whole = plan.zero_stage == ZeroStage.WEIGHTS
        settings: dict[str, Any] = {
            "auto_wrap_policy": "TRANSFORMER_BASED_WRAP",
            "reshard_after_forward": whole,
            "offload_params": plan.parameter_offload,
            "state_dict_type": "SHARDED_STATE_DICT",
        }
        sheet.set("fsdp_version", 2)
        for name, value in settings.items():
            sheet.set(f"fsdp_config.{name}", value)
    elif plan.zero_stage:
        start = "deepspeed.zero_optimization"
        sheet.set(f"{start}.stage", plan.zero_stage)
        sheet.set(f"{start}.overlap_comm", plan.overlap != "none")
        if away:
            sheet.set(f"{start}.offload_optimizer.device", "cpu")
        if plan.parameter_offload:
            sheet.set(f"{start}.offload_param.device", "cpu")
        if plan.precision != "fp32":
            sheet.set(f"deepspeed.{'fp16' if plan.precision == 'fp16' else 'bf16'}.enabled", "auto")
        for name in ("train_batch_size", "train_micro_batch_size_per_gpu"):
            sheet.set(f"deepspeed.{name}", "auto")
        sheet.set("deepspeed.gradient_accumulation_steps", "auto")
    sheet.implies("zero_stage", "sharding", "overlap", "optimizer_offload", "parameter_offload")


def _tell_offload(sheet: Sheet, plan: TrainingPlan) -> None:
    if plan.activation_offload:
        sheet.set("activation_offloading", value=True)
    sheet.implies("activation_offload")


def _tell_layout(sheet: Sheet, plan: TrainingPlan) -> None:
    sheet.set("tensor_parallel_size", plan.tp_size, "tp_size")
    sheet.set("context_parallel_size", plan.cp_size, "cp_size")
    sheet.implies("pp_size", "ep_size", "virtual_stages", "schedule", "sequence_parallel")
    sheet.implies("scatter_gather", "nodes", "fleet", "stack", "dispatch", "activation_storage")


def _tell_kernels(sheet: Sheet, plan: TrainingPlan) -> None:
    sheet.set("gradient_checkpointing", plan.recompute == "full", "recompute")
    if plan.attention == "full":
        sheet.remark("attention = full has no counterpart: decoders mask causally")
    fused = "flash_attention_2" if plan.attention == "causal" else "sdpa"
    unfused = plan.attention == "unfused"
    sheet.set("attn_implementation", "eager" if unfused else fused, "attention")
    if plan.kernels == "fused":
        sheet.set("plugins", ["axolotl.integrations.liger.LigerPlugin"])
        sheet.set("liger_rms_norm", plan.tp_size == 1)
        sheet.set("liger_glu_activation", value=True)
        sheet.set("liger_fused_linear_cross_entropy", plan.fused_loss and plan.tp_size == 1)
    else:
        sheet.set("chunked_cross_entropy", plan.fused_loss)
    sheet.implies("kernels", "fused_loss")
