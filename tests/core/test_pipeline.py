"""Pipelines: who takes what from whom, and what is refused before anything runs."""

import copy
import pickle
from typing import Any

import pytest

from mlsysim.catalog import Models, Systems
from mlsysim.core.pipeline import Pipeline
from mlsysim.core.solver import DistributedModel, EconomicsModel, ForwardModel
from mlsysim.errors import ParameterError, PipelineError, UnknownNameError
from mlsysim.stages.stage import View

TUTORIAL: dict[str, Any] = {
    "model": Models.Language.Llama3_70B,
    "fleet": Systems.Clusters.Frontier_8K,
    "batch_size": 128,
    "tp_size": 8,
    "pp_size": 4,
    "precision": "fp16",
    "efficiency": 0.45,
    "duration_days": 30,
}


class Tokens(ForwardModel):
    """A user's own stage: tokens of a period."""

    view = View.MACRO
    produces = ("tokens",)

    def solve(self, *, effective_throughput: Any, duration_days: float) -> dict[str, Any]:
        """Count."""
        return {"tokens": effective_throughput.m_as("1/s") * 86400 * duration_days}


class Forgetful(ForwardModel):
    """Declares what it does not give."""

    produces = ("promise",)

    def solve(self, *, batch_size: int) -> dict[str, int]:
        """Give something else."""
        return {"other": batch_size}


class Recorder:
    """Writes down the stages that end."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, Any]] = []

    def on_stage_end(self, stage_name: str, result: Any) -> None:
        """Write down."""
        self.seen.append((stage_name, result))


def tutorial() -> Pipeline:
    """Make the tutorial's pipeline."""
    return Pipeline([DistributedModel(), EconomicsModel()])


def test_the_tutorials_call() -> None:
    """Results come by stage name; throughput is batch * seq_len / step."""
    result = tutorial().run(**TUTORIAL)
    step = result["DistributedModel"].step_latency_total.m_as("s")
    assert result["DistributedModel"].effective_throughput.m_as("1/s") == pytest.approx(
        128 * 2048 / step
    )
    assert isinstance(result["EconomicsModel"].tco_usd, float)
    assert list(result) == ["DistributedModel", "EconomicsModel"]


def test_a_stage_takes_what_an_earlier_one_produces() -> None:
    """The share of busy time flows from the training model into the energy bill."""
    result = tutorial().run(**TUTORIAL)
    alone = EconomicsModel().solve(
        fleet=TUTORIAL["fleet"],
        duration_days=30,
        utilization=result.DistributedModel.utilization,
    )
    assert result.macro.energy_usd == alone.energy_usd


def test_an_argument_overrides_what_is_produced() -> None:
    """An argument given to run wins over an earlier stage."""
    busy, idle = (tutorial().run(**TUTORIAL, utilization=share) for share in (1.0, 0.0))
    # with 30 % idle power, a busy fleet draws 1/0.3 of an idle one
    assert busy.macro.energy_usd == pytest.approx(idle.macro.energy_usd / 0.3)


def test_views_gather_across_stages() -> None:
    """The views read metrics without naming the stage."""
    result = tutorial().run(**TUTORIAL)
    assert result.performance.step_latency_total is result.DistributedModel.step_latency_total
    assert result.macro.tco_usd == result["EconomicsModel.tco_usd"]
    assert result.feasibility.feasible is True
    assert result.feasibility.EconomicsModel is True
    assert "DistributedModel: memory" in result.feasibility.checks
    assert "tco_usd" in dir(result.macro)


def test_unknown_names_are_refused_with_the_nearest() -> None:
    """Stages and metrics that do not exist raise, with suggestions."""
    result = tutorial().run(**TUTORIAL)
    with pytest.raises(UnknownNameError, match="did you mean 'DistributedModel'"):
        result["DistributedModell"]
    with pytest.raises(UnknownNameError, match="did you mean 'tco_usd'"):
        _ = result.macro.tco_us
    with pytest.raises(UnknownNameError, match=r"'EconomicsModel\.tco': there is no 'tco'"):
        result["EconomicsModel.tco"]
    assert result.get("checks") is None
    assert "Nothing" not in result
    assert "EconomicsModel.tco_usd" in result
    assert "EconomicsModel.tco_eur" not in result


def test_a_users_own_stage_fits_anywhere() -> None:
    """A subclass of ForwardModel takes what is produced, and its dict is gathered too."""
    result = Pipeline([DistributedModel(), Tokens()]).run(**TUTORIAL)
    rate = result.performance.effective_throughput.m_as("1/s")
    assert result.macro.tokens == pytest.approx(rate * 86400 * 30)
    assert result["Tokens"]["tokens"] == result["Tokens.tokens"]


def test_two_stages_with_one_metric_are_told_apart() -> None:
    """A metric that two stages of a view report must be read from one of them."""

    class Other(Tokens):
        """The same metric again."""

    result = Pipeline([DistributedModel(), Tokens(), Other()]).run(**TUTORIAL)
    with pytest.raises(UnknownNameError, match=r"ambiguous; write Tokens\.tokens or Other\.tokens"):
        _ = result.macro.tokens


def test_a_gap_is_refused_before_anything_runs() -> None:
    """A missing input is found before the first stage starts, with the cure."""
    recorder = Recorder()
    pipeline = Pipeline([Tokens(), DistributedModel()])
    pipeline.register_callback(recorder)
    with pytest.raises(PipelineError, match=r"'effective_throughput'.*put DistributedModel before"):
        pipeline.run(**TUTORIAL)
    with pytest.raises(PipelineError, match=r"'duration_days'.*pass duration_days="):
        tutorial().run(**{k: v for k, v in TUTORIAL.items() if k != "duration_days"})
    assert recorder.seen == []


def test_an_argument_that_no_stage_takes_is_refused() -> None:
    """Unknown keyword arguments are errors."""
    with pytest.raises(ParameterError, match=r"'tp'; did you mean 'tp_size'"):
        tutorial().run(**TUTORIAL, tp=8)


def test_an_empty_promise_is_refused() -> None:
    """A stage must give what it declares to produce."""
    with pytest.raises(PipelineError, match="Forgetful declares to produce 'promise'"):
        Pipeline([Forgetful()]).run(batch_size=1)


@pytest.mark.parametrize(
    ("stages", "message"),
    [
        ([], "at least one stage"),
        ([DistributedModel(), DistributedModel()], "two stages are called 'DistributedModel'"),
        ([DistributedModel], r"write DistributedModel\(\)"),
        (["DistributedModel"], "is not a stage"),
    ],
)
def test_malformed_pipelines(stages: list[Any], message: str) -> None:
    """What is not a chain of distinct models is refused with the cure."""
    with pytest.raises(PipelineError, match=message):
        Pipeline(stages)


def test_callbacks_hear_of_every_stage() -> None:
    """Each callback is called once per stage, in order, with the result."""
    recorder, pipeline = Recorder(), tutorial()
    pipeline.register_callback(recorder)
    result = pipeline.run(**TUTORIAL)
    assert recorder.seen == [(name, result[name]) for name in result]
    with pytest.raises(PipelineError, match="on_stage_end"):
        pipeline.register_callback(object())  # type: ignore[arg-type]


def test_explain_shows_the_flow() -> None:
    """The text names what each stage needs, takes from whom, and hands on."""
    text = tutorial().explain()
    assert "needs: model, fleet, batch_size" in text
    assert "utilization (from DistributedModel)" in text
    assert "needs: fleet, duration_days" in text


def test_an_option_is_not_left_to_its_default_by_order() -> None:
    """B16: a bill that stands before the model of its load is refused, not priced at full load."""
    backwards = Pipeline([EconomicsModel(), DistributedModel()])
    with pytest.raises(PipelineError, match=r"takes 'utilization'.*put DistributedModel before it"):
        backwards.run(**TUTORIAL)
    given = backwards.run(**TUTORIAL, utilization=0.4, effective_throughput=1e5)
    assert given["EconomicsModel"].feasible


def test_one_stage_is_no_list() -> None:
    """A stage in place of the list of stages is named with the list to write."""
    with pytest.raises(PipelineError, match=r"write \[DistributedModel\(\)\]"):
        Pipeline(DistributedModel())  # type: ignore[arg-type]


def test_get_gives_the_default() -> None:
    """As of any mapping: whether the stage is missing or its metric."""
    result = tutorial().run(**TUTORIAL)
    assert result.get("DistributedModel.mfu") == result.DistributedModel.mfu
    assert result.get("DistributedModel.mfv", 3) == 3
    assert result.get("SingleNodeModel.mfu", 3) == 3


def test_results_can_be_copied_and_kept() -> None:
    """A result survives a copy and a file."""
    result = tutorial().run(**TUTORIAL)
    kept = pickle.loads(pickle.dumps(copy.deepcopy(result)))  # noqa: S301 - our own bytes
    assert kept.macro.tco_usd == result.macro.tco_usd
