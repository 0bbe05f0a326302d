"""One shape of a model: what training and serving count of it is the same whole."""

import pytest
from hybrid_model import HYBRID

from mlsysim.catalog import LanguageModel, Models
from mlsysim.stages.shape import shape_of


@pytest.mark.parametrize("model", [*Models.Language.values(), HYBRID], ids=str)
def test_both_ways_of_counting_give_all_parameters(model: LanguageModel) -> None:
    """By kinds of layers, as training does, and by mixers and MLPs, as serving does."""
    shape = shape_of(model)
    kinds = {id(kind): kind for kind in (shape.front, *shape.others)}.values()
    layers = sum(kind.layers * kind.weight for kind in kinds)
    assert layers + shape.tables + shape.own_head == model.parameters
    mixers = sum(
        kind.layers * (kind.query_parameters + kind.cache_parameters + kind.vector_parameters)
        for kind in shape.mixers
    )
    dense = sum(kind.layers * kind.parameters for kind in shape.feeds)
    routed = shape.shared_parameters + shape.router_parameters
    routed += shape.experts * shape.expert_parameters
    assert mixers + dense + shape.expert.layers * routed == layers
    assert sum(kind.layers for kind in shape.mixers) == shape.layers
    assert sum(kind.layers for kind in shape.feeds) + shape.expert.layers == shape.layers


def test_groups_that_say_what_the_model_says_change_nothing() -> None:
    """A model of one kind of layers is the case of one group."""
    plain = Models.Language.Qwen3_30B_A3B
    grouped = plain.replace(groups=[{"layers": plain.layers}])
    assert shape_of(grouped) == shape_of(plain)
    assert grouped.parameters == plain.parameters
    assert grouped.kv_bytes_per_token(2) == plain.kv_bytes_per_token(2)
