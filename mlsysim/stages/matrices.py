"""The matrices of a layer one by one: what adapters attach to, and what Muon makes orthogonal."""

import enum
from collections.abc import Iterator
from dataclasses import dataclass

from mlsysim.catalog.layer import Layer, Mixer

_ROUNDS = 5
"""Newton-Schulz iterations of Muon (Liu et al. 2025, arXiv 2502.16982, section 2.1)."""


class MatrixPart(enum.StrEnum):
    """What a matrix does in its layer."""

    QUERY = "query"
    KEY = "key"
    VALUE = "value"
    OUTPUT = "output"
    MIXER = "mixer"
    """Anything else that mixes tokens: compressions, indexers, gates."""

    UP = "up"
    """Into the inner width of an MLP, its gate included."""

    DOWN = "down"
    ROUTER = "router"


_ATTENTION = frozenset({MatrixPart.QUERY, MatrixPart.KEY, MatrixPart.VALUE, MatrixPart.OUTPUT})
_MLP = frozenset({MatrixPart.UP, MatrixPart.DOWN})
TARGETS = {
    "query_value": frozenset({MatrixPart.QUERY, MatrixPart.VALUE}),
    "attention": _ATTENTION,
    "mlp": _MLP,
    "linear": _ATTENTION | _MLP | {MatrixPart.MIXER},
}
"""Which matrices have adapters, by name; routers, embeddings and the head have none."""


@dataclass(frozen=True, kw_only=True)
class Matrix:
    """Equal matrices of a layer.

    Parameters
    ----------
    part
        What they do.
    inputs, outputs
        Their widths.
    count
        How many there are: one of each routed expert, else 1.
    visited
        How many of them multiply a token.
    """

    part: MatrixPart
    inputs: int
    outputs: int
    count: int = 1
    visited: int = 1

    @property
    def elements(self) -> int:
        """Elements of all of them."""
        return self.count * self.inputs * self.outputs

    @property
    def reads_inside(self) -> bool:
        """Whether they read what tensor parallelism divides, and not the stream."""
        return self.part in {MatrixPart.OUTPUT, MatrixPart.DOWN}

    @property
    def whole(self) -> int:
        """The side that every member of a tensor-parallel group holds whole: the stream's."""
        return self.outputs if self.reads_inside else self.inputs

    @property
    def divided(self) -> int:
        """The side that tensor parallelism divides."""
        return self.inputs + self.outputs - self.whole

    @property
    def orthogonalization(self) -> int:
        """Operations that make their update orthogonal: ``5 (4 m² n + 2 m³)``, m the less (flop).

        Each round multiplies the m x n matrix with its transpose, squares that, and multiplies
        it with the matrix again.
        """
        less, more = sorted((self.inputs, self.outputs))
        return self.count * _ROUNDS * (4 * less * less * more + 2 * less**3)


def mixer_matrices(layer: Layer) -> Iterator[Matrix]:
    """List the matrices that mix tokens, save those that a record does not describe."""
    if layer.mixer is Mixer.ATTENTION:
        yield from _latent(layer) if layer.kv_rank else _plain(layer)
        if layer.output_gate:
            yield _of(MatrixPart.MIXER, layer.hidden, layer.value_width)
        if layer.index_dim:
            scored = layer.index_heads * layer.index_dim
            yield _of(MatrixPart.MIXER, layer.query_rank or layer.hidden, scored)
            yield _of(MatrixPart.MIXER, layer.hidden, layer.index_dim + layer.index_heads)
        yield from _output(layer)
    if layer.mixer is Mixer.LINEAR:
        yield _of(MatrixPart.QUERY, layer.hidden, layer.linear_key_width)
        yield _of(MatrixPart.KEY, layer.hidden, layer.linear_key_width)
        yield _of(MatrixPart.VALUE, layer.hidden, layer.linear_value_width)
        if beside := layer.linear_scalars * layer.linear_heads:
            yield _of(MatrixPart.MIXER, layer.hidden, beside)
        if layer.output_gate:
            yield _of(MatrixPart.MIXER, layer.hidden, layer.linear_value_width)
        yield _of(MatrixPart.OUTPUT, layer.linear_value_width, layer.hidden)


def feed_matrices(layer: Layer, *, routed: bool) -> Iterator[Matrix]:
    """List those that feed every token forward: a dense MLP, or what is beside experts."""
    inner = layer.shared_width if routed else layer.ffn
    if inner:
        yield from _mlp(layer, layer.hidden, inner)
    if routed:
        yield _of(MatrixPart.ROUTER, layer.hidden, layer.experts)
        if layer.expert_hidden:
            yield _of(MatrixPart.UP, layer.hidden, layer.expert_hidden)
            yield _of(MatrixPart.DOWN, layer.expert_hidden, layer.hidden)


def expert_matrices(layer: Layer) -> Iterator[Matrix]:
    """List those of the routed experts."""
    width = layer.expert_hidden or layer.hidden
    yield from _mlp(layer, width, layer.expert_ffn, layer.experts, layer.experts_per_token)


def _of(part: MatrixPart, inputs: int, outputs: int) -> Matrix:
    return Matrix(part=part, inputs=inputs, outputs=outputs)


def _plain(layer: Layer) -> Iterator[Matrix]:
    if layer.query_rank:
        yield _of(MatrixPart.MIXER, layer.hidden, layer.query_rank)
    yield _of(MatrixPart.QUERY, layer.query_rank or layer.hidden, layer.query_width)
    yield _of(MatrixPart.KEY, layer.hidden, layer.kv_width)
    if not (layer.shared_keys or layer.one_cache):
        yield _of(MatrixPart.VALUE, layer.hidden, layer.kv_width)


def _output(layer: Layer) -> Iterator[Matrix]:
    if not layer.output_rank:
        yield _of(MatrixPart.OUTPUT, layer.value_width, layer.hidden)
        return
    groups, rank = layer.output_groups, layer.output_rank
    yield Matrix(
        part=MatrixPart.MIXER,
        inputs=layer.value_width // groups,
        outputs=rank,
        count=groups,
        visited=groups,
    )
    yield _of(MatrixPart.OUTPUT, groups * rank, layer.hidden)


def _latent(layer: Layer) -> Iterator[Matrix]:
    if layer.query_rank:
        yield _of(MatrixPart.MIXER, layer.hidden, layer.query_rank)
    yield _of(MatrixPart.QUERY, layer.query_rank or layer.hidden, layer.score_width)
    yield _of(MatrixPart.MIXER, layer.hidden, layer.kv_rank + layer.rope_dim)
    # One matrix makes both keys and values of what is compressed.
    yield _of(MatrixPart.VALUE, layer.kv_rank, layer.query_width + layer.value_width)


def _mlp(
    layer: Layer, width: int, inner: int, count: int = 1, visited: int = 1
) -> Iterator[Matrix]:
    for _ in range(layer.mlp_matrices - 1):
        yield Matrix(part=MatrixPart.UP, inputs=width, outputs=inner, count=count, visited=visited)
    yield Matrix(part=MatrixPart.DOWN, inputs=inner, outputs=width, count=count, visited=visited)
