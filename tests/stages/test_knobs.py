"""Arguments of stages are declared once; signatures, types, checks and documentation follow."""

import inspect
from typing import Any, get_type_hints

import pytest
from stage_designs import DESIGNS, STAGES

from mlsysim.catalog import Models, Systems
from mlsysim.core.solver import (
    ContinuousBatchingModel,
    DisaggregatedModel,
    DistributedModel,
    EconomicsModel,
    GoodputModel,
    MixedFleetModel,
    ServingEconomicsModel,
    ServingModel,
    SingleNodeModel,
)
from mlsysim.errors import ParameterError
from mlsysim.stages.economics.design import EconomicsDesign, ServingEconomicsDesign
from mlsysim.stages.fleets.mixed_fleet import MixedFleetDesign
from mlsysim.stages.serving.design import ContinuousBatchingDesign, EngineDesign, ServingDesign
from mlsysim.stages.serving.pools import LAYOUT, DisaggregatedDesign
from mlsysim.stages.single_node import SingleNodeDesign
from mlsysim.stages.stage import ForwardModel
from mlsysim.stages.training.design import TrainingDesign
from mlsysim.stages.training.goodput import GoodputDesign
from mlsysim.units import is_quantity, quantity, unit_of

RECORDS = [
    (DistributedModel, TrainingDesign),
    (ServingModel, ServingDesign),
    (ContinuousBatchingModel, ContinuousBatchingDesign),
    (DisaggregatedModel, DisaggregatedDesign),
    (GoodputModel, GoodputDesign),
    (EconomicsModel, EconomicsDesign),
    (ServingEconomicsModel, ServingEconomicsDesign),
    (SingleNodeModel, SingleNodeDesign),
    (MixedFleetModel, MixedFleetDesign),
]
DESIGN: dict[str, Any] = {
    "model": Models.Language.Llama3_8B,
    "fleet": Systems.Clusters.Frontier_8K,
    "batch_size": 1024,
}


@pytest.mark.parametrize(("stage", "record"), RECORDS)
def test_the_signature_is_the_record(stage: type[Any], record: type[Any]) -> None:
    """Names, defaults, types and what goes by position."""
    parameters = stage.inputs()
    hints = get_type_hints(stage.solve)
    assert list(parameters) == list(record.knobs())
    for name, knob in record.knobs().items():
        found = parameters[name]
        assert (found.default, found.annotation, hints[name]) == (
            knob.default,
            knob.kind,
            knob.kind,
        )
        by_position = found.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
        assert by_position == knob.positional


@pytest.mark.parametrize(("stage", "record"), RECORDS)
def test_the_documentation_tells_every_knob(stage: type[Any], record: type[Any]) -> None:
    """Each has its place among the parameters, before what is returned."""
    text = inspect.getdoc(stage.solve) or ""
    parameters = text[text.index("Parameters\n------") : text.index("Returns\n------")]
    told = [line for line in parameters.splitlines()[2:] if line and not line.startswith(" ")]
    assert told == list(record.knobs())


@pytest.mark.parametrize("record", [record for _, record in RECORDS])
def test_defaults_are_in_their_domains(record: type[Any]) -> None:
    """A default passes its own check, and a stranger does not."""
    for knob in record.knobs().values():
        if knob.default is not knob.REQUIRED:
            assert knob.read(knob.default) == knob.default
        with pytest.raises(ParameterError, match=f"^{knob.name} is "):
            knob.read([])


@pytest.mark.parametrize("count", [2**53 + 2, 1e308])
def test_counts_beyond_exactness_are_refused(count: float) -> None:
    """No formula is asked about a number whose last digit floats do not have."""
    with pytest.raises(ParameterError, match=r"seq_len is .*must be at most 2\*\*53"):
        DistributedModel().solve(**DESIGN | {"seq_len": count})
    assert DistributedModel().solve(**DESIGN | {"seq_len": 2**53}).checks


def test_arguments_go_by_position_as_ever() -> None:
    """Model, fleet and batch may be passed in order; a misspelt knob is answered with its name."""
    by_name = DistributedModel().solve(**DESIGN, tp_size=2)
    in_order = DistributedModel().solve(*DESIGN.values(), tp_size=2)
    assert in_order.step_latency_total == by_name.step_latency_total
    with pytest.raises(ParameterError, match="no argument 'tp_siz'; did you mean 'tp_size'"):
        DistributedModel().solve(**DESIGN | {"tp_siz": 2})


@pytest.mark.parametrize("stage", STAGES)
def test_metrics_have_the_units_that_are_declared(stage: type[ForwardModel]) -> None:
    """What a result holds has the unit with which its field is annotated, and is explained."""
    result = stage().solve(**DESIGNS[stage])
    for name, metric in stage.metrics().items():
        value = getattr(result, name)
        assert metric.text, name
        if is_quantity(value):
            assert unit_of(value) == unit_of(quantity(1, metric.unit)), name
        elif value is not None:
            assert not metric.unit, name


@pytest.mark.parametrize("stage", STAGES)
def test_every_argument_is_explained(stage: type[ForwardModel]) -> None:
    """By its record, or by the docstring of `solve`."""
    assert list(stage.knobs()) == list(stage.inputs())
    assert all(knob.text and str(knob.domain) for knob in stage.knobs().values())


def test_a_pool_is_laid_out_like_any_replica() -> None:
    """Each knob of a layout is there for either pool, with the default and range of the plain one.

    Every other knob of an engine is shared, so that `ServingDesign` alone says what there is.
    """
    plain, pools = ServingDesign.knobs(), DisaggregatedDesign.knobs()
    assert {*plain} == {"model", "fleet", "batch_size", *EngineDesign.knobs(), *LAYOUT}
    for name in LAYOUT:
        for pool in ("prefill", "decode"):
            found = pools[f"{pool}_{name}"]
            assert (found.default, found.domain, found.kind) == (
                plain[name].default,
                plain[name].domain,
                plain[name].kind,
            )
    own = {name for name in pools if name.startswith(("prefill_", "decode_"))}
    assert len(own) == 2 * (len(LAYOUT) + 1)
