"""Arguments of stages are declared once; signatures, types, checks and documentation follow."""

import inspect
from pathlib import Path
from typing import Any, get_type_hints

import pytest
from mypy import api

from mlsysim.catalog import Models, Systems
from mlsysim.core.solver import DistributedModel
from mlsysim.errors import ParameterError
from mlsysim.stages.training.design import TrainingDesign

RECORDS = [(DistributedModel, TrainingDesign)]
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
            knob.read({})


def test_arguments_go_by_position_as_ever() -> None:
    """Model, fleet and batch may be passed in order; a misspelt knob is answered with its name."""
    by_name = DistributedModel().solve(**DESIGN, tp_size=2)
    in_order = DistributedModel().solve(*DESIGN.values(), tp_size=2)
    assert in_order.step_latency_total == by_name.step_latency_total
    with pytest.raises(ParameterError, match="no argument 'tp_siz'; did you mean 'tp_size'"):
        DistributedModel().solve(**DESIGN | {"tp_siz": 2})


USER = """
from mlsysim import Models, Systems
from mlsysim.core.solver import DistributedModel

model, fleet = Models.Language.Llama3_8B, Systems.Clusters.Frontier_8K
reveal_type(DistributedModel().solve(model, fleet, 8, tp_size=8))
DistributedModel().solve(model, fleet, 8, tp_siz=8)
DistributedModel().solve(model, fleet, 8, tp_size="8")
DistributedModel().solve(model, fleet)
"""


def test_a_type_checker_sees_the_knobs(tmp_path: Path) -> None:
    """A result has its type; a misspelt knob, one of another type and a missing one are errors."""
    script = tmp_path / "user.py"
    script.write_text(USER, encoding="utf-8")
    found, _, _ = api.run(["--strict", str(script)])
    lines = [line.partition("user.py:")[2] for line in found.splitlines()]
    told = [line for line in lines if "error:" in line or "Revealed" in line]
    assert len(told) == 4
    assert told[0].startswith("6: note:")
    assert "DistributedResult" in told[0]
    assert '"tp_siz"' in told[1]
    assert 'did you mean "tp_size"' in told[1]
    assert '"tp_size" to "solve" of "DistributedModel" has incompatible type "str"' in told[2]
    assert 'Missing positional argument "batch_size"' in told[3]
