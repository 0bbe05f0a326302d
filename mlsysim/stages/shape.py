"""A language model as the formulas of all stages see it: plain numbers, no catalogue."""

import math
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from mlsysim.catalog.language_model import LanguageModel
from mlsysim.catalog.layer import Layer, LayerGroup
from mlsysim.stages.kinds import LayerKind
from mlsysim.stages.layer_shape import LayerShape, layer_of
from mlsysim.stages.mapping import remembered
from mlsysim.stages.matrices import TARGETS, MatrixPart
from mlsysim.stages.mixer_shape import FeedShape, MixerShape, mixer_of

_NEVER_MISSED = -50.0  # log of the chance to miss an expert that sees every token: e^-50 is none


@dataclass(frozen=True, kw_only=True)
class ModelShape:
    """A whole model; parameters without a word about layers are those of one layer.

    Parameters
    ----------
    layers, hidden, vocab, max_context
        As in `LanguageModel`.
    heads, linear_heads, kv_heads
        What tensor parallelism must divide: the greatest number that divides the query heads of
        all layers, and those of linear mixers; the fewest key-value heads.
    front
        Layers that stand in front of all others, as training sees them; the kind of the others
        where there are none.
    others, other_layers
        The other kinds, heaviest first, and how many layers they are.
    spread
        Whether layers without experts alternate with those that have some; if not, they stand in
        front.
    mixers
        How layers mix tokens, as serving sees it: kinds that read most first.
    nested
        Whether mixers differ only in how many tokens they reach, so that one takes no more than
        the one before it.
    feeds
        What feeds forward in layers without experts, the widest first.
    expert
        The kind of those with experts.
    latent
        Whether attention is latent, with up-projections.
    cache_parts
        Into how many parts keys and values can be divided at least: the key-value heads, or one
        with latent attention.
    active_parameters
        Matrix elements that one token is multiplied with, in the whole model.
    dense_width, expert_width
        Inner widths of a dense MLP (the greatest number that divides all) and of an expert; 0 where
        there is none.
    experts, experts_per_token
        Routed experts of a layer, and how many of them see a token; 1 and 0 without.
    expert_groups, groups_per_token
        Groups into which they fall, and those that one token's experts come from; 1 and 1 where
        routing is not limited.
    expert_hidden
        Width of a token on its way to them.
    log_missed
        Log of the chance that a token passes an expert by.
    expert_parameters, shared_parameters, router_parameters
        Matrices of one expert, and of what sees every token beside experts: shared experts, and the
        router.
    tables
        Parameters of the embedding and of all that is not a layer or the head.
    outputs, head, own_head
        Numbers that the output head gives out, its matrix elements, and those that it does not
        share with the embedding.
    moved, moved_divided
        Numbers per token that element-wise kernels of a layer move in a forward pass, outside and
        inside tensor-parallel blocks; each is written and read.
    """

    layers: int
    heads: int
    linear_heads: int
    kv_heads: int
    hidden: int
    vocab: int
    max_context: int
    front: LayerShape
    others: tuple[LayerShape, ...]
    other_layers: int
    spread: bool
    mixers: tuple[MixerShape, ...]
    nested: bool
    feeds: tuple[FeedShape, ...]
    expert: LayerKind
    latent: bool
    cache_parts: int
    active_parameters: int
    dense_width: int
    expert_width: int
    experts: int
    experts_per_token: int
    expert_groups: int
    groups_per_token: int
    expert_hidden: int
    log_missed: float
    expert_parameters: int
    shared_parameters: int
    router_parameters: int
    tables: int
    outputs: int
    head: int
    own_head: int
    moved: int
    moved_divided: float

    @property
    def is_tied(self) -> bool:
        """Whether the embedding is also the head."""
        return self.head > 0 and self.own_head <= 0

    @property
    def products(self) -> int:
        """Matrix products of a forward pass: those of its layers, two of its experts, the head."""
        kinds = self.others if self.front in self.others else (self.front, *self.others)
        return 1 + sum(kind.layers * (kind.products + 2 * kind.routed) for kind in kinds)


@remembered
def shape_of(model: LanguageModel, targets: str | None = None) -> ModelShape:
    """Read a catalogue record.

    Parameters
    ----------
    model
        The record.
    targets
        The name of the matrices that have adapters (`TARGETS`), where weights are frozen.
    """
    groups = model.layer_groups
    kinds = _kinds(model, None if targets is None else TARGETS[targets])
    front = kinds[:1] if _alternates(model) else [kind for kind in kinds if kind.front][:1]
    others = [kind for kind in kinds if kind not in front] or kinds[:1]
    routed: Layer = next((group for group in groups if group.routed), model)
    layers: tuple[Layer, ...] = groups or (model,)
    attending = [layer for layer in layers if layer.attends] or [model]
    dense = [group.ffn for group in groups if not group.routed and group.ffn]
    if not groups and model.dense_layers:
        dense = [model.ffn]
    in_layers = sum(kind.layers * kind.weight for kind in kinds)
    shared = routed.shared_parameters if routed.experts else 0
    return ModelShape(
        layers=model.layers,
        heads=math.gcd(*(layer.heads for layer in attending)),
        linear_heads=math.gcd(*(layer.linear_heads for layer in layers if not layer.attends)),
        kv_heads=min(layer.kv_heads for layer in attending),
        hidden=model.hidden,
        vocab=model.vocab,
        max_context=model.max_context,
        front=(front or others)[0],
        others=tuple(sorted(others, key=lambda kind: -kind.weight)),
        other_layers=sum(kind.layers for kind in kinds if kind not in front),
        spread=_alternates(model),
        mixers=_mixers(model),
        nested=not model.groups or len(_mixers(model)) == 1,
        feeds=_feeds(model),
        expert=_place(model, [kind for kind in kinds if kind.routed]),
        latent=any(layer.kv_rank > 0 for layer in attending),
        cache_parts=min(1 if layer.kv_rank else layer.kv_heads for layer in attending),
        active_parameters=model.matmul_parameters,
        dense_width=math.gcd(*dense),
        expert_width=routed.expert_ffn,
        experts=routed.experts or 1,
        experts_per_token=routed.experts_per_token,
        expert_groups=routed.expert_groups or 1,
        groups_per_token=routed.groups_per_token or 1,
        expert_hidden=routed.expert_hidden or routed.hidden,
        log_missed=_log_missed(routed.experts, routed.experts_per_token),
        expert_parameters=routed.expert_parameters,
        shared_parameters=shared,
        router_parameters=routed.router_parameters,
        tables=model.parameters - in_layers - model.own_head_parameters,
        outputs=model.outputs,
        head=model.head_parameters,
        own_head=model.own_head_parameters,
        # the stream before and after either norm and residual addition
        moved=4 * model.hidden,
        moved_divided=_moved_divided(model),
    )


def _alternates(model: LanguageModel) -> bool:
    # Llama 4 Maverick has experts in every second layer; others have dense layers in front.
    return not model.groups and 2 * model.dense_layers == model.layers


def _kinds(model: LanguageModel, targets: AbstractSet[MatrixPart] | None) -> list[LayerShape]:
    """List the kinds as training sees them: of windows over equal layers it takes the mean."""
    if model.groups:
        among = sum(group.layers for group in model.layer_groups if not group.in_front)
        return [
            layer_of(
                group,
                _kind(group.layers, among, in_front=group.in_front),
                routed=group.routed,
                near_share=1.0 if group.seen_tokens else 0.0,
                window=_reach(model, group),
                targets=targets,
            )
            for group in model.layer_groups
        ]
    near = 1.0 if model.top_tokens else model.sliding_layers / model.layers
    among = model.layers if _alternates(model) else model.moe_layers
    found = []
    if model.dense_layers:
        front = model.moe_layers > 0 and not _alternates(model)
        place = _kind(model.dense_layers, among or model.layers, in_front=front)
        found.append((place, False))
    if model.moe_layers:
        found.append((_kind(model.moe_layers, among, in_front=False), True))
    window = _reach(model, model)
    return [
        layer_of(model, place, routed=routed, near_share=near, window=window, targets=targets)
        for place, routed in found
    ]


def _kind(layers: int, among: int, *, in_front: bool) -> LayerKind:
    return LayerKind(
        layers=layers,
        front=layers if in_front else 0,
        spread=0 if in_front else layers,
        among=max(among, 1),
    )


def _reach(model: LanguageModel, layer: Layer) -> int:
    """Give how many tokens one attends to at most."""
    return layer.seen_tokens or model.max_context


def _place(model: LanguageModel, kinds: list[LayerShape]) -> LayerKind:
    """Join kinds that are one as far as something goes."""
    spread = sum(kind.spread for kind in kinds)
    return LayerKind(
        layers=sum(kind.layers for kind in kinds),
        front=sum(kind.front for kind in kinds),
        spread=spread,
        among=max((kind.among for kind in kinds if kind.spread), default=model.layers),
    )


def _mixers(model: LanguageModel) -> tuple[MixerShape, ...]:
    if not model.groups:
        full, near = model.full_attention_layers, model.sliding_layers
        found = [
            mixer_of(model, _kind(count, model.layers, in_front=False), window)
            for count, window in ((full, 0), (near, model.sliding_window))
            if count
        ]
        return tuple(found)
    alike: dict[tuple[object, ...], list[LayerGroup]] = {}
    for group in model.layer_groups:
        alike.setdefault(_look(group), []).append(group)
    kinds = (_joined(model, found) for found in alike.values())
    mixers = [
        mixer_of(found[0], kind, found[0].kept_tokens)
        for found, kind in zip(alike.values(), kinds, strict=True)
    ]
    return tuple(sorted(mixers, key=lambda mixer: -mixer.rank(model.max_context)))


def _look(group: LayerGroup) -> tuple[object, ...]:
    """Tell mixers apart by all that serving asks of them."""
    mixer = mixer_of(group, LayerKind(layers=0, front=0, spread=0, among=1), group.kept_tokens)
    return tuple(vars(mixer).items())


def _feeds(model: LanguageModel) -> tuple[FeedShape, ...]:
    if not model.groups:
        if not model.dense_layers:
            return (FeedShape(layers=0, front=0, spread=0, among=1, parameters=0),)
        front = model.moe_layers > 0 and not _alternates(model)
        place = _kind(model.dense_layers, model.layers, in_front=front)
        return (FeedShape(**vars(place), parameters=model.dense_mlp_parameters),)
    alike: dict[int, list[LayerGroup]] = {}
    for group in model.layer_groups:
        if not group.routed:
            alike.setdefault(group.dense_mlp_parameters, []).append(group)
    found = [
        FeedShape(**vars(_joined(model, alike[size])), parameters=size)
        for size in sorted(alike, reverse=True)
    ]
    return tuple(found) or (FeedShape(layers=0, front=0, spread=0, among=1, parameters=0),)


def _joined(model: LanguageModel, groups: list[LayerGroup]) -> LayerKind:
    among = sum(group.layers for group in model.layer_groups if not group.in_front)
    return LayerKind(
        layers=sum(group.layers for group in groups),
        front=sum(group.layers for group in groups if group.in_front),
        spread=sum(group.layers for group in groups if not group.in_front),
        among=max(among, 1),
    )


def _log_missed(experts: int, visited: int) -> float:
    if visited >= experts:
        return _NEVER_MISSED
    return math.log1p(-visited / experts)


def _moved_divided(model: LanguageModel) -> float:
    """Count what mixers take and give out, and every inner layer of the MLPs; the mean layer."""
    if model.groups:
        moved = sum(
            group.layers * (_mixed(group) + group.mlp_matrices * _inner(group, routed=group.routed))
            for group in model.layer_groups
        )
        return moved / model.layers
    inner = model.dense_layers * model.ffn
    inner += model.moe_layers * _inner(model, routed=True)
    return _mixed(model) + model.mlp_matrices * inner / model.layers


def _mixed(layer: Layer) -> int:
    if layer.attends:
        gate = layer.value_width * layer.output_gate
        made = layer.token_elements + layer.index_dim + layer.output_groups * layer.output_rank
        return layer.score_width + made + layer.value_width + gate
    return 2 * layer.linear_key_width + 3 * layer.linear_value_width if layer.state_elements else 0


def _inner(layer: Layer, *, routed: bool) -> int:
    return layer.experts_per_token * layer.expert_ffn + layer.shared_width if routed else layer.ffn
