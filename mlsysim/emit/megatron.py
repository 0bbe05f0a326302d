"""Megatron-LM: the options of ``pretrain_gpt.py``.

They are those of ``megatron/training/arguments.py`` in the repository
NVIDIA/Megatron-LM (commit 000c4ac, between core 0.15 and 0.16), and so is what
it asserts about layouts.
"""

import itertools
from collections.abc import Sequence

from mlsysim.emit.megatron_model import tell_model
from mlsysim.emit.sheet import Launch, Sheet
from mlsysim.emit.training_plan import TrainingPlan, tell_documents
from mlsysim.physics.activations import UP_PROJECTIONS

FRAMEWORK = "Megatron-LM (commit 000c4ac, core 0.16)"

_PRECISIONS = {
    "bf16": ("--bf16", "", ""),
    "fp16": ("--fp16", "", ""),
    "fp8": ("--bf16", "--fp8-format", "hybrid"),
    "fp4": ("--bf16", "--fp4-format", "e2m1"),
}


def megatron(plan: TrainingPlan) -> Launch:
    """Tell Megatron-LM a training design."""
    sheet = Sheet(framework=FRAMEWORK, arguments=plan.arguments)
    tell_model(sheet, plan.model, plan.seq_len)
    _tell_layout(sheet, plan)
    _tell_batch(sheet, plan)
    _tell_precision(sheet, plan)
    _tell_sharing(sheet, plan)
    _tell_overlap(sheet, plan)
    _tell_memory(sheet, plan)
    _tell_optimizer(sheet, plan)
    sheet.remark("add data, tokenizer, learning rate and checkpoint options")
    return sheet.launch()


def uneven_layout(parts: Sequence[int]) -> str:
    """Write how layers are dealt out to parts of a pipeline that are not equal.

    ``E`` is the embedding, ``t`` a layer, ``L`` the loss, and ``|`` ends a part.

    Examples
    --------
    >>> uneven_layout([11, 11, 10])
    'E(t*11|)*2t*10L'
    """
    *others, last = parts
    runs = [f"(t*{held}|)*{len(list(alike))}" for held, alike in itertools.groupby(others)]
    return f"E{''.join(runs)}t*{last}L"


def even_parts(layers: int, chunks: int) -> list[int]:
    """Share layers among so many parts; the first ones hold one more.

    Examples
    --------
    >>> even_parts(32, 3)
    [11, 11, 10]
    """
    fewer, fuller = divmod(layers, chunks)
    return [fewer + 1] * fuller + [fewer] * (chunks - fuller)


def _tell_layout(sheet: Sheet, plan: TrainingPlan) -> None:
    sheet.set("--tensor-model-parallel-size", plan.tp_size, "tp_size")
    sheet.set("--pipeline-model-parallel-size", plan.pp_size, "pp_size")
    sheet.set("--context-parallel-size", plan.cp_size, "cp_size")
    sheet.turn_on(
        "--sequence-parallel",
        "sequence_parallel",
        when=plan.sequence_parallel and plan.tp_size > 1,
    )
    _tell_split(sheet, plan)
    sheet.implies("virtual_stages", "schedule", "nodes", "fleet", "stack")
    if plan.model.experts:
        sheet.set("--expert-model-parallel-size", plan.ep_size)
        # Without expert parallelism, tensor parallelism splits each expert.
        sheet.set("--expert-tensor-parallel-size", plan.tp_size if plan.ep_size == 1 else 1)
        sheet.turn_on("--moe-grouped-gemm", when=plan.precision == "bf16")
    sheet.implies("ep_size")


def _tell_split(sheet: Sheet, plan: TrainingPlan) -> None:
    """Say which layers each stage holds."""
    chunks, virtual = plan.pp_size * plan.virtual_stages, plan.virtual_stages
    if plan.stage_layers is not None:
        parts = [layers // virtual for layers in plan.layers_told] * virtual
        sheet.set("--pipeline-model-parallel-layout", uneven_layout(parts))
    elif not plan.layers_told and plan.model.layers % chunks:
        parts = even_parts(plan.model.layers, chunks)
        sheet.set("--pipeline-model-parallel-layout", uneven_layout(parts))
    elif virtual > 1:
        sheet.set("--num-virtual-stages-per-pipeline-rank", virtual)
    if plan.first_stage_layers is not None:
        sheet.set("--decoder-first-pipeline-num-layers", plan.first_stage_layers)
    if plan.last_stage_layers is not None:
        sheet.set("--decoder-last-pipeline-num-layers", plan.last_stage_layers)
    sheet.implies("first_stage_layers", "last_stage_layers", "stage_layers")


def _tell_batch(sheet: Sheet, plan: TrainingPlan) -> None:
    sheet.set("--micro-batch-size", plan.micro_batch_size, "micro_batch_size")
    sheet.set("--global-batch-size", plan.batch_size, "batch_size")
    sheet.set("--seq-length", plan.seq_len, "seq_len")


def _tell_precision(sheet: Sheet, plan: TrainingPlan) -> None:
    kept, option, value = _PRECISIONS.get(plan.precision, ("", "", ""))
    sheet.turn_on(kept, "precision", when=bool(kept))
    if option:
        sheet.set(option, value)
    if plan.precision == "tf32":
        sheet.remark("tf32: Megatron-LM computes in fp32; let PyTorch take tf32 for it")
    wide = plan.gradient_bytes > 2  # noqa: PLR2004 - bytes in 16 bits
    sheet.turn_on(
        "--accumulate-allreduce-grads-in-fp32", "gradient_bytes", when=wide and bool(kept)
    )
    sheet.turn_on("--grad-reduce-in-bf16", when=not wide and kept == "--bf16")
    if plan.gradient_bytes > 4:  # noqa: PLR2004 - bytes of fp32
        sheet.remark("gradient_bytes = 6: Megatron-LM keeps gradients once, in 32 bits")
    backend = "unfused" if plan.attention == "unfused" else "auto"
    sheet.set("--attention-backend", backend, "attention")
    if plan.attention == "full":
        sheet.remark("attention = full: pretrain_gpt.py masks causally; pretrain_bert.py does not")


def _tell_sharing(sheet: Sheet, plan: TrainingPlan) -> None:
    """Say what replicas share; beyond optimizer states that is Megatron-FSDP."""
    sheet.turn_on("--use-distributed-optimizer", "zero_stage", when=plan.zero_stage > 0)
    if plan.zero_stage > 1:
        parts = "optim_grads" if plan.zero_stage == 2 else "optim_grads_params"  # noqa: PLR2004
        sheet.turn_on("--use-megatron-fsdp")
        sheet.set("--data-parallel-sharding-strategy", parts)
        sheet.turn_on("--no-gradient-accumulation-fusion")
        sheet.set("--ckpt-format", "fsdp_dtensor")
    elif plan.tp_size > 1 or plan.cp_size > 1:
        sheet.export("CUDA_DEVICE_MAX_CONNECTIONS", "1")


def _tell_overlap(sheet: Sheet, plan: TrainingPlan) -> None:
    hidden = plan.overlap != "none"
    sheet.turn_on("--overlap-grad-reduce", "overlap", when=hidden)
    sheet.turn_on("--overlap-param-gather", when=hidden and plan.zero_stage > 0)
    split = plan.tp_size > 1 and plan.sequence_parallel
    sheet.turn_on("--tp-comm-overlap", when=plan.overlap == "all" and split)
    sheet.turn_on(
        "--no-scatter-gather-tensors-in-pipeline",
        when=plan.repeats_sends and not plan.scatter_gather,
    )
    sheet.implies("scatter_gather")
    sheet.turn_on("--no-overlap-p2p-communication", when=not hidden and plan.virtual_stages > 1)
    if plan.overlap == "all" and plan.tp_size > 1 and not split:
        sheet.remark("--tp-comm-overlap needs sequence_parallel = true, which is not set")


def _tell_optimizer(sheet: Sheet, plan: TrainingPlan) -> None:
    muon = "dist_muon" if plan.zero_stage else "muon"
    words = {"adamw": "adam", "sgd_momentum": "sgd", "muon": muon}
    sheet.set("--optimizer", words[plan.optimizer], "optimizer", "master_weights")
    sheet.implies("adapter_targets", "frozen_layers", "parameter_offload")
    tell_documents(sheet, plan, "--reset-attention-mask, --reset-position-ids and --eod-mask-loss")


def _tell_memory(sheet: Sheet, plan: TrainingPlan) -> None:
    sheet.turn_on("--cross-entropy-loss-fusion", "fused_loss", when=plan.fused_loss)
    sheet.turn_on("--optimizer-cpu-offload", "optimizer_offload", when=plan.optimizer_offload)
    narrow = plan.moment_bytes < 4  # noqa: PLR2004 - bytes of fp32
    sheet.turn_on("--use-precision-aware-optimizer", "moment_bytes", when=narrow)
    if narrow:
        sheet.set("--exp-avg-dtype", "bf16")
        sheet.set("--exp-avg-sq-dtype", "bf16")
    # Inputs of products wait in 8 bits wherever these compute in them.
    stored = plan.activation_storage == "fp8"
    sheet.turn_on("--activation-func-fp8-input-store", "activation_storage", when=stored)
    if plan.activation_offload:
        layers = min(
            max(round(plan.activation_offload * plan.model.layers), 1), plan.model.layers - 1
        )
        sheet.set("--cpu-offloading-num-layers", layers)
    sheet.implies("recompute", "recompute_layers", "sharding", "dispatch", "activation_offload")
    if plan.recomputed_each == 0:
        return
    if plan.recompute == UP_PROJECTIONS:
        modules = ("layernorm", "mla_up_proj", *(("moe_act",) if plan.model.experts else ()))
        sheet.set("--recompute-granularity", "selective")
        sheet.set("--recompute-modules", modules)
    elif plan.recompute == "selective":
        sheet.set("--recompute-granularity", "selective")
        sheet.set("--recompute-modules", "core_attn")
    elif plan.recompute == "full":
        counted = plan.recomputed_each
        sheet.set("--recompute-granularity", "full")
        sheet.set("--recompute-method", "block" if counted else "uniform")
        sheet.set("--recompute-num-layers", counted or 1)
    elif plan.recompute == "alternate":
        # As many layers of each part, though its first ones and not every second.
        sheet.set("--recompute-granularity", "full")
        sheet.set("--recompute-method", "block")
        part = -(-plan.model.layers // (plan.pp_size * plan.virtual_stages))
        sheet.set("--recompute-num-layers", -(-part // 2))
