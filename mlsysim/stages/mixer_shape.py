"""Parts of layers as the formulas of serving see them: how they mix tokens, and feed forward."""

from dataclasses import dataclass

from mlsysim.catalog.layer import Layer, Mixer
from mlsysim.stages.kinds import LayerKind
from mlsysim.stages.layer_shape import CHUNK

MATRICES = ("query_parameters", "cache_parameters", "cache_parts")
"""The figures of a `MixerShape` that tell its matrices on an accelerator."""


@dataclass(frozen=True, kw_only=True)
class MixerShape(LayerKind):
    """One way to mix tokens.

    Parameters
    ----------
    mixes
        1, or 0 where tokens do not see one another.
    query_parameters
        Matrices that tensor parallelism divides.
    cache_parameters
        Those that it divides into `cache_parts` at most.
    vector_parameters
        What every member of a tensor-parallel group holds whole.
    cache_parts
        Into how many parts keys and values can be divided: the key-value heads, or one with
        latent attention.
    grouped
        Whether several query heads share one of them.
    cache_elements, index_elements
        Numbers cached per token, and those of an indexer beside them.
    sees_all, reach
        Whether a token attends to all before it, and to how many at most if not.
    keeps_all, kept
        Whether all tokens stay in the cache, and how many at most if not.
    score_width, value_width
        Widths over which queries are multiplied with keys, and scores with values.
    latent_score_width, latent_value_width
        The same in decode, where latent attention works on the compressed cache.
    beside, beside_elements, beside_width
        Of tokens that are not compressed yet, beside those that are: how many there are at most,
        what is cached of each, and the width over which queries, and scores, are multiplied.
    index_width
        Width over which an indexer scores all tokens.
    state_flops
        Operations per token on a state.
    chunk_flops
        Operations per token in prefill, among those of its chunk.
    sequence_bytes
        What is kept of a sequence however long it is.
    """

    mixes: int
    query_parameters: int
    cache_parameters: int
    vector_parameters: int
    cache_parts: int
    grouped: bool
    cache_elements: int
    index_elements: int
    sees_all: bool
    reach: int
    keeps_all: bool
    kept: int
    score_width: int
    value_width: int
    latent_score_width: int
    latent_value_width: int
    beside: int
    beside_elements: int
    beside_width: int
    index_width: int
    state_flops: int
    chunk_flops: int
    sequence_bytes: int

    def rank(self, context: int) -> int:
        """Estimate what one sequence of the longest kind makes a layer keep."""
        tokens = context if self.keeps_all else self.kept
        near = self.beside_elements * min(context, self.beside)
        return self.cache_elements * tokens + near + self.sequence_bytes


@dataclass(frozen=True, kw_only=True)
class FeedShape(LayerKind):
    """One way to feed forward without experts: the elements of its matrices, 0 for none."""

    parameters: int


def mixer_of(layer: Layer, kind: LayerKind, window: int) -> MixerShape:
    """Read how a layer mixes tokens.

    Parameters
    ----------
    layer
        The layer.
    kind
        How many mix so, and where they stand.
    window
        Tokens that it sees; 0 for all.
    """
    attends, cache = layer.attends, layer.cache_matrices
    latent = attends and layer.kv_rank > 0
    compressed = layer.heads * (layer.kv_rank + layer.rope_dim)
    scores, values = (layer.score_width, layer.value_width) if attends else (0, 0)
    chosen, entry = layer.top_tokens * layer.entry_tokens, layer.entry_tokens
    reach = min((near for near in (window, chosen) if near), default=0)
    compresses = attends and layer.block_tokens > 0
    linear = layer.mixer is Mixer.LINEAR
    widths = layer.linear_key_width + layer.linear_value_width
    return MixerShape(
        **{name: getattr(kind, name) for name in ("layers", "front", "spread", "among")},
        mixes=int(layer.mixer is not Mixer.NONE),
        query_parameters=layer.attention_parameters - cache,
        cache_parameters=cache,
        vector_parameters=layer.vector_parameters,
        cache_parts=1 if latent or not attends else layer.kv_heads,
        grouped=attends and (latent or layer.kv_heads < layer.heads),
        cache_elements=layer.kv_elements,
        index_elements=layer.index_dim // entry if attends else 0,
        sees_all=attends and not reach,
        reach=reach or 1,
        keeps_all=attends and not window,
        kept=window or 1,
        score_width=scores // entry,
        value_width=values // entry,
        latent_score_width=compressed if latent else scores // entry,
        latent_value_width=layer.heads * layer.kv_rank if latent else values // entry,
        beside=layer.sliding_window if compresses else 0,
        beside_elements=layer.token_elements if compresses else 0,
        beside_width=scores + values if compresses else 0,
        index_width=layer.index_heads * layer.index_dim // entry if attends else 0,
        state_flops=6 * layer.state_elements,
        chunk_flops=widths * CHUNK if linear else 0,
        sequence_bytes=layer.sequence_bytes,
    )
