"""Law 8: what a question for a framework finds feasible, that framework is told without refusal."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from laws.designs import Design, feasible, law

from mlsysim.core.pipeline import Pipeline
from mlsysim.emit import emit
from mlsysim.errors import LaunchError
from mlsysim.launch.frameworks import Framework, frameworks
from mlsysim.stages.stage import ForwardModel

PAIRS = [(framework, stage) for framework in frameworks() for stage in framework.stages]


def launched(framework: Framework, design: Design) -> bool:
    """Tell whether a framework takes a design."""
    try:
        emission = emit(framework, design.arguments, design.stage)
    except LaunchError:
        return False
    return bool(emission.text)


def unlike_verdicts(framework: Framework, design: Design) -> Iterator[str]:
    """Say where the pipeline and the emitter judge a design in two ways."""
    result = Pipeline([design.stage()], framework=framework).run(**design.arguments)
    if bool(result.feasibility.feasible) is not launched(framework, design):
        yield f"for {framework.name} the pipeline says {result.feasibility}, the emitter does not"


@pytest.mark.parametrize(
    ("framework", "stage"), PAIRS, ids=lambda item: getattr(item, "__name__", "") or item.name
)
def test_a_feasible_answer_can_be_launched(framework: Framework, stage: type[ForwardModel]) -> None:
    """The verdict of the pipeline and that of the emitter are one, either way."""

    @law(15)
    @given(feasible(stage))
    def holds(design: Design) -> None:
        assert not list(unlike_verdicts(framework, design))

    holds()
