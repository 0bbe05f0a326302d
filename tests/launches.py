"""Designs of every kind, and which framework cannot run which of them."""

from typing import Any

import pytest

from mlsysim.catalog import Models, Systems
from mlsysim.emit import Emission, Framework, emit
from mlsysim.errors import LaunchError

TUNER = Framework.AXOLOTL
TRAINERS = (Framework.MEGATRON, Framework.TORCHTITAN, Framework.DEEPSPEED)
SERVERS = (Framework.VLLM, Framework.SGLANG)
LANGUAGE = Models.Language

TRAINING: dict[str, Any] = {
    "model": LANGUAGE.Llama3_70B,
    "fleet": Systems.Clusters.Frontier_8K,
    "batch_size": 2048,
    "tp_size": 8,
    "pp_size": 4,
    "precision": "bf16",
    "sequence_parallel": True,
}
MIXTURE: dict[str, Any] = TRAINING | {
    "model": LANGUAGE.Qwen3_30B_A3B,
    "batch_size": 8192,
    "tp_size": 1,
    "pp_size": 1,
    "ep_size": 8,
}
SERVING: dict[str, Any] = {
    "model": LANGUAGE.DeepSeek_V3,
    "fleet": Systems.Clusters.Frontier_8K,
    "batch_size": 256,
    "input_tokens": 2048,
    "output_tokens": 512,
    "tp_size": 8,
}
POOLS: dict[str, Any] = {
    "model": LANGUAGE.Llama3_70B,
    "prefill_fleet": Systems.Clusters.Frontier_8K,
    "decode_fleet": Systems.Clusters.Frontier_8K,
    "batch_size": 64,
    "input_tokens": 4096,
    "output_tokens": 256,
    "request_rate": 3.0,
    "prefill_tp_size": 4,
    "prefill_replicas": 2,
    "decode_tp_size": 8,
}

TRAINING_DESIGNS: dict[str, dict[str, Any]] = {
    "plain": TRAINING,
    "alone": TRAINING | {"model": LANGUAGE.GPT2, "tp_size": 1, "pp_size": 1, "batch_size": 8192},
    "fp16": TRAINING | {"precision": "fp16", "gradient_bytes": 2},
    "fp8": TRAINING | {"precision": "fp8"},
    "fp4": TRAINING | {"precision": "fp4", "gradient_bytes": 2},
    "fp32": TRAINING | {"precision": "fp32"},
    "interleaved": TRAINING | {"virtual_stages": 2, "schedule": "interleaved"},
    "uneven": TRAINING | {"model": LANGUAGE.Llama3_1_405B, "pp_size": 16, "virtual_stages": 2},
    "zero bubble": TRAINING | {"schedule": "zero-bubble"},
    "context": TRAINING | {"pp_size": 1, "cp_size": 4, "zero_stage": 3, "overlap": "all"},
    "gradients": TRAINING | {"pp_size": 1, "zero_stage": 2},
    "replicas": TRAINING | {"zero_stage": 0, "overlap": "none"},
    "recompute": TRAINING | {"recompute": "full", "micro_batch_size": 2},
    "alternate": TRAINING | {"recompute": "alternate"},
    "keep": TRAINING | {"recompute": "none", "attention": "unfused"},
    "full": TRAINING | {"attention": "full", "nodes": 512, "overlap": "all"},
    "offloaded": TRAINING | {"optimizer_offload": True, "fused_loss": True, "gradient_bytes": 6},
    "whole sends": TRAINING | {"sequence_parallel": False, "scatter_gather": False},
    "shared sends": TRAINING | {"sequence_parallel": False},
    "experts": MIXTURE,
    "split experts": MIXTURE | {"ep_size": 1, "tp_size": 4},
    "latent": MIXTURE | {"model": LANGUAGE.DeepSeek_V3, "sequence_parallel": False},
    "rebuilt": MIXTURE
    | {
        "model": LANGUAGE.DeepSeek_V3,
        "precision": "fp8",
        "recompute": "norms_and_up_projections",
        "activation_storage": "fp8",
        "moment_bytes": 2,
    },
    "both ends": TRAINING | {"schedule": "dualpipe"},
    "narrow dispatch": MIXTURE | {"precision": "fp8", "dispatch": "fp8"},
    "fully sharded": TRAINING | {"pp_size": 1, "sharding": "fsdp", "zero_stage": 3},
    "every second": MIXTURE | {"model": LANGUAGE.Llama4_Maverick},
    "sliding": TRAINING | {"model": LANGUAGE.Gemma3_27B, "pp_size": 2},
    "sinks": MIXTURE | {"model": LANGUAGE.GPT_OSS_120B},
    "biases": TRAINING | {"model": LANGUAGE.Qwen2_5_72B},
    "adapters": TRAINING
    | {"pp_size": 1, "zero_stage": 3, "adapter_rank": 16, "base_format": "nf4"},
    "frozen": TRAINING | {"frozen_layers": 40},
    "pure": TRAINING | {"pp_size": 1, "zero_stage": 2, "master_weights": False},
    "all offloaded": TRAINING
    | {"pp_size": 1, "zero_stage": 3, "optimizer_offload": True, "parameter_offload": True},
    "weights offloaded": TRAINING | {"pp_size": 1, "zero_stage": 3, "parameter_offload": True},
    "packed": TRAINING | {"document_len": 512},
    "padded": TRAINING | {"document_len": 512, "packed": False, "kernels": "eager"},
    "muon": TRAINING | {"optimizer": "muon"},
    "momentum": TRAINING | {"optimizer": "sgd_momentum"},
}
TUNING: dict[str, Any] = {
    "model": LANGUAGE.Llama3_70B,
    "fleet": Systems.Clusters.Lab_64_H100,
    "batch_size": 64,
    "precision": "bf16",
    "zero_stage": 3,
    "recompute": "full",
    "adapter_rank": 16,
}
TUNING_DESIGNS: dict[str, dict[str, Any]] = {
    "adapters": TUNING,
    "four bits": TUNING | {"base_format": "nf4", "adapter_targets": "attention"},
    "four bits, doubly": TUNING | {"base_format": "nf4_double", "adapter_dropout": True},
    "eight bits": TUNING | {"base_format": "int8", "kernels": "eager", "fused_loss": True},
    "some layers": TUNING | {"frozen_layers": 40, "adapter_targets": "mlp"},
    "top layers": TUNING
    | {"frozen_layers": 78, "adapter_rank": None, "optimizer": "muon", "sharding": "fsdp"},
    "all": TUNING | {"adapter_rank": None, "optimizer": "adafactor"},
    "offloaded": TUNING | {"optimizer_offload": True, "parameter_offload": True},
    "paged": TUNING | {"zero_stage": 0, "optimizer_offload": True, "optimizer": "adamw_8bit"},
    "tensors": TUNING | {"tp_size": 2, "sharding": "fsdp", "fused_loss": True},
    "fsdp": TUNING | {"sharding": "fsdp", "document_len": 512, "seq_len": 4096},
    "pure": TUNING | {"sharding": "fsdp", "master_weights": False, "moment_bytes": 2},
    "fp16": TUNING | {"precision": "fp16", "recompute": "none", "attention": "unfused"},
    "fp8": TUNING | {"precision": "fp8", "document_len": 512, "packed": False},
    "single": TUNING | {"precision": "fp32", "cp_size": 2, "zero_stage": 1},
    "tf32": TUNING | {"precision": "tf32", "optimizer": "sgd", "attention": "full"},
}
SERVING_DESIGNS: dict[str, dict[str, Any]] = {
    "plain": SERVING,
    "experts": SERVING | {"ep_size": 8, "precision": "fp8", "kv_precision": "fp8"},
    "attention": SERVING | {"tp_size": 1, "attention_dp_size": 16, "ep_size": 16},
    "pipeline": SERVING | {"pp_size": 2, "replicas": 3, "prefix_hit_rate": 0.5},
    "draft": SERVING | {"draft_tokens": 2, "draft_layers": 1},
    "own draft": SERVING
    | {"draft_tokens": 3, "draft_model": Models.Language.Llama3_2_1B, "draft_tp_size": 1},
    "prefixes": SERVING | {"prefix_hit_rate": 0.5, "prefixes": 5000, "host_cache": 640},
    "spare experts": SERVING | {"ep_size": 8, "redundant_experts": 8},
    "fp16": SERVING | {"precision": "fp16", "kv_precision": "fp16"},
    "quantized": SERVING | {"weight_precision": "int4", "attention_precision": "fp16"},
}
# What a framework cannot run of these, and the cure that the message names.
REFUSED: dict[tuple[str, str], str] = {
    ("zero bubble", "megatron"): "constraint \"schedule != 'zero-bubble'\"",
    ("zero bubble", "deepspeed"): "constraint \"schedule == '1f1b'\"",
    ("interleaved", "deepspeed"): "constraint 'virtual_stages == 1'",
    ("uneven", "deepspeed"): "constraint 'virtual_stages == 1'",
    ("fp16", "torchtitan"): "constraint \"precision == 'bf16'\"",
    ("alternate", "torchtitan"): "constraint \"recompute != 'alternate'\"",
    ("rebuilt", "torchtitan"): "constraint 'moment_bytes == 4'",
    ("rebuilt", "deepspeed"): "constraint 'moment_bytes == 4'",
    ("fully sharded", "megatron"): "constraint \"sharding == 'zero'\"",
    ("fully sharded", "deepspeed"): "constraint \"sharding == 'zero'\"",
    **{
        (name, trainer): "constraint 'DistributedModel.trained_parameters == model.parameters'"
        for name in ("adapters", "frozen")
        for trainer in ("megatron", "torchtitan")
    },
    ("all offloaded", "megatron"): "constraint 'parameter_offload == false'",
    ("weights offloaded", "megatron"): "constraint 'parameter_offload == false'",
    ("weights offloaded", "torchtitan"): "constraint 'parameter_offload == false'",
    ("pure", "megatron"): "constraint 'master_weights == true'",
    ("muon", "torchtitan"): "constraint \"optimizer == 'adamw'\"",
    ("momentum", "torchtitan"): "constraint \"optimizer == 'adamw'\"",
    **{
        ("both ends", trainer.name): "constraint \"schedule != 'dualpipe'\"" for trainer in TRAINERS
    },
    **{
        ("narrow dispatch", trainer.name): "constraint \"dispatch == 'wide'\""
        for trainer in TRAINERS
    },
}


def launched(framework: Framework, name: str, design: dict[str, Any]) -> Emission | None:
    """Emit a design, unless it is one that the framework is known to refuse."""
    if (name, framework.name) not in REFUSED:
        return emit(framework, design)
    with pytest.raises(LaunchError) as caught:
        emit(framework, design)
    assert REFUSED[name, framework.name] in str(caught.value)
    return None
