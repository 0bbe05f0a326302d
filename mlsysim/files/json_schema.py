"""The JSON Schema of question files and of plans, for editors and for programs that write them.

It is made of the records that read the file: the tables of `mlsysim.files.schema` and of
`mlsysim.files.plans.schema`, and the arguments of every model that can be named, ours and
registered ones.  What takes a catalogue, a formula or a search to judge is not in it: names of
machines, metrics and their units.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from mlsysim.catalog.cluster import Cluster
from mlsysim.files.fleets import FOUND
from mlsysim.files.plans.schema import (
    BlockTable,
    CalendarTable,
    HoldTable,
    JobTable,
    PlanExpected,
    PlanFile,
    PlanFleetTable,
    SeriesTable,
    SiteTable,
)
from mlsysim.files.plans.series import TIME
from mlsysim.files.schema import (
    ConstraintTable,
    DemandTable,
    Expected,
    FleetTable,
    ParetoTable,
    PipelineTable,
    QuestionFile,
    RangeTable,
)
from mlsysim.files.stage_names import built_in_stages, registered_stages, stage_named
from mlsysim.plans.records.goal import Goal
from mlsysim.problem.constraint import CONFIDENCES
from mlsysim.stages.documentation import described
from mlsysim.stages.domains import Entry
from mlsysim.stages.fleets.mixed_fleet import MixedFleetModel
from mlsysim.stages.knobs import Knob

DRAFT = "https://json-schema.org/draft/2020-12/schema"
_TABLES = (
    RangeTable,
    PipelineTable,
    ConstraintTable,
    FleetTable,
    DemandTable,
    ParetoTable,
    Expected,
    QuestionFile,
)
_SENSE = r"^\s*(maximize|minimize)\s*:\s*\S"
_IMPORTED = {"type": "string", "pattern": "^[^:]+:[^:]+$"}


_TABLES_OF_PLANS = (
    RangeTable,
    PipelineTable,
    ConstraintTable,
    SeriesTable,
    CalendarTable,
    BlockTable,
    PlanFleetTable,
    SiteTable,
    JobTable,
    HoldTable,
    PlanExpected,
    PlanFile,
)


def question_schema() -> dict[str, Any]:
    """Give what a question file may hold.

    A file that names models by ``module:Class`` may hold any argument; of the others every
    argument is checked, by the record of the model that takes it.

    Examples
    --------
    >>> schema = question_schema()
    >>> schema["$defs"]["argument.zero_stage"]["maximum"]
    3
    """
    (_,), defs = msgspec.json.schema_components([QuestionFile], ref_template="#/$defs/{name}")
    for table in _TABLES:
        _describe(defs[table.__name__], table)
    takers = _takers()
    names = [*built_in_stages(), *registered_stages()]
    _tighten(defs, names)
    for name, knobs in takers.items():
        defs[f"argument.{name}"] = _argument(knobs.values())
    return {
        "$schema": DRAFT,
        "title": "A question file of mlsysim",
        **defs.pop("QuestionFile"),
        "if": _pipeline({"stages": {"items": {"enum": names}}}),
        "then": _arguments(takers),
        "$defs": defs,
    }


def plan_schema() -> dict[str, Any]:
    """Give what a plan's file may hold.

    Examples
    --------
    >>> plan_schema()["$defs"]["JobTable"]["properties"]["weight"]["type"]
    'integer'
    """
    (_,), defs = msgspec.json.schema_components([PlanFile], ref_template="#/$defs/{name}")
    for table in _TABLES_OF_PLANS:
        _describe(defs[table.__name__], table)
    takers = _takers()
    names = [*built_in_stages(), *registered_stages()]
    _tighten_tables(defs, names)
    defs["PlanFleetTable"]["properties"]["of"] |= Entry((Cluster,)).schema()
    defs["SeriesTable"]["properties"]["daily"]["propertyNames"] = {"pattern": f"^{TIME}$"}
    plan, job = defs["PlanFile"]["properties"], defs["JobTable"]["properties"]
    for kind in plan["objective"]["anyOf"]:
        kind.get("items", kind)["enum"] = [f"minimize: {goal.value}" for goal in Goal]
    for table in (plan, job):
        _tighten_choices(table["space"])
    for name, knobs in takers.items():
        defs[f"argument.{name}"] = _argument(knobs.values())
    known = _pipeline({"stages": {"items": {"enum": names}}})
    # The fleet of a job is said by other keys.
    taken = [name for name in takers if name != "fleet"]
    own: dict[str, Any] = {"properties": dict(_tables_of_arguments(taken))}
    job_table = defs["JobTable"] | {"if": known, "then": own}
    return {
        "$schema": DRAFT,
        "title": "A plan's file of mlsysim",
        **defs.pop("PlanFile"),
        "if": known,
        "then": own,
        "$defs": defs | {"JobTable": job_table},
    }


def _describe(table: dict[str, Any], record: type[msgspec.Struct]) -> None:
    """Say what each key means, and refuse any other."""
    texts = described(record)
    table["description"] = (record.__doc__ or "").partition("\n")[0]
    table["additionalProperties"] = False
    for field in msgspec.structs.fields(record):
        table["properties"][field.encode_name]["description"] = texts[field.name]
    if hasattr(record, "SHORT"):
        whole = {**table}
        table.clear()
        table |= {"description": whole["description"], "anyOf": [{"type": "string"}, whole]}


def _tighten(defs: dict[str, Any], stages: list[str]) -> None:
    """Add what is checked after the tables are read, and needs no more than the table."""
    question = defs["QuestionFile"]["properties"]
    question["objective"]["pattern"] = _SENSE
    defs["ParetoTable"]["properties"]["objectives"]["items"]["pattern"] = _SENSE
    _tighten_tables(defs, stages)
    demand, fleet = defs["DemandTable"]["properties"], defs["FleetTable"]["properties"]
    demand["rate"]["anyOf"][0]["exclusiveMinimum"] = 0
    demand["utilization"] |= {"exclusiveMinimum": 0, "maximum": 1}
    _tighten_confidence(demand)
    fleet["available"]["anyOf"][0]["minimum"] = 0
    for space in (question["space"], defs["FleetTable"]["properties"]["space"]):
        _tighten_choices(space)


def _tighten_tables(defs: dict[str, Any], stages: list[str]) -> None:
    """Do so with the tables that files of all kinds share."""
    defs["PipelineTable"]["properties"]["stages"] |= {
        "items": {"anyOf": [{"enum": stages}, _IMPORTED]},
        "minItems": 1,
        "uniqueItems": True,
    }
    defs["RangeTable"]["properties"]["step"]["minimum"] = 1
    _, constraint = defs["ConstraintTable"]["anyOf"]
    _tighten_confidence(constraint["properties"])


def _tighten_confidence(properties: dict[str, Any]) -> None:
    least, most = CONFIDENCES
    for kind in properties["confidence"]["anyOf"]:
        if kind["type"] == "number":
            kind |= {"minimum": least, "maximum": most}


def _tighten_choices(space: dict[str, Any]) -> None:
    for kind in space["additionalProperties"]["anyOf"]:
        if kind.get("type") == "array":
            kind |= {"minItems": 1, "uniqueItems": True}


def _takers() -> dict[str, dict[str, Knob]]:
    """List the arguments that there are: name -> model -> what it says of it."""
    found: dict[str, dict[str, Knob]] = {}
    for stage in [*built_in_stages(), *registered_stages()]:
        for name, knob in stage_named(stage, "stage").knobs().items():
            if stage != MixedFleetModel.__name__ or name not in FOUND:
                found.setdefault(name, {})[stage] = knob
    return found


def _argument(knobs: Iterable[Knob]) -> dict[str, Any]:
    """Allow what any of the models takes that have an argument of this name."""
    told = list(knobs)
    kinds: list[dict[str, Any]] = []
    for knob in told:
        if (kind := knob.domain.schema()) not in kinds:
            kinds.append(kind)
    common = kinds[0] if len(kinds) == 1 else {"anyOf": kinds}
    unit = f" Unit: {told[0].unit}." if told[0].unit else ""
    return {"description": f"{told[0].sentence}{unit}", **common}


def _arguments(takers: Mapping[str, Mapping[str, Knob]]) -> dict[str, Any]:
    """Check the arguments of a file all of whose models are known."""
    tables = dict(_tables_of_arguments(takers))
    fixed, space = {"fixed": tables["fixed"]}, {"space": tables["space"]}
    return {
        "properties": {
            **tables,
            "demand": {"additionalProperties": {"properties": fixed}},
            "fleet": {"additionalProperties": {"properties": space}},
        },
        "allOf": [
            {
                "if": {"properties": {"fixed": {"required": [name]}}, "required": ["fixed"]},
                "then": _pipeline({"stages": {"contains": {"enum": [*stages]}}}),
            }
            for name, stages in takers.items()
        ],
    }


def _tables_of_arguments(takers: Iterable[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Check the arguments in the tables that hold them."""
    names = [*takers]
    known = {"enum": names}
    references = {name: {"$ref": f"#/$defs/argument.{name}"} for name in names}
    yield "pipeline", {"properties": {"arguments": {"propertyNames": known}}}
    yield "fixed", {"properties": references, "propertyNames": known}
    yield "space", {"properties": {name: _choice(name) for name in names}}


def _choice(name: str) -> dict[str, Any]:
    return {"if": {"type": "array"}, "then": {"items": {"$ref": f"#/$defs/argument.{name}"}}}


def _pipeline(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {"properties": {"pipeline": {"properties": properties}}}
