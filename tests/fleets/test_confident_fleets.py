"""Fleets that carry their demand although predictions are off, each part by its own class."""

import itertools
from typing import Any

import pytest

from mlsysim.catalog import Models, Systems
from mlsysim.core.solver import MixedFleetModel, ServingModel
from mlsysim.errors import ParameterError, QuestionError
from mlsysim.files.question import load
from mlsysim.files.verification import verify
from mlsysim.fleets.planning import plan_fleet
from mlsysim.fleets.replica_designs import ReplicaKind, RequestClass, replica_designs
from mlsysim.stages.error_classes import Quantity, error_classes
from mlsysim.stages.evidence import evidence_on
from mlsysim.stages.fleets.dominance import undominated
from mlsysim.stages.fleets.mixed_fleet import ReplicaDesign
from mlsysim.units import magnitude

A = Systems.Accelerators
MODEL = Models.Language.Llama3_1_8B
# Nearly alike as predicted; runs on MI300X took up to half as long again, those on H100 did not.
CHEAP = ReplicaDesign(
    name="cheap",
    kind="MI300X",
    accelerators=1,
    rates={"chat": 4.0},
    price=3.4,
    evidence=(evidence_on("ServingModel", A.MI300X, MODEL),),
)
SURE = ReplicaDesign(
    name="sure",
    kind="H100",
    accelerators=1,
    rates={"chat": 4.0},
    price=3.6,
    evidence=(evidence_on("ServingModel", A.H100_SXM, MODEL),),
)
TABLE = [CHEAP, SURE]
DEMAND = {"chat": 30.0}


def worst(design: ReplicaDesign, confidence: float) -> float:
    """Give the rate of a design at its worse end."""
    found = error_classes()["ServingModel", design.evidence[0].family, "dense", Quantity.TOKEN]
    return min(design.rates["chat"] / found.factor(x) for x in (confidence, 1 - confidence))


def cheapest(confidence: float | None) -> float:
    """Find the cheapest fleet by adding up all of them."""
    rates = [one.rates["chat"] if confidence is None else worst(one, confidence) for one in TABLE]
    return min(
        sum(count * one.price for count, one in zip(counts, TABLE, strict=True))
        for counts in itertools.product(range(20), repeat=2)
        if sum(count * rate for count, rate in zip(counts, rates, strict=True)) >= DEMAND["chat"]
    )


@pytest.mark.parametrize("method", ["cp-sat", "reference"])
@pytest.mark.parametrize("confidence", [None, 0.75, 0.9])
def test_the_best_fleet_under_a_margin_is_the_true_one(
    method: str, confidence: float | None
) -> None:
    """It costs what the cheapest of all fleets does that carry the demand at their worse end."""
    plan = plan_fleet(TABLE, DEMAND, confidence=confidence, method=method)
    assert plan.fleet.cost_per_hour.m_as("USD/hour") == pytest.approx(cheapest(confidence))


def test_a_confidence_changes_the_winner_and_says_what_it_costs() -> None:
    """As predicted the cheaper accelerators carry all; of those that are sure fewer more do."""
    plain, sure = plan_fleet(TABLE, DEMAND), plan_fleet(TABLE, DEMAND, confidence=0.9)
    assert set(plain.replicas["chat"]) == {"cheap"}
    assert "sure" in sure.replicas["chat"]
    assert "with 90 % confidence" in str(sure)
    assert "confidence" not in str(plain)
    assert sure.fleet.served["chat"] > plain.fleet.served["chat"]


def test_a_fleet_at_a_level_is_that_of_its_replicas_at_that_level() -> None:
    """A replica answers as many requests as its own model says had everything taken longer."""
    kind = ReplicaKind(
        name="H100",
        fleet=A.H100_SXM,
        price=3.0,
        space={"tp_size": [1], "batch_size": [1, 16, 64]},
    )
    lengths = {"input_tokens": 512, "output_tokens": 128}
    chat = RequestClass(name="chat", rate=100, arguments=lengths)
    table = replica_designs([ServingModel()], [kind], [chat], model=MODEL)
    assert table
    for design, level in itertools.product(table, (0.1, 0.9)):
        stated: dict[str, Any] = {"model": MODEL, "fleet": A.H100_SXM, **lengths, **design.params}
        own = magnitude(ServingModel().at(level).solve(**stated).request_rate, "1/s")
        assert design.at(level).rates["chat"] == pytest.approx(own, rel=1e-6)
        served = MixedFleetModel().at(level).solve(designs=table, replicas={design.pool("chat"): 3})
        assert magnitude(served.served["chat"], "1/s") == pytest.approx(3 * own, rel=1e-6)
        assert served.cost_per_hour.m_as("USD/hour") == pytest.approx(3 * design.price)


def test_of_what_nobody_measured_no_replica_may_be_used() -> None:
    """A design without evidence is cheaper, and no part of a fleet that has to be sure."""
    bare = ReplicaDesign(name="bare", kind="H100", accelerators=1, rates={"chat": 5.0}, price=1.0)
    assert set(plan_fleet([*TABLE, bare], DEMAND).replicas["chat"]) == {"bare"}
    for method in ("cp-sat", "reference"):
        sure = plan_fleet([*TABLE, bare], DEMAND, confidence=0.9, method=method)
        assert sure.fleet.cost_per_hour.m_as("USD/hour") == pytest.approx(cheapest(0.9))
    alone = plan_fleet([bare], DEMAND, confidence=0.9)
    assert not alone.result


def test_designs_are_dominated_at_the_levels_that_count() -> None:
    """Of one kind, what is worse as predicted may be better where all takes longer."""
    slow = ReplicaDesign(
        name="prefills",
        kind="H100",
        accelerators=1,
        rates={"chat": 4.0},
        price=3.6,
        prefill_shares={"chat": 1.0},
        evidence=SURE.evidence,
    )
    fast = ReplicaDesign(
        name="decodes",
        kind="H100",
        accelerators=1,
        rates={"chat": 3.99},
        price=3.6,
        evidence=SURE.evidence,
    )
    assert [one.name for one in undominated([slow, fast])] == ["prefills"]
    assert slow.at(0.9).rates["chat"] < fast.at(0.9).rates["chat"]
    assert len(undominated([slow, fast], [0.9, 0.1])) == 2


def test_a_constraint_of_ones_own_may_be_confident_too() -> None:
    """Beside the demand, of classes and of sums."""
    own: dict[str, Any] = {
        "room": {"require": "MixedFleetModel.served.chat >= 40 / s", "confidence": 0.75}
    }
    limits = {"MI300X": 40, "H100": 40}
    found = [
        plan_fleet(TABLE, DEMAND, limits, constraints=own, method=method).result.best_objective
        for method in ("cp-sat", "reference")
    ]
    assert found[0] == found[1] > plan_fleet(TABLE, DEMAND, limits).result.best_objective
    with pytest.raises(ParameterError, match="did you mean 'chat'"):
        plan_fleet(TABLE, DEMAND, confidence={"chap": 0.9})


def test_a_file_states_the_confidence_of_a_demand(tmp_path: Any) -> None:
    """All methods answer alike, and the fleet is larger than without."""
    text = """
question = "How many?"
source = "A test."
objective = "minimize: MixedFleetModel.cost_per_hour"
[pipeline]
stages = ["ServingModel", "MixedFleetModel"]
[space]
tp_size = [1]
batch_size = [16, 64]
[fixed]
model = "Llama3_1_8B"
[fleet.H100_SXM]
price = 3.0
[fleet.A100_80GB_SXM]
price = 1.5
[demand.chat]
rate = 200
fixed = { input_tokens = 512, output_tokens = 128 }
"""
    file = tmp_path / "fleet.toml"
    costs = []
    for confidence in ("", "confidence = 0.9\n"):
        file.write_text(text + confidence, encoding="utf-8")
        question = load(file)
        found = verify(question, workers=1)
        assert found.agrees
        costs.append(found.result.best_objective)
    assert costs[1] > costs[0]
    file.write_text(f"{text}confidence = 0.99\n", encoding="utf-8")
    with pytest.raises(QuestionError, match=r"demand\.chat\.confidence.*from 0\.5 to 0\.95"):
        load(file)
