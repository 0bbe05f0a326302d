"""torchtitan: the options of ``torchtitan.train`` (version 0.3.0, ``torchtitan/config``)."""

from mlsysim.catalog.language_model import LanguageModel
from mlsysim.emit.sheet import Launch, Sheet
from mlsysim.emit.training_plan import TrainingPlan, tell_documents

FRAMEWORK = "torchtitan 0.3.0"

# Layers, hidden and inner width, experts -> module and configuration that the package registers.
_CONFIGURATIONS = {
    (32, 4096, 14336, 0): ("llama3", "llama3_8b"),
    (80, 8192, 28672, 0): ("llama3", "llama3_70b"),
    (126, 16384, 53248, 0): ("llama3", "llama3_405b"),
    (28, 1024, 3072, 0): ("qwen3", "qwen3_0_6b"),
    (28, 2048, 6144, 0): ("qwen3", "qwen3_1_7b"),
    (40, 5120, 17408, 0): ("qwen3", "qwen3_14b"),
    (64, 5120, 25600, 0): ("qwen3", "qwen3_32b"),
    (48, 2048, 6144, 128): ("qwen3", "qwen3_30b_a3b"),
    (27, 2048, 10944, 64): ("deepseek_v3", "deepseek_v3_16b"),
    (61, 7168, 18432, 256): ("deepseek_v3", "deepseek_v3_671b"),
    (24, 2880, 2880, 32): ("gpt_oss", "gpt_oss_20b"),
    (36, 2880, 2880, 128): ("gpt_oss", "gpt_oss_120b"),
}
_VOCABULARIES = {128256, 151936, 102400, 129280, 201088}

_SCHEDULES = {"1f1b": "1F1B", "interleaved": "Interleaved1F1B", "zero-bubble": "ZBVZeroBubble"}


def torchtitan(plan: TrainingPlan) -> Launch:
    """Tell torchtitan a training design."""
    sheet = Sheet(framework=FRAMEWORK, arguments=plan.arguments)
    module, configuration = _configuration(plan.model)
    sheet.set("--module", module or "MODULE", "model")
    sheet.set("--config", configuration or "CONFIG")
    if not module:
        sheet.remark(
            f"torchtitan registers no configuration of {plan.model.name}: replace MODULE and "
            "CONFIG by yours"
        )
    if configuration == "llama3_405b":
        sheet.remark("llama3_405b computes its linear layers in float8, which needs torchao")
    _tell_batch(sheet, plan)
    _tell_layout(sheet, plan)
    _tell_sharing(sheet, plan)
    _tell_pipeline(sheet, plan)
    _tell_precision(sheet, plan)
    _tell_memory(sheet, plan)
    sheet.set("--training.dtype", "float32" if plan.master_weights else "bfloat16")
    sheet.implies("optimizer", "master_weights", "adapter_targets", "frozen_layers")
    sheet.implies("parameter_offload", "activation_offload")
    tell_documents(sheet, plan, "a block-causal mask of the configuration")
    sheet.remark("add data, tokenizer, learning rate and checkpoint options")
    return sheet.launch()


def _configuration(model: LanguageModel) -> tuple[str, str]:
    shape = (model.layers, model.hidden, model.ffn, model.experts)
    known = model.vocab in _VOCABULARIES
    return _CONFIGURATIONS.get(shape, ("", "")) if known else ("", "")


def _chunks(plan: TrainingPlan) -> int:
    """Parts of the stack in each stage; the zero-bubble schedule goes down and up again."""
    return 2 if plan.schedule == "zero-bubble" else plan.virtual_stages


def _layers(plan: TrainingPlan) -> int:
    """Layers of the fullest part of a stage."""
    return -(-plan.model.layers // (plan.pp_size * _chunks(plan)))


def _tell_batch(sheet: Sheet, plan: TrainingPlan) -> None:
    pipelined = plan.pp_size > 1
    # A pipeline takes all microbatches of a replica at once and splits them itself.
    local = plan.batch_size // plan.data if pipelined else plan.micro_batch_size
    sheet.set("--training.global-batch-size", plan.batch_size, "batch_size")
    sheet.set("--training.local-batch-size", local, "micro_batch_size")
    sheet.set("--training.seq-len", plan.seq_len, "seq_len")
    if pipelined:
        sheet.set("--parallelism.pipeline-parallel-microbatch-size", plan.micro_batch_size)


def _tell_layout(sheet: Sheet, plan: TrainingPlan) -> None:
    sheet.set("--parallelism.tensor-parallel-degree", plan.tp_size, "tp_size")
    sheet.set("--parallelism.context-parallel-degree", plan.cp_size, "cp_size")
    sheet.set("--parallelism.expert-parallel-degree", plan.ep_size, "ep_size")
    switch = "enable" if plan.sequence_parallel else "no-enable"
    sheet.turn_on(f"--parallelism.{switch}-sequence-parallel", "sequence_parallel")
    hidden = plan.overlap == "all" and plan.tp_size > 1
    sheet.turn_on("--compile.enable", when=hidden)
    sheet.turn_on("--compile.enable-async-tensor-parallel", when=hidden)
    # It captures neither pipelines nor the usual exchange between experts.
    captured = plan.pp_size == 1 and plan.ep_size == 1
    sheet.turn_on("--training.disable-cuda-graphs", when=not captured)
    sheet.implies("nodes", "fleet", "stack")
    if plan.overlap == "none":
        sheet.remark("overlap = none: torchtitan hides the traffic of sharding in any case")
    sheet.implies("overlap")


def _tell_sharing(sheet: Sheet, plan: TrainingPlan) -> None:
    """Say what replicas share; it is nothing, or at least the gradients."""
    shared = plan.zero_stage > 0
    sheet.set("--parallelism.data-parallel-replicate-degree", 1 if shared else plan.data)
    sheet.set("--parallelism.data-parallel-shard-degree", plan.data if shared else 1)
    if shared:
        policy = "always" if plan.zero_stage == 3 else "never"  # noqa: PLR2004
        sheet.set("--parallelism.fsdp-reshard-after-forward", policy)
    if shared and plan.sharding == "zero":
        sheet.remark(
            "sharding = zero: torchtitan's shards are its master copies, which takes 2 bytes a "
            "parameter less where weights are sharded; price the design with sharding = 'fsdp'"
        )
    sheet.implies("sharding")
    if plan.zero_stage == 1:
        sheet.remark(
            "zero_stage = 1 has no counterpart: FSDP without resharding shares the gradients too, "
            "and needs less memory"
        )
    sheet.implies("zero_stage")


def _tell_pipeline(sheet: Sheet, plan: TrainingPlan) -> None:
    sheet.set("--parallelism.pipeline-parallel-degree", plan.pp_size, "pp_size")
    sheet.implies("virtual_stages", "schedule")
    sheet.implies("first_stage_layers", "last_stage_layers", "stage_layers")
    if plan.pp_size == 1:
        return
    schedule = "interleaved" if plan.virtual_stages > 1 else plan.schedule
    sheet.set("--parallelism.pipeline-parallel-schedule", _SCHEDULES.get(schedule, schedule))
    # Embedding and head count as so many layers, which the ends have fewer.
    told = plan.layers_told if plan.uneven_layers else ()
    fullest = max(told, default=_layers(plan))
    first, last = (told[0], told[-1]) if told else (fullest, fullest)
    sheet.set("--parallelism.pipeline-parallel-layers-per-stage", fullest)
    sheet.set("--parallelism.pipeline-parallel-first-stage-less-layers", fullest - first)
    sheet.set("--parallelism.pipeline-parallel-last-stage-less-layers", fullest - last)
    if plan.schedule == "zero-bubble":
        sheet.remark("zero-bubble: ZBVZeroBubble, which cuts each stage in two")


def _tell_precision(sheet: Sheet, plan: TrainingPlan) -> None:
    wide = plan.precision in {"fp32", "tf32"}
    sheet.set("--training.mixed-precision-param", "float32" if wide else "bfloat16", "precision")
    sheet.set("--training.mixed-precision-reduce", "float32")
    if plan.gradient_bytes != 4:  # noqa: PLR2004 - bytes of fp32
        sheet.remark(
            f"gradient_bytes = {plan.gradient_bytes} has no counterpart: "
            "gradients are kept and reduced in float32"
        )
    sheet.implies("gradient_bytes")
    if plan.precision in {"fp8", "fp4"}:
        sheet.remark(
            f"{plan.precision}: take a configuration with {plan.precision} converters, such as "
            "those whose names end in _float8, _mxfp8 or _nvfp4"
        )
    if plan.attention == "unfused":
        sheet.remark("attention = unfused has no counterpart: torchtitan's kernels are fused")
    elif plan.attention == "full":
        sheet.remark("attention = full has no counterpart: torchtitan masks causally")
    sheet.implies("attention")


def _tell_memory(sheet: Sheet, plan: TrainingPlan) -> None:
    if plan.optimizer_offload:
        sheet.turn_on("--training.enable-cpu-offload")
        if not plan.parameter_offload:
            sheet.remark("optimizer_offload: torchtitan offloads weights and gradients as well")
    if plan.fused_loss:
        sheet.remark("fused_loss: see --loss.num-chunks of the configuration")
    if plan.repeats_sends and plan.scatter_gather:
        sheet.remark(
            "scatter_gather has no counterpart: without sequence parallelism, whole tensors go "
            "from stage to stage; price the design with scatter_gather = false"
        )
    sheet.implies("moment_bytes", "activation_storage", "dispatch")
    sheet.implies("optimizer_offload", "fused_loss", "scatter_gather", "recompute")
    # The parser takes this choice last, as a word of its own.
    sheet.turn_on(f"activation-checkpoint:{plan.recompute}")
