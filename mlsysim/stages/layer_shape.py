"""Layers of a language model as the formulas of training see them: plain numbers, no catalogue."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from mlsysim.catalog.layer import Layer, Mixer
from mlsysim.stages.kinds import LayerKind
from mlsysim.stages.matrices import (
    Matrix,
    MatrixPart,
    expert_matrices,
    feed_matrices,
    mixer_matrices,
)

CHUNK = 128
"""Tokens that kernels of linear mixers take at a time, within which they multiply all pairs."""


@dataclass(frozen=True, kw_only=True)
class LayerShape(LayerKind):
    """One kind of layer.

    Parameters
    ----------
    parameters, routed_parameters
        Its parameters, those of routed experts apart.
    matmul_parameters, routed_matmul
        Those that one token is multiplied with, those of routed experts apart.
    replicated, divided
        Numbers kept per token for the backward pass, outside the tensor-parallel
        blocks and inside them.
    light, light_divided
        Those of them that norms and activation functions make again from the others.
    latent_divided
        Those that latent attention's up-projections make again: queries, keys and values.
    narrow, narrow_divided
        Those that are inputs of matrix products or of activation functions, which 8 bits can hold.
    copies, routed_divided
        Numbers that the token's copies take on their way to routed experts, and inside those
        experts.  On their way back they are as many again, but not kept: experts apply the
        gate's weights to what they still know how to make again.
    up_parameters
        Matrix elements of latent attention's up-projections.
    products, up_products
        Matrix products in a forward pass, and those of up-projections among them.
    routed
        1 for a layer with routed experts, else 0.
    blocks
        Parts that tensor parallelism joins again: the mixer and what feeds forward, 2 or 1.
    heads
        Query heads that make scores.
    score_width, value_width
        Widths over which queries are multiplied with keys, and scores with values.
    near_share, window
        The share of such layers in which a token sees a window only, and its length.
    beside, beside_width
        Of tokens that are not compressed yet, beside those that are: how many there are at most,
        and the width over which queries, and scores, are multiplied.
    index_width
        Width over which an indexer scores all tokens.
    state_flops
        Operations per token on the state of a linear mixer, in a forward pass.
    ring_width
        Keys and values of one token, as context parallelism passes them on.
    idle, idle_divided, idle_copies, idle_routed
        Of the numbers kept per token those that only gradients of frozen weights would read, and
        that are not kept: outside tensor-parallel blocks, inside them, copies on their way to
        experts, and inside routed experts.
    normalized, activated
        Of the numbers kept per token the inputs of norms, outside tensor-parallel blocks, and what
        gated activation functions give out, inside them.
    adapter_inputs, divided_adapter_inputs
        Numbers per token that go into matrices with adapters, outside tensor-parallel blocks and
        inside them, those of experts included.
    adapters, routed_adapters
        Matrices that have adapters, those of the routed experts that see a token apart.
    adapter_whole, adapter_divided, adapter_experts
        Parameters of adapters for each unit of their rank: those that every member of a
        tensor-parallel group holds, those that it divides, and those of all routed experts.
    adapter_matmul, routed_adapter_matmul
        Those that one token is multiplied with, those of routed experts apart.
    orthogonalization, routed_orthogonalization
        Operations that make updates of its matrices orthogonal, for all routed experts apart.
    largest_matrix
        Elements of the largest matrix, of an expert or not.
    """

    parameters: int
    routed_parameters: int
    matmul_parameters: int
    routed_matmul: int
    replicated: int
    divided: int
    light: int
    light_divided: int
    latent_divided: int
    narrow: int
    narrow_divided: int
    copies: int
    routed_divided: int
    up_parameters: int
    products: int
    up_products: int
    routed: int
    blocks: int
    heads: int
    score_width: int
    value_width: int
    near_share: float
    window: int
    beside: int
    beside_width: int
    index_width: int
    state_flops: int
    ring_width: int
    idle: int
    idle_divided: int
    idle_copies: int
    idle_routed: int
    normalized: int
    activated: int
    adapter_inputs: int
    divided_adapter_inputs: int
    adapters: int
    routed_adapters: int
    adapter_whole: int
    adapter_divided: int
    adapter_experts: int
    adapter_matmul: int
    routed_adapter_matmul: int
    orthogonalization: int
    routed_orthogonalization: int
    largest_matrix: int

    @property
    def weight(self) -> int:
        """All its parameters: how kinds are ordered."""
        return self.parameters + self.routed_parameters


def layer_of(
    layer: Layer,
    kind: LayerKind,
    *,
    routed: bool,
    near_share: float,
    window: int,
    targets: AbstractSet[MatrixPart] | None = None,
) -> LayerShape:
    """Read one kind of layer.

    Parameters
    ----------
    layer
        The widths.
    kind
        How many there are, and where.
    routed
        Whether its experts take the place of the dense MLP.
    near_share, window
        As in `LayerShape`.
    targets
        Which of its matrices have adapters, all of them being frozen; None where they are trained.
    """
    own_matrices = (*mixer_matrices(layer), *feed_matrices(layer, routed=routed))
    experts = tuple(expert_matrices(layer)) if routed else ()
    adapted = [item for item in own_matrices if targets and item.part in targets]
    adapted_experts = [item for item in experts if targets and item.part in targets]
    mixed = layer.attention_parameters
    own, matrices = mixed + layer.vector_parameters, layer.mlp_matrices
    inner = layer.shared_width if routed else layer.ffn
    visited = layer.experts_per_token if routed else 0
    if routed:
        beside = layer.router_parameters + layer.shared_parameters
    else:
        beside = layer.dense_mlp_parameters
    mixes, feeds = layer.mixer is not Mixer.NONE, routed or layer.ffn > 0
    attends = layer.attends
    return LayerShape(
        layers=kind.layers,
        front=kind.front,
        spread=kind.spread,
        among=kind.among,
        parameters=own + beside,
        routed_parameters=layer.experts * layer.expert_parameters if routed else 0,
        matmul_parameters=mixed + beside,
        routed_matmul=visited * layer.expert_parameters,
        # inputs of the norms, of the mixer and of the MLP
        replicated=(layer.norms_per_layer + mixes + feeds) * layer.hidden + _latents(layer),
        divided=_mixed_width(layer) + matrices * inner,
        light=2 * layer.hidden,
        light_divided=inner + visited * layer.expert_ffn,
        latent_divided=_latent(layer),
        narrow=2 * layer.hidden,
        narrow_divided=matrices * inner,
        copies=visited * (layer.expert_hidden or layer.hidden),
        routed_divided=visited * matrices * layer.expert_ffn,
        up_parameters=_up_parameters(layer),
        # queries, keys and values at once, scores, weighted values, output; two in the MLP, and
        # with experts the router, and two in the shared ones if there are any
        products=4 * mixes + (3 + 2 * min(inner, 1) if routed else 2 * feeds),
        up_products=min(layer.query_rank, 1) + min(layer.kv_rank, 1) if attends else 0,
        routed=int(routed),
        blocks=mixes + feeds,
        heads=layer.heads if attends else 0,
        score_width=_score_width(layer) // layer.entry_tokens,
        value_width=_value_width(layer) // layer.entry_tokens,
        beside=layer.sliding_window if layer.block_tokens else 0,
        beside_width=_score_width(layer) + _value_width(layer) if layer.block_tokens else 0,
        near_share=near_share if attends else 1.0,
        window=window if attends else CHUNK,
        index_width=layer.index_heads * layer.index_dim // layer.entry_tokens if attends else 0,
        # outer product of keys and values, decay, and what queries read
        state_flops=6 * layer.state_elements,
        ring_width=sum(key_widths(layer)) if attends else 0,
        **_idle(layer, inner, visited, mixes=mixes, targets=targets),
        normalized=layer.norms_per_layer * layer.hidden,
        activated=(inner + visited * layer.expert_ffn) * layer.gated,
        **_adapter_inputs((*adapted, *adapted_experts)),
        adapters=len(adapted),
        routed_adapters=sum(item.visited for item in adapted_experts),
        adapter_whole=sum(item.whole for item in adapted),
        adapter_divided=sum(item.divided for item in adapted),
        adapter_experts=sum(item.count * _sides(item) for item in adapted_experts),
        adapter_matmul=sum(map(_sides, adapted)),
        routed_adapter_matmul=sum(item.visited * _sides(item) for item in adapted_experts),
        orthogonalization=sum(item.orthogonalization for item in own_matrices),
        routed_orthogonalization=sum(item.orthogonalization for item in experts),
        largest_matrix=max(
            (item.inputs * item.outputs for item in (*own_matrices, *experts)), default=0
        ),
    )


def _sides(matrix: Matrix) -> int:
    return matrix.inputs + matrix.outputs


def _adapter_inputs(adapted: Sequence[Matrix]) -> dict[str, int]:
    """Count the numbers per token that go into matrices with adapters."""
    inside = sum(item.visited * item.inputs for item in adapted if item.reads_inside)
    everything = sum(item.visited * item.inputs for item in adapted)
    return {"adapter_inputs": everything - inside, "divided_adapter_inputs": inside}


def _idle(
    layer: Layer, inner: int, visited: int, *, mixes: bool, targets: AbstractSet[MatrixPart] | None
) -> dict[str, int]:
    """Count what only gradients of frozen weights would read: inputs of matrices without adapters.

    What attention gives out is no such input: its own backward pass reads it.
    """
    if targets is None:
        return dict.fromkeys(("idle", "idle_divided", "idle_copies", "idle_routed"), 0)
    into_mixer = bool(
        targets & {MatrixPart.QUERY, MatrixPart.KEY, MatrixPart.VALUE, MatrixPart.MIXER}
    )
    up, down = MatrixPart.UP in targets, MatrixPart.DOWN in targets
    feeds = inner > 0 or visited > 0
    return {
        "idle": layer.hidden * ((mixes and not into_mixer) + (feeds and not up)),
        "idle_divided": 0 if down else inner,
        "idle_copies": 0 if up else visited * (layer.expert_hidden or layer.hidden),
        "idle_routed": 0 if down else visited * layer.expert_ffn,
    }


def key_widths(layer: Layer) -> tuple[int, int]:
    """Give the widths of keys and of values as attention multiplies them."""
    if layer.kv_rank:  # latent attention expands them for every head
        return layer.score_width, layer.value_width
    return layer.kv_width, 0 if layer.one_cache else layer.kv_width


def _score_width(layer: Layer) -> int:
    if layer.mixer is Mixer.LINEAR:
        return layer.linear_key_width
    return layer.score_width if layer.attends else 0


def _value_width(layer: Layer) -> int:
    if layer.mixer is Mixer.LINEAR:
        return layer.linear_value_width
    return layer.value_width if layer.attends else 0


def _latent(layer: Layer) -> int:
    # queries (where they are compressed), keys and values of all heads
    if not (layer.attends and layer.kv_rank):
        return 0
    return (layer.score_width if layer.query_rank else 0) + sum(key_widths(layer))


def _up_parameters(layer: Layer) -> int:
    if not layer.attends:
        return 0
    queries = layer.query_rank * layer.score_width
    return queries + layer.kv_rank * (layer.query_width + layer.value_width)


def _latents(layer: Layer) -> int:
    return layer.query_rank + layer.kv_rank + layer.rope_dim if layer.attends else 0


def _mixed_width(layer: Layer) -> int:
    """Count queries, keys, values, gates and what the mixer gives out."""
    gate = _value_width(layer) * layer.output_gate
    if layer.attends:
        out = layer.value_width + layer.output_groups * layer.output_rank
        return layer.score_width + sum(key_widths(layer)) + out + gate
    # Once as they come, and once convolved.
    taken = 2 * _score_width(layer) + _value_width(layer)
    return taken * (2 if layer.convolution else 1) + _value_width(layer) + gate
