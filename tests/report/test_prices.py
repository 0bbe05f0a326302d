"""Behind every cost stands a price: of which provider, from when, how far to trust it, or given."""

from pathlib import Path
from typing import Any

import jsonschema
import pytest
from question_files import QUESTIONS

from mlsysim.catalog import Infrastructure, Systems
from mlsysim.files.question import load
from mlsysim.report import report_of
from mlsysim.report.data import schema
from mlsysim.stages.economics.prices import prices_behind

QUESTION = """
question = "What does it cost to serve?"
objective = "minimize: ServingEconomicsModel.cost_per_hour"
[pipeline]
stages = ["ServingModel", "ServingEconomicsModel"]
[fixed]
model = "Llama3_1_8B"
batch_size = 8
input_tokens = 512
output_tokens = 128
{fixed}
[space]
fleet = ["H200_SXM"]
"""


def prices(folder: Path, fixed: str) -> Any:
    """Answer a question, and give the report of it with its prices by what they are for."""
    path = folder / "question.toml"
    path.write_text(QUESTION.format(fixed=fixed), encoding="utf-8")
    question = load(path)
    report = report_of(question, question.solve())
    return report, {price.what: price for price in report.prices}


def test_a_rent_of_the_catalogue_names_every_provider(tmp_path: Path) -> None:
    """The median of those that the catalogue holds, each with source, date and confidence."""
    report, found = prices(tmp_path, "")
    rent = found["rent of H200_SXM"]
    assert rent.figures.keys() == Systems.Accelerators.H200_SXM.rental_prices.keys()
    assert rent.value == Systems.Accelerators.H200_SXM.rental_price.m_as("USD/hour")
    assert "OCI 10 (Oracle price list, April 2026, confidence C, a reseller" in rent.text
    assert "SkyPilot catalogue, undated" in rent.text
    for form in (report.to_text(full=True), report.to_page()):
        assert "Prices behind the cost:" in form
        assert "Oracle price list" in form
    data = report.to_dict()
    jsonschema.validate(data, schema())
    assert {item["provider"] for item in data["prices"][0]["figures"]} == rent.figures.keys()


@pytest.mark.parametrize("price", ['"2.5 USD/hour"', "2.5", "{ H200_SXM = 2.5 }"])
def test_a_price_of_the_question_is_called_so(tmp_path: Path, price: str) -> None:
    """One for all, or one for each accelerator by name."""
    _, found = prices(tmp_path, f"rental_price = {price}")
    assert found["rent of H200_SXM"].text == (
        "rent of H200_SXM: 2.5 USD/hour, given in the question"
    )


def test_owned_servers_have_a_purchase_and_electricity(tmp_path: Path) -> None:
    """Of an accelerator alone the rest of the server is a factor, which is said."""
    _, found = prices(tmp_path, 'purchase = "owned"\nregion = "EU_Average"')
    assert list(found) == ["purchase of H200_SXM", "electricity in EU_Average"]
    assert "server_factor" in found["purchase of H200_SXM"].text
    assert "Eurostat nrg_pc_205, second half of 2023" in found["electricity in EU_Average"].text
    _, found = prices(tmp_path, 'purchase = "owned"\nelectricity_price = "0.05 USD/kWh"')
    assert found["electricity in US_Average"].text.endswith("0.05 USD/kWh, given in the question")


COSTS = ("EconomicsModel", "GoodputModel", "ServingEconomicsModel", "MixedFleetModel")


@pytest.mark.parametrize("path", QUESTIONS, ids=lambda path: str(path.stem))
def test_every_question_with_a_cost_tells_its_prices(path: Path) -> None:
    """Whatever the stage that adds up the bill."""
    question = load(path)
    space = question.problem.space
    stages = [stage.name for stage in question.evaluate.pipeline.stages]
    params = space.point(0)
    if "MixedFleetModel" in stages:
        params = {name: domain.values[-1] for name, domain in space.items()}
    found = prices_behind(question.evaluate(params))
    assert bool(found) is bool({*stages} & {*COSTS})
    for price in found:
        assert price.value > 0
        assert price.figures or "given in the question" in price.text


def test_every_price_of_the_catalogue_says_who_states_it() -> None:
    """With a source and a confidence; a date where it is known."""
    priced = 0
    for entry in [*Systems.Accelerators.values(), *Systems.Nodes.values()]:
        for name, figure in entry.figures.items():
            if name.partition(".")[0] in {"unit_price", "rental_prices", "spot_prices"}:
                priced += 1
                assert figure.source, (entry.name, name)
                # A date belongs into its own key, where an answer can show it.
                assert not any(year in figure.note for year in ("2024", "2025", "2026")), name
    for grid in Infrastructure.Grids.values():
        if grid.has("electricity_price"):
            priced += 1
            assert grid.figures["electricity_price"].date, grid.name
    assert priced > 50
