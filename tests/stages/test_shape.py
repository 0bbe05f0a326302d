"""One shape of a model: what training and serving count of it is the same whole."""

import pytest

from mlsysim.catalog import LanguageModel, Models
from mlsysim.stages.shape import shape_of


@pytest.mark.parametrize("model", Models.Language.values(), ids=str)
def test_both_ways_of_counting_give_all_parameters(model: LanguageModel) -> None:
    """By kinds of layers, as training does, and by matrices, as serving does."""
    shape = shape_of(model)
    attention = shape.query_parameters + shape.cache_parameters + shape.vector_parameters
    dense = attention + shape.dense_parameters
    beside = attention + shape.shared_parameters + shape.router_parameters
    routed = shape.experts * shape.expert_parameters
    if shape.dense_layers:
        assert dense == shape.dense.parameters
    if shape.expert_layers:
        assert (beside, routed) == (shape.expert.parameters, shape.expert.routed_parameters)
    layers = shape.dense_layers * dense + shape.expert_layers * (beside + routed)
    assert layers + shape.tables + shape.own_head == model.parameters
    assert shape.dense_layers + shape.expert_layers == shape.layers
    assert shape.full_layers + shape.sliding_layers == shape.layers
