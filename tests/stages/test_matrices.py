"""The matrices of a layer one by one, against the counts of the catalogue."""

import pytest

from mlsysim.catalog import Models
from mlsysim.stages.matrices import (
    TARGETS,
    MatrixPart,
    expert_matrices,
    feed_matrices,
    mixer_matrices,
)


@pytest.mark.parametrize("name", sorted(Models.Language))
def test_the_matrices_of_a_layer_are_those_that_the_catalogue_counts(name: str) -> None:
    """Each kind of layer of each model: mixer, what every token sees, and routed experts."""
    model = Models.Language[name]
    kinds = [(group, group.routed) for group in model.layer_groups]
    plain = ((model, False), (model, True)) if model.experts else ((model, False),)
    for layer, routed in kinds or plain:
        mixed = sum(item.elements for item in mixer_matrices(layer))
        assert mixed == layer.attention_parameters - layer.other_matrices
        fed = sum(item.elements for item in feed_matrices(layer, routed=routed))
        beside = layer.router_parameters + layer.shared_parameters
        assert fed == (beside if routed else layer.dense_mlp_parameters)
        if routed:
            experts = sum(item.elements for item in expert_matrices(layer))
            assert experts == layer.experts * layer.expert_parameters


def test_targets_are_what_peft_calls_them() -> None:
    """``all-linear`` takes every matrix of the layers but the routers."""
    assert TARGETS["linear"] == set(MatrixPart) - {MatrixPart.ROUTER}
    assert TARGETS["query_value"] < TARGETS["attention"] < TARGETS["linear"]
