"""The shape of a language model in the options of Megatron-LM."""

from mlsysim.catalog.language_model import LanguageModel
from mlsysim.catalog.layer import Normalization
from mlsysim.emit.sheet import Sheet


def tell_model(sheet: Sheet, model: LanguageModel, seq_len: int) -> None:
    """Set the widths, depths and kinds of layers.

    Parameters
    ----------
    sheet
        What is set so far.
    model
        The model.
    seq_len
        Tokens per sequence, which the table of positions must hold.
    """
    sheet.set("--num-layers", model.layers, "model")
    sheet.set("--hidden-size", model.hidden)
    sheet.set("--ffn-hidden-size", model.ffn)
    sheet.set("--num-attention-heads", model.heads)
    _tell_attention(sheet, model)
    sheet.set("--vocab-size", model.vocab)
    sheet.set("--max-position-embeddings", max(model.positions, model.max_context, seq_len))
    sheet.set("--position-embedding-type", "learned_absolute" if model.positions else "rope")
    layer_norm = model.normalization is Normalization.LAYER
    sheet.set("--normalization", "LayerNorm" if layer_norm else "RMSNorm")
    if model.groups:
        kinds = ", ".join(f"{group.layers} {group.name}" for group in model.layer_groups)
        sheet.remark(f"layers are of several kinds, which need a specification of theirs: {kinds}")
    sheet.turn_on("--swiglu", when=model.gated)
    sheet.turn_on("--untie-embeddings-and-output-weights", when=not model.tied)
    biased = model.output_bias or model.mlp_bias
    sheet.turn_on("--disable-bias-linear", when=not biased)
    sheet.turn_on("--add-qkv-bias", when=model.qkv_bias and not biased)
    if model.experts:
        _tell_experts(sheet, model)
    if not model.positions:
        sheet.remark("add --rotary-base (and rope scaling) of the model; rotary positions assumed")


def _tell_attention(sheet: Sheet, model: LanguageModel) -> None:
    sheet.turn_on("--qk-layernorm", when=model.head_norms or bool(model.kv_rank))
    if model.kv_rank:
        sheet.turn_on("--multi-latent-attention")
        if model.query_rank:
            sheet.set("--q-lora-rank", model.query_rank)
        sheet.set("--kv-lora-rank", model.kv_rank)
        sheet.set("--qk-head-dim", model.head_dim)
        sheet.set("--qk-pos-emb-head-dim", model.rope_dim)
        sheet.set("--v-head-dim", model.value_dim)
        return
    sheet.set("--kv-channels", model.head_dim)
    if model.kv_heads < model.heads:
        sheet.turn_on("--group-query-attention")
        sheet.set("--num-query-groups", model.kv_heads)
    if model.attention_sinks:
        sheet.set("--softmax-type", "learnable")
    if model.sliding_layers:
        _tell_window(sheet, model)


def _tell_window(sheet: Sheet, model: LanguageModel) -> None:
    """Set the window, and how often a layer sees everything."""
    sheet.set("--window-size", f"{model.sliding_window},0")
    full = model.full_attention_layers
    if not full:
        return
    period = model.layers // full
    if model.layers // period == full:
        sheet.set("--window-attn-skip-freq", period)
    else:
        sheet.remark(
            f"add --window-attn-skip-freq: {model.sliding_layers} of {model.layers} layers slide, "
            "in an order that the catalogue does not hold"
        )


def _tell_experts(sheet: Sheet, model: LanguageModel) -> None:
    sheet.set("--num-experts", model.experts)
    sheet.set("--moe-router-topk", model.experts_per_token)
    if model.expert_groups:
        sheet.set("--moe-router-num-groups", model.expert_groups)
        sheet.set("--moe-router-group-topk", model.groups_per_token)
    sheet.set("--moe-ffn-hidden-size", model.expert_ffn)
    if model.shared_experts:
        shared = model.shared_experts * model.expert_ffn
        sheet.set("--moe-shared-expert-intermediate-size", shared)
    if 2 * model.dense_layers == model.layers:
        sheet.set("--moe-layer-freq", f"([0,1]*{model.dense_layers})")
    elif model.dense_layers:
        sheet.set("--moe-layer-freq", f"([0]*{model.dense_layers}+[1]*{model.moe_layers})")
    sheet.set("--moe-token-dispatcher-type", "alltoall")
    if model.router_bias:
        sheet.remark(
            "the router has a bias: where it balances the load, add "
            "--moe-router-enable-expert-bias and --moe-router-score-function sigmoid"
        )
