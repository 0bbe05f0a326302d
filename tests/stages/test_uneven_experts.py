"""What is uneven in the routing of a training run is paid for: in arithmetic, and on the way."""

import dataclasses
from typing import Any

import pytest

from mlsysim.catalog import Models, Systems
from mlsysim.core.solver import DistributedModel
from mlsysim.stages.calibration import calibration_of

FLEET = Systems.Clusters.Training_1K_B200
MIXTRAL = Models.Language.Mixtral_8x7B


def solve(imbalance: float, **changed: Any) -> Any:
    """Train Mixtral with no overlap where the busiest expert has so many times the mean."""
    calibration = dataclasses.replace(calibration_of(FLEET.accelerator), imbalance=imbalance)
    given: dict[str, Any] = {
        "model": MIXTRAL,
        "batch_size": 2048,
        "pp_size": 8,
        "ep_size": 8,
        "overlap": "none",
    }
    return DistributedModel(calibration=calibration).solve(fleet=FLEET, **given | changed)


@pytest.mark.parametrize("model", [MIXTRAL, Models.Language.DeepSeek_V3], ids=lambda m: m.name)
def test_more_imbalance_is_never_faster(model: Any) -> None:
    """Each part of the step that experts have a share in grows, and the step with it."""
    for part in ("step_latency_compute", "step_latency_expert", "step_latency_total"):
        times = [getattr(solve(factor, model=model), part) for factor in (1.0, 1.5, 2.0, 3.0)]
        assert times == sorted(times)
        assert times[-1] > 1.1 * times[0], part


def test_arithmetic_grows_by_the_experts_part_alone() -> None:
    """Three passes of the routed products, whose share of the peak is given.

    Beyond the reading of their weights: a token multiplies 2 experts x 3 matrices x 4096 x 14336
    in each of 32 / 8 layers of a stage, 2 operations forward and 4 backward each.
    """
    low, high = (solve(factor, efficiency=0.5, micro_batch_size=4) for factor in (4.0, 5.0))
    tokens = 2048 * 2048 / (FLEET.accelerators / 8)
    operations = 6 * (2 * 3 * 4096 * 14336) * (32 / 8) * tokens
    peak = FLEET.accelerator.peak("fp16").m_as("flop/s")
    grown = (high.step_latency_compute - low.step_latency_compute).m_as("s")
    assert grown == pytest.approx(operations / (0.5 * peak), rel=1e-9)


def test_what_travels_to_experts_grows_in_proportion() -> None:
    """Beyond what starting an all-to-all takes, twice the tokens take twice the time."""
    one, two, three = (
        solve(factor, micro_batch_size=8).step_latency_expert.m_as("ms") for factor in (1, 2, 3)
    )
    assert three - two == pytest.approx(two - one, rel=1e-9)
    assert 0.8 * one < two - one <= one


def test_a_dense_model_has_nothing_uneven() -> None:
    """The factor is that of experts."""
    dense = {"model": Models.Language.Llama3_8B, "ep_size": 1}
    assert solve(3.0, **dense).step_latency_total == solve(1.0, **dense).step_latency_total
