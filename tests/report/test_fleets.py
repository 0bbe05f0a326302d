"""What an answer tells of a mixed fleet: its pools, how long requests wait on each, its rivals."""

import tomllib
from pathlib import Path

import jsonschema
import pytest

from mlsysim.catalog import Models, Systems
from mlsysim.core.pipeline import Pipeline
from mlsysim.core.solver import ServingModel
from mlsysim.files.question import load
from mlsysim.report import Report, report_of, schema
from mlsysim.results.formatting import number
from mlsysim.results.interval import Interval
from mlsysim.units import quantity

MIXED = Path(__file__).parents[2] / "models" / "fleet" / "mixed_three_classes.toml"


@pytest.fixture(scope="module")
def report() -> Report:
    """Answer the question about a mix of six accelerators."""
    question = load(MIXED)
    return report_of(question, question.solve(top=2))


def test_each_class_is_told_how_long_its_requests_wait(report: Report) -> None:
    """On each pool as the serving model alone predicts for that replica and those requests."""
    full = report.to_text(full=True)
    classes = tomllib.loads(MIXED.read_text(encoding="utf-8"))["demand"]
    assert {pool.request_class for pool in report.designs[0].pools} == classes.keys()
    for pool in report.designs[0].pools:
        run = Pipeline([ServingModel()]).run(
            model=Models.Language.Llama3_1_8B,
            fleet=Systems.Accelerators[pool.design.kind],
            **classes[pool.request_class]["fixed"],
            **pool.design.params,
        )
        alone, ends = run["ServingModel"], run.intervals()
        for within, metric in (
            (pool.latency.first_token_within, "time_to_first_token"),
            (pool.latency.per_token_within, "inter_token_latency"),
        ):
            assert within is not None
            end = ends[f"ServingModel.{metric}"]
            known = [quantity(one, end.unit).m_as("s") for one in (end.low, end.high)]
            assert [*within] == pytest.approx(known)
            told = str(Interval(low=1e3 * within[0], high=1e3 * within[1], unit="ms"))
            assert all(told in form for form in (full, report.to_page()))
        assert pool.latency.first_token == pytest.approx(alone.time_to_first_token.m_as("s"))
        assert pool.latency.per_token == pytest.approx(alone.inter_token_latency.m_as("s"))
        for form in (str(report), report.to_page()):
            assert f"{alone.inter_token_latency.m_as('ms'):,.4g} ms" in form
    data = report.to_dict()
    jsonschema.validate(data, schema())
    assert len(data["designs"][0]["pools"]) == len(report.designs[0].pools)


def test_the_pools_add_up_to_the_fleet(report: Report) -> None:
    """Their cost is the objective, their accelerators are what the constraints count."""
    pools = [pool.to_dict() for pool in report.designs[0].pools]
    cost = sum(pool["cost_per_hour"] for pool in pools)
    assert cost == pytest.approx(report.designs[0].measures[0].value)
    for item in report.requirements:
        kind, _, what = item.name.rpartition(" ")
        if what == "available":
            assert item.left == sum(pool["accelerators"] for pool in pools if pool["kind"] == kind)


def test_another_fleet_is_told_by_the_replicas_that_differ(report: Report) -> None:
    """Not by a column for each of dozens of counts."""
    best, other = report.designs
    assert len(best.params) > 20
    last = str(report).splitlines()[-1]
    changed = [name for name in best.params if best.params[name] != other.params[name]]
    assert changed
    for name in changed:
        assert f"{other.params[name] - best.params[name]:+} {name}" in last
    assert last.split()[1] == number(other.measures[0].value)


def test_a_front_of_fleets_names_what_each_holds(tmp_path: Path) -> None:
    """Counts of nothing, of which there are dozens, are told neither as columns nor as shared."""
    file = tmp_path / "front.toml"
    goals = '["minimize: MixedFleetModel.cost_per_hour", "minimize: MixedFleetModel.power"]'
    text = MIXED.read_text(encoding="utf-8").replace(
        "[demand.chat]", f"[pareto]\nobjectives = {goals}\n\n[demand.chat]"
    )
    text = text.replace("{ from = 8, to = 256, step = 8 }", "[64, 256]")
    file.write_text(text.partition("[expected]")[0], encoding="utf-8")
    question = load(file)
    front = report_of(question, question.pareto(time_limit=60))
    assert len(front.designs) > 1
    told = " ".join(front.to_text().split())
    assert "=0" not in told.partition("All points have")[2].partition(".")[0]
    for item in front.designs:
        for name, held in item.params.items():
            if held and any(other.params[name] != held for other in front.designs):
                assert f"{held} {name}" in told
