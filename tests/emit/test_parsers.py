"""Launches, taken in by the frameworks' own parsers where these are installed.

They need no accelerator, but PyTorch and much more, so each runs in a process of its own and is
skipped where the package is not there; `test_emit` checks against their recorded options.
"""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest
from launches import (
    POOLS,
    REFUSED,
    SERVERS,
    SERVING_DESIGNS,
    TRAINING_DESIGNS,
    TUNER,
    TUNING_DESIGNS,
)

from mlsysim.core.solver import DisaggregatedModel
from mlsysim.emit import Emission, Framework, emit
from mlsysim.emit.writing import arguments_of
from mlsysim.launch.frameworks import frameworks

PARSERS = Path(__file__).parent / "parsers"
OWN_PARSER = [item for item in frameworks() if item is not Framework.MEGATRON]


def emissions(framework: Framework) -> list[Emission]:
    """Emit all designs that the framework runs."""
    if framework is TUNER:
        return [emit(framework, design) for design in TUNING_DESIGNS.values()]
    designs = SERVING_DESIGNS if framework in SERVERS else TRAINING_DESIGNS
    found = [
        emit(framework, design)
        for name, design in designs.items()
        if (name, framework.name) not in REFUSED
    ]
    return [*found, emit(framework, POOLS, DisaggregatedModel)] if framework in SERVERS else found


def told(framework: Framework, emission: Emission) -> list[object]:
    """Give what the parser receives: words; or the file, and how many replicas read it."""
    if framework is TUNER:
        return [emission.text]
    if framework is not Framework.DEEPSPEED:
        return [arguments_of(launch) for launch in emission.launches]
    values = {item.name: item.value for item in emission.launches[0].settings}
    shared = values["train_micro_batch_size_per_gpu"] * values["gradient_accumulation_steps"]
    return [(emission.text, values["train_batch_size"] // shared)]


@pytest.mark.parametrize("framework", OWN_PARSER)
def test_the_framework_takes_what_is_emitted(framework: Framework) -> None:
    """Its own parser accepts every word and understands the degree of tensor parallelism."""
    if importlib.util.find_spec(framework.name) is None:
        pytest.skip(f"{framework.name} is not installed")
    told_all = json.dumps(
        [item for emission in emissions(framework) for item in told(framework, emission)]
    )
    script = str(PARSERS / f"with_{framework.name}.py")
    done = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, script], input=told_all, text=True, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
