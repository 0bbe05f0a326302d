"""A report as data: for JSON, by the schema in ``assets/report.schema.json``, and as CSV."""

import json
from typing import TYPE_CHECKING, Any

from mlsysim.printable import csv_text
from mlsysim.report.markup import asset
from mlsysim.report.records import ReportedDesign
from mlsysim.results.breakdowns import Breakdown
from mlsysim.results.jsonable import jsonable

if TYPE_CHECKING:
    from mlsysim.report.report import Report

FORMAT = "mlsysim-report-1"
"""The name of the form; it changes when a key goes or changes its meaning."""


def schema() -> dict[str, Any]:
    """Give the JSON schema that every report in JSON follows."""
    found: dict[str, Any] = json.loads(asset("report.schema.json"))
    return found


def as_data(report: "Report") -> dict[str, Any]:
    """Give a report as data that JSON can hold: the result's own keys, and what explains it."""
    explained: dict[str, Any] = {}
    if report.explanation is not None:
        told = report.explanation
        explained = {
            "solves": told.solves,
            "seconds": told.seconds,
            "result": told.result.to_dict(),
        }
    return {
        "format": FORMAT,
        "verdict": report.verdict,
        "question": report.question,
        "source": report.source,
        **report.answer,
        "accuracy": list(report.accuracy),
        "evidence": [dict(item) for item in report.evidence],
        "inert": list(report.inert),
        "prices": [item.to_dict() for item in report.prices],
        "launched": [item.to_dict() for item in report.launched],
        "designs": [_design(item) for item in report.designs],
        "requirements": [item.to_dict() for item in report.requirements],
        **explained,
        "reasons": dict(report.reasons),
        "versions": dict(report.versions),
    }


def as_csv(report: "Report") -> str:
    """Write the designs as plain numbers; where nothing fits, what would have to give."""
    return csv_text(_design_rows(report) if report.designs else _relaxation_rows(report))


def _design_rows(report: "Report") -> list[list[Any]]:
    first = report.designs[0]
    header = ["rank", *first.params]
    header += [_heading(item.name, item.unit) for item in first.measures]
    header += [
        _heading(f"{whole.name}: {part.name}", whole.unit)
        for whole in first.breakdowns
        for part in whole.parts
    ]
    rows = []
    for rank, item in enumerate(report.designs, 1):
        choices = [jsonable(value) for value in item.params.values()]
        measures = [measure.value for measure in item.measures]
        parts = [part.value for whole in item.breakdowns for part in whole.parts]
        rows.append([rank, *choices, *measures, *parts])
    return [header, *rows]


def _relaxation_rows(report: "Report") -> list[list[Any]]:
    rows: list[list[Any]] = [["requirement", "reason", "limit", "best_reachable", "unit"]]
    reasons = {item.name: item.reason for item in report.conflict}
    rows += [
        [item.name, reasons.get(item.name, ""), item.limit, item.value, item.unit]
        for item in report.relaxations
    ]
    return rows


def _heading(name: str, unit: str) -> str:
    return f"{name} [{unit}]" if unit else name


def _design(item: ReportedDesign) -> dict[str, Any]:
    return {
        "params": jsonable(item.params),
        "measures": [
            {
                "name": measure.name,
                "value": jsonable(measure.value),
                "unit": measure.unit,
                "better": None if measure.sense is None else measure.sense.value,
                "change": jsonable(measure.change),
                "interval": None if measure.interval is None else measure.interval.to_dict(),
            }
            for measure in item.measures
        ],
        "breakdowns": [_breakdown(whole) for whole in item.breakdowns],
        "arithmetic": list(item.arithmetic),
        "bottlenecks": list(item.bottlenecks),
        "intervals": {path: found.to_dict() for path, found in item.intervals.items()},
        "at_risk": list(item.at_risk),
        "pools": [pool.to_dict() for pool in item.pools],
    }


def _breakdown(whole: Breakdown) -> dict[str, Any]:
    return {
        "name": whole.name,
        "unit": whole.unit,
        "total": jsonable(whole.total),
        "capacity": jsonable(whole.capacity),
        "parts": [{"name": part.name, "value": jsonable(part.value)} for part in whole.parts],
    }
