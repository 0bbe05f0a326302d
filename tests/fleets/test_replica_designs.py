"""Tables of replica designs, made out of the serving model."""

import pickle
from typing import Any

import pytest

from mlsysim.catalog import Models, Systems
from mlsysim.core.solver import DisaggregatedModel, EconomicsModel, ServingModel
from mlsysim.errors import (
    MetricError,
    MissingFigureError,
    ParameterError,
    UnitError,
)
from mlsysim.fleets.no_replica import NoReplicaError
from mlsysim.fleets.planning import plan_fleet
from mlsysim.fleets.replica_designs import (
    ReplicaKind,
    RequestClass,
    available,
    demand,
    replica_designs,
)
from mlsysim.stages.fleets.mixed_fleet import ReplicaDesign
from mlsysim.units import magnitude

GRID: dict[str, list[Any]] = {
    "tp_size": [1, 2, 4],
    "batch_size": [8, 64, 256],
    "precision": ["bf16", "fp8"],
}
H100 = ReplicaKind(
    name="H100", fleet=Systems.Accelerators.H100_SXM, space=GRID, available=64, price=3.0
)
A100 = ReplicaKind(name="A100", fleet=Systems.Accelerators.A100_80GB_SXM, space=GRID, price=1.5)
LENGTHS: dict[str, Any] = {"input_tokens": 1024, "output_tokens": 256}
CHAT = RequestClass(
    name="chat",
    rate=100,
    arguments=LENGTHS,
    limits=["ServingModel.inter_token_latency <= 20 ms"],
)
BATCH = RequestClass(name="night", rate=50, arguments=LENGTHS, utilization=0.5)


def made(*kinds: ReplicaKind, classes: tuple[RequestClass, ...] = (CHAT,)) -> list[ReplicaDesign]:
    """Make designs for Llama 3 8B."""
    model = Models.Language.Llama3_8B
    return replica_designs([ServingModel()], kinds, classes, model=model)


def test_every_design_is_what_the_serving_model_says() -> None:
    """Rates, accelerators, prices and limits, evaluated again one by one."""
    designs = made(H100, A100)
    assert {design.kind for design in designs} == {"H100", "A100"}
    kinds = {"H100": H100, "A100": A100}
    for design in designs:
        kind = kinds[design.kind]
        report = ServingModel().solve(
            model=Models.Language.Llama3_8B, fleet=kind.fleet, **LENGTHS, **design.params
        )
        assert report.feasible
        assert report.inter_token_latency.m_as("ms") <= 20
        assert design.rates["chat"] == pytest.approx(report.request_rate.m_as("1/s"))
        assert design.accelerators == report.accelerators == design.params["tp_size"]
        assert design.price == design.accelerators * magnitude(kind.price, "")
        # an A100 draws 400 W, an H100 700 W, and a server 1.8 times as much
        watts = 1.8 * {"H100": 700, "A100": 400}[design.kind]
        assert design.watts == pytest.approx(design.accelerators * watts)


def test_no_design_of_the_grid_is_better() -> None:
    """For each number of accelerators there is none that serves more within the limits."""
    best = {design.accelerators: design.rates["chat"] for design in made(H100)}
    for tensor in GRID["tp_size"]:
        rates = [0.0]
        for batch in GRID["batch_size"]:
            for precision in GRID["precision"]:
                report = ServingModel().solve(
                    model=Models.Language.Llama3_8B,
                    fleet=H100.fleet,
                    batch_size=batch,
                    tp_size=tensor,
                    precision=precision,
                    **LENGTHS,
                )
                if report.feasible and report.inter_token_latency.m_as("ms") <= 20:
                    rates.append(report.request_rate.m_as("1/s"))
        reached = max((rate for count, rate in best.items() if count <= tensor), default=0.0)
        assert reached >= max(rates) * (1 - 1e-12)


def test_head_room_is_kept() -> None:
    """A class that plans on half of the rate gets half of it."""
    (full,) = made(H100, classes=(RequestClass(name="night", rate=1, arguments=LENGTHS),))[:1]
    (half,) = made(H100, classes=(BATCH,))[:1]
    assert half.params == full.params
    assert half.rates["night"] == full.rates["night"] / 2


def test_from_the_grid_to_the_plan() -> None:
    """Two kinds and two classes, planned and proven; the A100s have no fp8."""
    classes, kinds = (CHAT, BATCH), (H100, A100)
    designs = made(*kinds, classes=classes)
    assert not any(d.params["precision"] == "fp8" for d in designs if d.kind == "A100")
    assert available(kinds, designs) == {"H100": 64}
    plan = plan_fleet(designs, demand(classes), available(kinds, designs), workers=1)
    assert plan.result.status == "OPTIMAL"
    assert plan.fleet.served["chat"].m_as("1/s") >= 100
    assert plan.fleet.accelerators["H100"] <= 64


def test_limits_that_nothing_keeps_are_named() -> None:
    """No design streams a token in a microsecond: the limit, and the nearest replica."""
    strict = RequestClass(
        name="chat",
        rate=1,
        arguments=LENGTHS,
        limits=["ServingModel.inter_token_latency <= 1 us", "ServingModel.max_concurrency >= 1"],
    )
    with pytest.raises(NoReplicaError, match=r"designs of a replica for chat meets") as caught:
        made(H100, A100, classes=(strict,))
    answer = caught.value.answer
    # A100s have no fp8, which no limit on latency excludes.
    assert answer.conflict == ("limit 1 of chat", "Infeasible")
    nearest = answer.relaxations[0].params
    assert nearest is not None
    assert str(nearest["replica"]).startswith("H100_")
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)  # noqa: S301 - own


def test_replicas_that_do_not_fit_are_named_as_such() -> None:
    """Where the models' own verdicts exclude every replica they are the conflict."""
    small = ReplicaKind(
        name="L4", fleet=Systems.Accelerators.L4, space={"batch_size": [1, 2]}, price=1.0
    )
    with pytest.raises(NoReplicaError, match="memory") as caught:
        replica_designs([ServingModel()], [small], [BATCH], model=Models.Language.Llama3_70B)
    assert caught.value.answer.conflict == ("ServingModel.feasible",)


@pytest.mark.parametrize(
    ("limit", "error", "message"),
    [
        ("ServingModel.inter_token_latency <= 20", UnitError, "20 ms"),
        ("ServingModel.inter_token <= 20 ms", MetricError, "inter_token_latency"),
    ],
)
def test_limits_are_checked(limit: str, error: type[Exception], message: str) -> None:
    """A limit without its unit and a misspelt metric are errors that show what is right."""
    with pytest.raises(error, match=message):
        made(H100, classes=(RequestClass(name="c", rate=1, arguments=LENGTHS, limits=[limit]),))


def test_a_kind_without_a_price_is_an_error() -> None:
    """B16: what nobody prices is never free."""
    nameless = ReplicaKind(name="PCIe", fleet=Systems.Accelerators.A100_80GB_PCIe, space=GRID)
    with pytest.raises(MissingFigureError, match=r"PCIe: no price is known; .*price = "):
        made(nameless)


def test_a_stage_has_to_count_requests() -> None:
    """Only a serving model says how many requests a replica serves."""
    with pytest.raises(ParameterError, match=r"add ServingModel\(\)"):
        replica_designs([EconomicsModel()], [H100], [CHAT])


@pytest.mark.parametrize(
    ("kind", "changes", "message"),
    [
        (RequestClass, {"rate": 0}, "chat.rate is 0"),
        (RequestClass, {"utilization": 1.5}, r"chat.utilization is 1\.5"),
        (RequestClass, {"name": "a chat"}, "'a chat'"),
        (ReplicaKind, {"available": -1}, "H100.available is -1"),
        (ReplicaKind, {"name": "H-100"}, "'H-100'"),
        (ReplicaKind, {"fleet": "H100_SXM"}, "fleet is 'H100_SXM'"),
    ],
)
def test_bad_arguments(kind: type[Any], changes: dict[str, Any], message: str) -> None:
    """Numbers out of range and names that are none are refused."""
    start: dict[str, Any] = {"name": "chat", "rate": 1, "arguments": LENGTHS}
    if kind is ReplicaKind:
        start = {"name": "H100", "fleet": Systems.Accelerators.H100_SXM}
    with pytest.raises(ParameterError, match=message):
        kind(**{**start, **changes})


def test_a_replica_may_be_two_pools_of_a_kind() -> None:
    """Prefill and decode on the same accelerators: what the model of both says of each design."""
    arguments = {**LENGTHS, "model": Models.Language.Llama3_8B, "transfer_bandwidth": 25.0}
    kind = ReplicaKind(
        name="H100",
        fleet=Systems.Accelerators.H100_SXM,
        space={"prefill_replicas": [1, 2], "decode_tp_size": [1, 2], "batch_size": [8, 64]},
        price=3.0,
    )
    chat = RequestClass(name="chat", rate=20, arguments=arguments, limits=[])
    designs = replica_designs([DisaggregatedModel()], [kind], [chat])
    assert len(designs) > 1
    for design in designs:
        report = DisaggregatedModel().solve(
            prefill_fleet=kind.fleet, decode_fleet=kind.fleet, **arguments, **design.params
        )
        assert design.accelerators == report.prefill_accelerators + report.decode_accelerators
        assert design.rates["chat"] == pytest.approx(report.request_rate.m_as("1/s"))
        assert set(design.params) == set(kind.space)
    plan = plan_fleet(designs, demand([chat]), workers=1)
    assert plan.fleet.served["chat"].m_as("1/s") >= 20
