"""GoodputModel: time and money of a run with failures, alone and in a pipeline."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlsysim.catalog import Models, Systems
from mlsysim.core.dse import DSE
from mlsysim.core.pipeline import Pipeline
from mlsysim.core.solver import DistributedModel, EconomicsModel, GoodputModel
from mlsysim.errors import MetricError, ParameterError, UnitError
from mlsysim.stages.training.goodput_result import GoodputResult
from mlsysim.units import quantity

FLEET = Systems.Clusters.Frontier_8K  # 1,024 nodes of 8 H100
MODEL = Models.Language.Llama3_70B


def solve(**changes: Any) -> GoodputResult:
    """Train 70.55 billion parameters on 1e12 tokens at a million tokens per second."""
    inputs: dict[str, Any] = {
        "model": MODEL,
        "fleet": FLEET,
        "effective_throughput": quantity(1e6, "1/s"),
        "tokens": 1e12,
        "checkpoint_interval": 1000,
        "checkpoint_bandwidth": 0.1,
        "restart_time": 300,
        "accelerator_mtbf": 8192 * 2,
        "node_mtbf": 1024 * 2,
        "accelerator_hour_price": 2.0,
    }
    return GoodputModel().solve(**{**inputs, **changes})


def test_a_run_by_hand() -> None:
    """Failures every hour, checkpoints of a terabyte at a tenth of a terabyte per second."""
    result = solve()
    # 1 / (8192 / 16384 + 1024 / 2048) = 1 h
    assert result.system_mtbf.m_as("hour") == pytest.approx(1.0)
    # 14 * 70,553,706,496 B / (1024 * 1e8 B/s) = 9.6461 s
    write = 14 * MODEL.parameters / (1024 * 1e8)
    assert result.checkpoint_time.m_as("s") == pytest.approx(write)
    # t/M = 1000/3600 = 0.27778; (t + d)/M = 0.280457; e^0.280457 - 1 = 0.323735;
    # 0.27778 / 0.323735 = 0.858041; e^(-300/3600) = 0.920044; the product is 0.789436
    assert result.goodput == pytest.approx(0.789436, abs=1e-5)
    # 1e12 tokens / (1e6 * 0.789436 / s) = 1.26673e6 s = 14.6612 days
    assert result.days_to_train.m_as("day") == pytest.approx(1e6 / 86400 / 0.789436, rel=1e-5)
    assert result.interruptions == pytest.approx(1e6 / 3600 / 0.789436, rel=1e-5)
    # 8192 * 351.87 h * 2 USD/h
    assert result.usd_to_train == pytest.approx(8192 * 1e6 / 3600 / 0.789436 * 2, rel=1e-5)


def test_shares_make_up_the_time() -> None:
    """Kept work, checkpoints and failures are all there is."""
    result = solve()
    # 9.6461 / 1009.6461 = 0.009554
    assert result.lost_to_checkpoints == pytest.approx(0.009554, abs=1e-6)
    total = result.goodput + result.lost_to_checkpoints + result.lost_to_failures
    assert total == pytest.approx(1.0)


def test_a_run_that_never_saves_is_told_to_be_impossible() -> None:
    """Checkpoints a day apart on a machine that fails every hour: none is ever reached."""
    rare = solve(checkpoint_interval=24 * 3600)
    (reason, check), *others = rare.checks.items()
    assert not others
    assert reason == "a checkpoint is reached between failures"
    assert not rare.feasible
    # 300 s to restart, 86,400 s of work, 9.65 s to write; one in a hundred lasts ln(100) hours
    assert check.value.m_as("s") == pytest.approx(300 + 86_400 + 9.6461, abs=0.01)
    assert check.limit.m_as("hour") == pytest.approx(4.60517, abs=1e-5)
    # 16,269 s of work are reached now and then, 16,270 s no longer: 4.60517 * 3600 - 309.65
    assert solve(checkpoint_interval=16_268).feasible
    assert not solve(checkpoint_interval=16_270).feasible
    # Without an interval Daly's is taken; a state that takes four hours to write never is.
    assert solve(checkpoint_interval=None).feasible
    slow = solve(checkpoint_interval=None, checkpoint_bandwidth=0.1 * 9.6461 / (4 * 3600))
    assert not slow.feasible


def test_units_are_understood() -> None:
    """Every amount may be a quantity, and one of another dimension is refused."""
    same = solve(
        restart_time=quantity(5, "min"),
        checkpoint_interval=quantity(1000, "s"),
        accelerator_mtbf=quantity(16384, "hour"),
        accelerator_hour_price=quantity(2, "USD/hour"),
        effective_throughput=1e6,
    )
    assert same == solve()
    with pytest.raises(UnitError, match="restart_time is in GB; it must be in s"):
        solve(restart_time=quantity(5, "GB"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("tokens", 0),
        ("restart_time", -1),
        ("checkpoint_interval", 0),
        ("checkpoint_bandwidth", 0),
        ("accelerator_mtbf", 0),
        ("node_mtbf", -5),
        ("state_bytes_per_parameter", 0),
        ("accelerator_hour_price", 0),
        ("nodes", 1.5),
    ],
)
def test_senseless_values_are_refused(name: str, value: float) -> None:
    """An argument out of range is an error that names it."""
    with pytest.raises(ParameterError, match=name):
        solve(**{name: value})


def test_the_price_is_that_of_the_catalogue_unless_given() -> None:
    """Without a price of either kind there is no sum, rather than one of zero."""
    rented = FLEET.accelerator.rental_price.m_as("USD/hour")
    by_rent, by_hour = solve(accelerator_hour_price=None).usd_to_train, solve().usd_to_train
    assert by_rent is not None
    assert by_hour is not None
    assert by_rent / by_hour == pytest.approx(rented / 2.0)
    free = FLEET.accelerator.replace(name="Free", rental_prices={})
    unpriced = FLEET.replace(name="U", node=FLEET.node.replace(name="N", accelerator=free))
    assert solve(fleet=unpriced, accelerator_hour_price=None).usd_to_train is None
    search = DSE(space={"nodes": [512, 1024]}, objective="minimize: usd_to_train")
    with pytest.raises(MetricError, match="usd_to_train"):
        search.search(lambda p: solve(fleet=unpriced, accelerator_hour_price=None, **p))


@given(st.integers(1, 1023))
def test_fewer_nodes_fail_less_often(nodes: int) -> None:
    """Goodput falls as the machine grows, and the best interval shrinks."""
    few, many = (
        solve(nodes=count, checkpoint_interval=None, checkpoint_bandwidth=0.1 * 1024 / count)
        for count in (nodes, nodes + 1)
    )
    assert few.goodput >= many.goodput
    assert few.checkpoint_interval >= many.checkpoint_interval


def test_economics_bills_the_days_that_it_takes() -> None:
    """In a pipeline the bill covers the days with failures, and tokens cost accordingly."""
    run = Pipeline([DistributedModel(), GoodputModel(), EconomicsModel()]).run(
        model=MODEL, fleet=FLEET, batch_size=1024, tp_size=8, pp_size=4, precision="bf16",
        efficiency=0.45, tokens=1e12,
    )  # fmt: skip
    goodput, bill = run.GoodputModel, run.EconomicsModel
    raw = run.DistributedModel.effective_throughput
    assert goodput.effective_throughput == goodput.goodput * raw
    assert goodput.days_to_train.m_as("s") * goodput.effective_throughput.m_as(
        "1/s"
    ) == pytest.approx(1e12)
    # all tokens, in millions, at their price, are the whole bill
    assert bill.usd_per_million_tokens * 1e6 == pytest.approx(bill.tco_usd)


def test_cp_sat_and_the_reference_agree_on_goodput() -> None:
    """Intervals, machine sizes and storage trace; both ways give one proven answer."""

    def run(params: Any) -> Any:
        return Pipeline([DistributedModel(), GoodputModel()]).run(
            batch_size=1024, tp_size=8, precision="bf16", efficiency=0.45, tokens=1e12, **params,
        )  # fmt: skip

    older = FLEET.replace(name="Older", node=Systems.Nodes.DGX_A100, fabric=Systems.Fabrics.IB_HDR)
    search = DSE(
        space={
            "model": [MODEL, Models.Language.Qwen2_5_72B],
            "fleet": [FLEET, older],
            "nodes": [64, 128, 256, 512, 1024],
            "pp_size": [4, 8],
            "checkpoint_interval": [60, 300, 900, 3600],
            "checkpoint_bandwidth": [0.2, 1.0],
        },
        objective="minimize: GoodputModel.usd_to_train",
        constraints=["GoodputModel.days_to_train <= 30 days"],
    )
    solved = search.search(run, method="cp-sat", workers=1)
    walked = search.search(run, method="exhaustive")
    assert solved.method == "cp-sat"
    assert solved.status == walked.status == "OPTIMAL"
    assert solved.best_objective == pytest.approx(walked.best_objective, rel=1e-9)
    assert solved.best_params == walked.best_params


def test_a_choice_among_fleets_of_which_one_has_no_price() -> None:
    """A question that does not look at the bill is solved by CP-SAT, and answered alike."""
    unpriced = FLEET.replace(name="Unpriced", node=Systems.Nodes.AWS_trn2)
    assert not unpriced.accelerator.has("rental_prices")

    def evaluate(params: dict[str, Any]) -> dict[str, GoodputResult]:
        return {"run": solve(accelerator_hour_price=None, **params)}

    explorer = DSE(
        {"fleet": [FLEET, unpriced], "restart_time": [10.0, 600.0]}, "minimize: run.days_to_train"
    )
    solved = explorer.search(evaluate, method="cp-sat")
    walked = explorer.search(evaluate, method="exhaustive")
    assert solved.best_objective == pytest.approx(walked.best_objective, rel=1e-12)
    assert solve(fleet=unpriced, accelerator_hour_price=None).usd_to_train is None


def saved(**changes: Any) -> float:
    """Give the bytes of a checkpoint of Llama 3 8B in training."""
    arguments: dict[str, Any] = {
        "model": SMALL, "fleet": FLEET, "batch_size": 2048, "tp_size": 2, "precision": "bf16",
    }  # fmt: skip
    size: float = DistributedModel().solve(**arguments | changes).checkpoint_size.m_as("byte")
    return size


SMALL = Models.Language.Llama3_8B
# Of rank 16 beside the queries of each of 32 layers alone: two thin matrices.
ADAPTERS = 32 * 16 * (4096 + 4096)


@pytest.mark.parametrize(
    ("changes", "width"),
    [
        ({}, 2 + 4 + 8),
        ({"sharding": "fsdp"}, 4 + 8),
        ({"precision": "fp32"}, 4 + 8),
        ({"moment_bytes": 2}, 2 + 4 + 4),
        ({"master_weights": False}, 2 + 8),
        ({"optimizer": "sgd"}, 2 + 4),
    ],
)
def test_a_checkpoint_holds_what_the_optimizer_keeps(changes: dict[str, Any], width: float) -> None:
    """Weights, master copies and moments of every parameter; gradients are computed anew."""
    assert saved(**changes) == pytest.approx(width * SMALL.parameters)


def test_a_checkpoint_of_adapters_holds_them_alone() -> None:
    """What they stand beside was there before, and comes through the run unchanged."""
    tuned: dict[str, Any] = {"adapter_rank": 16, "adapter_targets": "attention"}
    count = (
        DistributedModel()
        .solve(model=SMALL, fleet=FLEET, batch_size=2048, tp_size=2, precision="bf16", **tuned)
        .trained_parameters
    )
    assert count > ADAPTERS
    assert saved(**tuned) == pytest.approx(14 * count)
    assert saved(**tuned, base_format="fp8") == pytest.approx(14 * count)


def test_a_checkpoint_holds_frozen_layers_as_weights_alone() -> None:
    """They go with their model, without what an optimizer would keep."""
    everything = saved()
    half = saved(frozen_layers=16)
    layer = (SMALL.parameters - 2 * 128_256 * 4096 - 4096) / 32
    frozen = 16 * layer + 128_256 * 4096
    assert everything - half == pytest.approx(12 * frozen, rel=1e-4)


def test_goodput_saves_what_the_training_keeps() -> None:
    """In a pipeline the checkpoint is that of the design; adapters are saved in no time."""
    pipeline = Pipeline([DistributedModel(), GoodputModel()])
    given_: dict[str, Any] = {
        "model": SMALL, "fleet": FLEET, "batch_size": 2048, "precision": "bf16",
    }  # fmt: skip
    whole = pipeline.run(**given_, tokens=1e12)
    tuned = pipeline.run(**given_, tokens=1e12, adapter_rank=16)
    for result in (whole, tuned):
        write = result["DistributedModel"].checkpoint_size.m_as("GB") / FLEET.nodes
        assert result["GoodputModel"].checkpoint_time.m_as("s") == pytest.approx(write)
    assert tuned["GoodputModel"].checkpoint_time < whole["GoodputModel"].checkpoint_time / 100
    said = pipeline.run(**given_, tokens=1e12, adapter_rank=16, state_bytes_per_parameter=14)
    assert said["GoodputModel"].checkpoint_time == whole["GoodputModel"].checkpoint_time


def test_goodput_alone_takes_the_size_of_a_checkpoint() -> None:
    """A terabyte at a tenth of one per second, unless bytes per parameter are given."""
    assert solve(checkpoint_size=1024).checkpoint_time.m_as("s") == pytest.approx(10)
    given_ = solve(checkpoint_size=1024, state_bytes_per_parameter=14)
    assert given_.checkpoint_time == solve().checkpoint_time
