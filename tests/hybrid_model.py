"""A model of several kinds of layers, for tests."""

from mlsysim.catalog import LanguageModel

HYBRID = LanguageModel(
    name="Hybrid",
    layers=13,
    hidden=512,
    heads=8,
    kv_heads=2,
    ffn=2048,
    vocab=1000,
    max_context=4096,
    linear_heads=16,
    linear_key_heads=8,
    linear_key_dim=64,
    linear_value_dim=64,
    linear_scalars=2,
    convolution=4,
    groups=[
        {"layers": 1, "in_front": True},
        {"layers": 3, "experts": 8, "experts_per_token": 2, "shared_experts": 1, "expert_ffn": 256},
        {
            "layers": 8,
            "mixer": "linear",
            "experts": 8,
            "experts_per_token": 2,
            "shared_experts": 1,
            "expert_ffn": 256,
        },
        {"layers": 1, "mixer": "none", "ffn": 1024, "norms_per_layer": 1},
    ],
)
