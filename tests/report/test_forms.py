"""Every form of a report carries the same numbers."""

import csv
import io
import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from report.asked import FOUND, IMPOSSIBLE, machine

from mlsysim.files.question import load
from mlsysim.report import Report, cloud_of, evaluated_report, report_of, schema, why_not_report
from mlsysim.results.formatting import number, with_unit

MODELS = Path(__file__).parents[2] / "models"
COST = MODELS / "fleet" / "nodes_for_a_pace.toml"
FRONT = MODELS / "fleet" / "choice_of_fleet.toml"
STRICT = MODELS / "infeasible" / "step_50ms.toml"
PAGE_LIMIT = 2_000_000


KINDS = {
    "own stage": lambda: report_of(FOUND, FOUND.search(machine, top=4)),
    "impossible": lambda: report_of(IMPOSSIBLE, IMPOSSIBLE.search(machine)),
    "solve": lambda: report_of(load(COST), load(COST).solve()),
    "explain": lambda: report_of(load(COST), load(COST).explain()),
    "pareto": lambda: report_of(load(FRONT), load(FRONT).pareto()),
    "infeasible": lambda: report_of(load(STRICT), load(STRICT).solve()),
    "evaluate": lambda: evaluated_report(load(COST), load(COST).evaluate_at({"tp": "2"})),
    "why not": lambda: why_not_report(load(COST), load(COST).why_not({"tp": "2"})),
}


@cache
def report_about(kind: str) -> Report:
    """Build a report of some kind, once."""
    return KINDS[kind]()


def words(html: str) -> str:
    """Give the text of HTML."""
    plain = re.sub(r"<(style|script).*?</\1>", " ", html, flags=re.DOTALL)
    text = re.sub(r"<[^>]*>", " ", re.sub(r"</?b\b[^>]*>", "", plain))
    for name, sign in (("lt", "<"), ("gt", ">"), ("#x27", "'"), ("quot", '"'), ("amp", "&")):
        text = text.replace(f"&{name};", sign)
    return " ".join(text.split())


def told(report: Report) -> list[str]:
    """List what every form for people has to say, in the digits in which it says it."""
    found = [report.verdict]
    for place, item in enumerate(report.designs):
        found.append(number(item.measures[0].value))
        if place == 0 and not report.is_front:
            for whole in item.breakdowns:
                found.append(with_unit(whole.total, whole.unit))
                found += [with_unit(part.value, whole.unit) for part in whole.parts if part.value]
            found += [*item.arithmetic, *item.bottlenecks]
    for need in report.requirements:
        if need.is_constraint and need.relation is not None:
            found += [with_unit(need.left, need.unit), with_unit(need.right, need.unit)]
    found += [item.text for item in report.relaxations]
    return found + [report.reasons[item.name] for item in report.conflict if item.because]


@pytest.mark.parametrize("kind", KINDS)
def test_text_notebook_and_page_say_the_same(kind: str) -> None:
    """Verdict, designs, parts, limits and reasons are in each of them, in the same digits."""
    report = report_about(kind)
    forms = {
        "text": " ".join(str(report).split()),
        "notebook": words(report._repr_html_()),
        "page": words(report.to_page()),
    }
    for name, form in forms.items():
        for text in told(report):
            assert " ".join(text.split()) in form, name


@pytest.mark.parametrize("kind", KINDS)
def test_json_and_csv_hold_the_numbers_of_the_text(kind: str) -> None:
    """Rounded as for people, the numbers of the data are those of the text."""
    report = report_about(kind)
    data = json.loads(report.to_json())
    rows = list(csv.reader(io.StringIO(report.to_csv())))
    assert data["verdict"] == str(report).splitlines()[0]
    assert len(data["designs"]) == len(report.designs)
    for item, row in zip(data["designs"], rows[1:], strict=bool(report.designs)):
        line = dict(zip(rows[0], row, strict=True))
        for measure in item["measures"]:
            unit = f" [{measure['unit']}]" if measure["unit"] else ""
            assert float(line[f"{measure['name']}{unit}"]) == measure["value"]
        for whole in item["breakdowns"]:
            unit = f" [{whole['unit']}]" if whole["unit"] else ""
            parts = [float(line[f"{whole['name']}: {p['name']}{unit}"]) for p in whole["parts"]]
            assert parts == [part["value"] for part in whole["parts"]]
            assert sum(parts) == pytest.approx(whole["total"])
        assert number(item["measures"][0]["value"]) in str(report)
    if not report.designs:
        assert [row[0] for row in rows[1:]] == data["conflict"]


@pytest.mark.parametrize("kind", KINDS)
def test_json_follows_the_published_schema(kind: str) -> None:
    """What is printed validates, whichever command printed it."""
    jsonschema.Draft202012Validator.check_schema(schema())
    jsonschema.validate(json.loads(report_about(kind).to_json()), schema())


def test_the_schema_is_strict() -> None:
    """A report without its verdict, or with a number in place of a text, does not validate."""
    good: dict[str, Any] = json.loads(report_about("solve").to_json())
    missing = {key: value for key, value in good.items() if key != "verdict"}
    wrong = {**good, "designs": [{**good["designs"][0], "arithmetic": [1]}]}
    for bad in (missing, wrong):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(bad, schema())


def test_the_result_keeps_its_keys_in_json() -> None:
    """Programs that read the result of a search find it unchanged in the report."""
    result = FOUND.search(machine)
    data = report_of(FOUND, result).to_dict()
    for key, value in result.to_dict().items():
        assert data[key] == value, key


@pytest.mark.parametrize("kind", KINDS)
def test_pages_are_small_and_need_no_network(kind: str) -> None:
    """A page weighs under 2 MB and points nowhere outside itself."""
    question = load(FRONT)
    cloud = cloud_of(question.problem, question.evaluate) if kind == "pareto" else None
    page = report_about(kind).to_page(cloud)
    assert len(page.encode()) < PAGE_LIMIT
    assert not re.search(r"\b(src|href)=", page)
    assert re.findall(r"https?://[^\"]*", page.replace("http://www.w3.org/2000/svg", "")) == []


def test_what_a_user_writes_cannot_break_a_page() -> None:
    """Names with the signs of HTML are shown as they are written."""
    dse = type(FOUND)({"x": ["</script><b>", "a&b"]}, "maximize: gain", None)
    report = report_of(dse, dse.search(lambda params: {"gain": len(params["x"])}))
    page = report.to_page()
    assert "</script><b>" not in page
    assert "&lt;/script&gt;&lt;b&gt;" in page
