"""The accuracy that a report tells is that of measured runs of the same kind."""

from pathlib import Path
from typing import Any

import pytest
from question_files import MODELS, QUESTIONS

from mlsysim.catalog import Models, Systems
from mlsysim.core import solver
from mlsysim.core.pipeline import Pipeline
from mlsysim.core.solver import ForwardModel
from mlsysim.files.question import load
from mlsysim.report import report_of
from mlsysim.report.accuracy import accuracy_of, classes_for
from mlsysim.stages.error_classes import Quantity, error_classes
from mlsysim.stages.evidence import ADDERS, BASES, FLEETS, Evidence, evidence_of

TUTORIAL = MODELS / "training" / "tutorial.toml"
SERVED: dict[str, Any] = {"batch_size": 8, "input_tokens": 512, "output_tokens": 128}
DENSE, MIXTURE = Models.Language.Llama3_1_8B, Models.Language.Qwen3_30B_A3B
H100, TPU = Systems.Accelerators.H100_SXM, Systems.Accelerators.TPU_v6e


def test_every_model_of_the_package_is_one_of_those_or_adds_up_what_they_predict() -> None:
    """A new model is under the rule at once."""
    models = {
        name
        for name, value in vars(solver).items()
        if isinstance(value, type) and issubclass(value, ForwardModel) and value is not ForwardModel
    }
    assert models == {*FLEETS, *ADDERS}
    assert set(BASES) <= set(FLEETS)
    assert not set(FLEETS) & set(ADDERS)


def served(fleet: Any, model: Any, stage: str = "ServingModel", **more: Any) -> Any:
    """Evaluate one serving design."""
    return Pipeline([getattr(solver, stage)()]).run(model=model, fleet=fleet, **SERVED, **more)


def test_no_measured_run_is_said_where_there_is_none() -> None:
    """No serving run on a TPU was measured, and no training run on MI250X."""
    told = accuracy_of(served(TPU, DENSE))
    assert told == ("ServingModel: no measured run of dense models on TPU_v6e, nor on another TPU",)
    run = Pipeline([solver.DistributedModel()]).run(
        model=DENSE, fleet=Systems.Clusters.Frontier_8K, batch_size=1024, tp_size=8
    )
    hopper = error_classes()["DistributedModel", "Hopper", "dense", Quantity.STEP]
    runs = f"({hopper.rows} runs, {hopper.accelerators['H100_SXM']} on H100_SXM)"
    assert runs in accuracy_of(run)[0]
    on_amd = Evidence(stage="DistributedModel", accelerator="MI250X", family="CDNA", mixture=False)
    assert "MI250X" not in classes_for(on_amd)[Quantity.STEP][1].accelerators


def test_dense_models_and_mixtures_have_errors_of_their_own() -> None:
    """Mixtures are predicted less exactly, and are told so."""
    dense, mixture = accuracy_of(served(H100, DENSE)), accuracy_of(served(H100, MIXTURE))
    assert "dense models on Hopper" in dense[0]
    assert "mixtures of experts on Hopper" in mixture[0]
    assert dense[0].partition("fit: ")[2] != mixture[0].partition("fit: ")[2]


@pytest.mark.parametrize("stage", sorted(BASES))
def test_a_model_inherits_where_it_was_not_measured_itself(stage: str) -> None:
    """On Ampere single batches were measured, and no load."""
    item = Evidence(stage=stage, accelerator="A100_80GB_SXM", family="Ampere", mixture=False)
    assert not any(name[:2] == (stage, "Ampere") for name in error_classes())
    assert {name for name, _ in classes_for(item).values()} == {"ServingModel"}


@pytest.mark.parametrize("path", QUESTIONS, ids=lambda path: str(path.stem))
def test_every_kind_of_question_tells_its_accuracy(path: Path) -> None:
    """Whatever wraps a predicting model, its first design says how exact that is."""
    question = load(path)
    space = question.problem.space
    if "MixedFleetModel" in [stage.name for stage in question.evaluate.pipeline.stages]:
        params = {name: domain.values[-1] for name, domain in space.items()}
    else:
        params = space.point(0)
    told = accuracy_of(question.evaluate(params))
    assert told
    assert all("measured run" in text for text in told)


def test_a_disaggregated_design_tells_of_both_pools() -> None:
    """Prefill on one family, decode on another."""
    result = Pipeline([solver.DisaggregatedModel()]).run(
        model=DENSE,
        prefill_fleet=H100,
        decode_fleet=Systems.Accelerators.A100_80GB_SXM,
        transfer_bandwidth=50,
        **SERVED,
    )
    assert [item.family for item in evidence_of(result)] == ["Hopper", "Ampere"]
    assert accuracy_of(result)[1].startswith("DisaggregatedModel: as ServingModel, median error")


_SERVED = (Quantity.FIRST, Quantity.TOKEN)
CROSSED = """
question = "On which accelerator?"
objective = "minimize: ServingEconomicsModel.cost_per_hour"
[pipeline]
stages = ["ServingModel", "ServingEconomicsModel"]
[fixed]
model = "Llama3_1_8B"
batch_size = 8
input_tokens = 512
output_tokens = 128
rental_price = {{ H100_SXM = {h100}, TPU_v6e = 2.0 }}
[space]
fleet = ["H100_SXM", "TPU_v6e"]
"""


@pytest.mark.parametrize(("price", "told"), [(3.0, True), (1.0, False)])
def test_an_unmeasured_winner_is_told_beside_the_answer(
    tmp_path: Path,
    price: float,
    told: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """Where the TPU wins over H100, which was measured; not where H100 wins."""
    path = tmp_path / "question.toml"
    path.write_text(CROSSED.format(h100=price), encoding="utf-8")
    question = load(path)
    report = report_of(question, question.solve())
    line = "fleet: TPU_v6e won without a measured run behind the prediction, which H100_SXM has"
    assert (line in report.accuracy) is told
    assert (line in report.account) is told
    assert (line in report.to_page()) is told
    hopper = [error_classes()["ServingModel", "Hopper", "dense", one] for one in _SERVED]
    assert report.to_dict()["evidence"][0]["rows_on_accelerator"] == (
        0 if told else sum(one.accelerators["H100_SXM"] for one in hopper)
    )


def test_every_answer_tells_it() -> None:
    """A question answered by a model that was compared with runs says how far off it is."""
    question = load(TUTORIAL)
    report = report_of(question, question.solve())
    found = error_classes()["DistributedModel", "Hopper", "dense", Quantity.STEP]
    text = "DistributedModel: median error on measured runs of dense models"
    for form in (str(report), report.to_text(full=True), report.to_page()):
        assert text in form
        assert f"{100 * found.median:.1f} %, nine in ten within" in form
    data = report.to_dict()
    assert data["accuracy"] == list(report.accuracy)
    assert data["evidence"][0]["rows"] == found.rows
