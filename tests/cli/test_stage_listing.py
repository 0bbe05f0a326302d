"""The models, their arguments and their metrics, as the command line lists them."""

import re

import pytest
from stage_designs import STAGES
from typer.testing import CliRunner

from mlsysim.cli.app import app
from mlsysim.core.solver import DistributedModel
from mlsysim.stages.knobs import Knob
from mlsysim.stages.stage import ForwardModel


def run(*arguments: str) -> tuple[int, str, str]:
    """Run the command line on a wide terminal; give its status, output and errors."""
    outcome = CliRunner(env={"COLUMNS": "400"}).invoke(app, list(arguments))
    return outcome.exit_code, outcome.stdout, outcome.stderr


def rows(text: str) -> dict[str, str]:
    """Give the lines by their first word."""
    return {line.split()[0]: line for line in text.splitlines() if line.strip()}


def test_all_models_are_listed() -> None:
    """Each with what it does."""
    status, output, _ = run("list", "stages")
    told = rows(output)
    assert status == 0
    for stage in STAGES:
        assert (stage.__doc__ or "").partition("\n")[0] in told[stage.__name__]


@pytest.mark.parametrize("stage", STAGES)
def test_a_model_shows_what_it_takes_and_reports(stage: type[ForwardModel]) -> None:
    """Every argument with its default and range, every metric with its unit."""
    status, output, _ = run("show", stage.__name__)
    arguments, _, metrics = output.partition("\n metric")
    assert status == 0
    told = rows(arguments)
    for name, knob in stage.knobs().items():
        default = "required" if knob.default is Knob.REQUIRED else str(knob.default)
        assert default in told[name]
        assert str(knob.domain)[:16] in told[name]
    told = rows(metrics)
    for name, metric in stage.metrics().items():
        assert metric.unit in told[name]
    assert rows(run("list", "knobs", stage.__name__)[1]).keys() >= stage.knobs().keys()
    assert rows(run("list", "metrics", stage.__name__)[1]).keys() >= stage.metrics().keys()


def test_all_knobs_are_listed_by_model() -> None:
    """Without a model, those of every one, under its name."""
    output = run("list", "knobs")[1]
    for stage in STAGES:
        assert f"\n{stage.__name__} " in f"\n{output}"


def test_where_a_knob_applies_is_told() -> None:
    """The list says where one has no effect."""
    line = rows(run("list", "knobs", "DistributedModel")[1])["scatter_gather"]
    assert f"Applies {DistributedModel.knobs()['scatter_gather'].applies}." in line


def test_a_misspelt_model_is_answered_with_its_name() -> None:
    """And a kind that no model has with what to write."""
    status, _, errors = run("list", "knobs", "DistributedModle")
    assert (status, "did you mean 'DistributedModel'" in errors) == (2, True)
    status, _, errors = run("list", "accelerators", "DistributedModel")
    assert (status, "write mlsysim list knobs DistributedModel" in errors) == (2, True)


@pytest.mark.parametrize("stage", STAGES)
def test_each_metric_is_told_alone(stage: type[ForwardModel]) -> None:
    """A list shows one metric a line, so no sentence leans on the one above, or serves two."""
    metrics = stage.metrics()
    told = {name: item.text for name, item in metrics.items()}
    assert len(set(told.values())) == len(told)
    leaning = re.compile(r"the next|the same|likewise|^(Of|Quantiles of) |of it\b|^What it\b")
    assert {name: text for name, text in told.items() if leaning.search(text)} == {}
