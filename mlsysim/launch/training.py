"""What the training frameworks can run, over the arguments of `DistributedModel.solve`.

Megatron-LM: ``megatron/training/arguments.py`` (commit 000c4ac); torchtitan 0.3.0:
``torchtitan/config`` and ``torchtitan/distributed``; DeepSpeed 0.19: ``deepspeed/runtime``;
Axolotl 0.19: ``axolotl/utils/schemas``.
"""

from mlsysim.launch.rule import Rule, rule
from mlsysim.stages.training.stacks import STACKS

_SHARED = (
    rule(
        "whole_replicas",
        "accelerators are a multiple of those of a replica",
        "DistributedModel.accelerators_total % (tp_size * pp_size * cp_size) == 0",
    ),
    rule(
        "even_batch",
        "replicas share the batch in whole micro-batches",
        "batch_size % (micro_batch_size * DistributedModel.data_parallel_size) == 0",
    ),
    rule(
        "experts_to_deal_out",
        "expert parallelism needs experts",
        "ep_size == 1",
        "model.experts > 0",
    ),
    rule(
        "whole_experts",
        "expert parallelism divides the experts",
        "model.experts % ep_size == 0",
    ),
    rule(
        "expert_ranks",
        "expert parallelism divides the accelerators of a stage",
        "(tp_size * cp_size * DistributedModel.data_parallel_size) % ep_size == 0",
    ),
    rule("one_way", "microbatches enter a pipeline at one end", 'schedule != "dualpipe"'),
    rule("dispatch", "tokens go to their experts in 16 bits", 'dispatch == "wide"'),
)
_EVEN_RECOMPUTATION = rule(
    "recomputed_layers",
    "each stage repeats equally many layers",
    "DistributedModel.uneven_recomputation == 0",
)
_EVEN_LAYERS = rule(
    "stage_layers",
    "stages share the layers evenly",
    "DistributedModel.uneven_layers == 0",
)
_MASTER_COPIES = rule(
    "sharding", "master copies lie beside the working weights", 'sharding == "zero"'
)
_WIDE_STATE = (
    rule("moments", "Adam's moments have 32 bits", "moment_bytes == 4"),
    rule(
        "activations",
        "activations wait in the format in which they were computed",
        'activation_storage == "wide"',
    ),
    rule(
        "up_projections",
        "recomputation knows no up-projections",
        'recompute != "norms_and_up_projections"',
    ),
)
_ALL_TRAINED = rule(
    "all_trained",
    "all weights are trained, and no others",
    "DistributedModel.trained_parameters == model.parameters",
)
_ACTIVATIONS_AT_HOME = rule(
    "activations_at_home", "activations stay on accelerators", "activation_offload == 0"
)
_SHARED_OFFLOAD = rule(
    "shared_offload",
    "only an optimizer that replicas share is offloaded",
    "optimizer_offload == false",
    "zero_stage >= 1",
)


def _optimizers(*names: str) -> Rule:
    listed = ", ".join(names)
    texts = (f'optimizer == "{name}"' for name in names)
    return rule("optimizer", f"the optimizer is one of {listed}", *texts)


def _precisions(*names: str) -> Rule:
    listed = ", ".join(names)
    texts = (f'precision == "{name}"' for name in names)
    return rule("precision", f"training is in one of {listed}", *texts)


def _own_messages(framework: str) -> Rule:
    others = (name for name in STACKS if name != framework)
    return rule(
        "stack",
        f"gradients travel in the messages of {framework}",
        " and ".join(f'stack != "{name}"' for name in others),
    )


MEGATRON = (
    *_SHARED,
    _EVEN_RECOMPUTATION,
    rule(
        "alternate_layers",
        "half of the layers are as many on each stage",
        'recompute != "alternate"',
        "DistributedModel.uneven_layers == 0",
    ),
    _own_messages("megatron"),
    rule("schedule", "there is no zero-bubble schedule", 'schedule != "zero-bubble"'),
    rule(
        "sequence_of_experts",
        "experts with tensor parallelism need sequence parallelism",
        "sequence_parallel == true",
        "tp_size == 1",
        "model.experts == 0",
    ),
    rule(
        "precision_of_experts",
        "expert parallelism does not go with fp16",
        'precision != "fp16"',
        "ep_size == 1",
    ),
    rule(
        "interleaving",
        "interleaving two stages needs communication that overlaps",
        "virtual_stages == 1",
        "pp_size > 2",
        'overlap != "none"',
    ),
    rule(
        "context",
        "the sequence is a multiple of 2 x cp_size",
        "cp_size == 1",
        "seq_len % (2 * cp_size) == 0",
    ),
    _SHARED_OFFLOAD,
    rule(
        "offloaded_layers",
        "activations of some layers wait with the host where all is one stage and kept",
        "activation_offload == 0",
        'pp_size == 1 and recompute == "none" and activation_offload < 1',
    ),
    rule("weights_at_home", "weights stay on accelerators", "parameter_offload == false"),
    _MASTER_COPIES,
    _ALL_TRAINED,
    _optimizers("adamw", "sgd_momentum", "muon"),
    rule(
        "master_weights",
        "weights have master copies",
        "master_weights == true",
        'precision == "fp32"',
        'precision == "tf32"',
    ),
    rule(
        "moments",
        "moments in 16 bits need the distributed optimizer",
        "moment_bytes == 4",
        "zero_stage >= 1",
    ),
    _precisions("bf16", "fp16", "fp8", "fp4", "fp32", "tf32"),
)

TORCHTITAN = (
    *_SHARED,
    # Each end may have fewer layers, for the embedding and the head.
    rule(
        "stage_layers",
        "stages between the ends have equally many layers, and the ends no more, each in one part",
        "DistributedModel.uneven_layers == 0",
        'DistributedModel.uneven_inner_layers == 0 and virtual_stages == 1 and schedule == "1f1b"',
    ),
    _EVEN_RECOMPUTATION,
    _ACTIVATIONS_AT_HOME,
    _own_messages("torchtitan"),
    # Each part but the last holds as many layers as the fullest, and none may be empty; the
    # zero-bubble schedule goes down and up again, in two parts to a stage.
    rule(
        "whole_parts",
        "the layers fill every part of the pipeline",
        'schedule == "zero-bubble" and '
        "ceil(model.layers / ceil(model.layers / (2 * pp_size))) == 2 * pp_size",
        'schedule != "zero-bubble" and ceil(model.layers / ceil(model.layers '
        "/ (pp_size * virtual_stages))) == pp_size * virtual_stages",
        "DistributedModel.uneven_layers > 0",
    ),
    rule(
        "key_value_heads",
        "tensor parallelism divides the key-value heads",
        "model.kv_heads % tp_size == 0",
        "model.kv_rank > 0",
    ),
    rule("recompute", "it repeats no alternate layers", 'recompute != "alternate"'),
    *_WIDE_STATE,
    _SHARED_OFFLOAD,
    rule(
        "all_offloaded",
        "weights and the optimizer are offloaded together",
        "parameter_offload == false",
        "optimizer_offload == true",
    ),
    _ALL_TRAINED,
    _optimizers("adamw"),
    _precisions("bf16", "fp8", "fp4", "fp32", "tf32"),
)

DEEPSPEED = (
    *_SHARED,
    rule(
        "checkpoints",
        "all checkpoints of layers wait with the host, or none",
        "activation_offload == 0",
        'activation_offload == 1 and recompute == "full"',
    ),
    _EVEN_LAYERS,
    _own_messages("deepspeed"),
    rule(
        "sharing_in_pipelines",
        "pipelines share neither gradients nor weights among replicas",
        "zero_stage <= 1",
        "pp_size == 1",
    ),
    _MASTER_COPIES,
    *_WIDE_STATE,
    _SHARED_OFFLOAD,
    rule(
        "master_weights",
        "weights without master copies are in bf16, and replicas share no weights",
        "master_weights == true",
        'precision == "fp32"',
        'precision == "tf32"',
        'precision == "bf16" and zero_stage <= 2',
    ),
    rule("virtual_stages", "pipelines have no virtual stages", "virtual_stages == 1"),
    rule("schedule", "pipelines have the 1F1B schedule", 'schedule == "1f1b"'),
    rule(
        "heads",
        "context parallelism, which deals out heads, divides them",
        "model.heads % cp_size == 0",
    ),
)

AXOLOTL = (
    *_SHARED,
    rule(
        "checkpoints",
        "all activations wait with the host, or none",
        "activation_offload == 0",
        "activation_offload == 1",
    ),
    rule("stages", "there are no pipelines", "pp_size == 1"),
    rule("experts", "experts are not dealt out", "ep_size == 1"),
    rule(
        "sequences",
        "norms are not split along the sequence",
        "sequence_parallel == false",
        "tp_size == 1",
    ),
    rule(
        "recompute",
        "it repeats all layers or none",
        'recompute == "full"',
        'recompute == "none"',
    ),
    _optimizers("adamw", "adamw_8bit", "adafactor", "sgd", "muon"),
    rule(
        "tensors",
        "tensor parallelism goes with FSDP",
        "tp_size == 1",
        'sharding == "fsdp"',
        "zero_stage == 0",
    ),
    rule(
        "muon",
        "Muon does not go with DeepSpeed",
        'optimizer != "muon"',
        'sharding == "fsdp"',
        "zero_stage == 0",
    ),
    rule(
        "ring",
        "context parallelism needs flash attention, which masks causally",
        "cp_size == 1",
        'attention == "causal"',
    ),
    rule(
        "pages",
        "an optimizer that nobody shares leaves in pages, as Adam's can",
        "optimizer_offload == false",
        "zero_stage >= 1 and DistributedModel.data_parallel_size >= 2",
        'optimizer == "adamw"',
        'optimizer == "adamw_8bit"',
    ),
    rule(
        "all_offloaded",
        "FSDP offloads weights and the optimizer together",
        "parameter_offload == false and optimizer_offload == false",
        'sharding == "zero"',
        "parameter_offload == true and optimizer_offload == true",
    ),
    rule(
        "moments",
        "moments are as wide as the weights that are updated",
        "moment_bytes == 4 and master_weights == true",
        "moment_bytes == 2 and master_weights == false",
        'optimizer == "adamw_8bit"',
        'optimizer == "adafactor"',
        'optimizer == "sgd"',
    ),
    *(item for item in _WIDE_STATE if item.name != "moments"),
    _precisions("bf16", "fp16", "fp8", "fp32", "tf32"),
)
