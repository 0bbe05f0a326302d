"""The JSON Schema of question files says of a file's structure what the reader says."""

import json
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from stage_designs import STAGES

from mlsysim.core.solver import MixedFleetModel
from mlsysim.files.fleets import FOUND
from mlsysim.files.json_schema import plan_schema, question_schema

ROOT = Path(__file__).parents[2]
PLANS = [
    ROOT / "mlsysim/files/templates/plan.toml",
    *sorted((ROOT / "models/plans").glob("*.toml")),
]
FILES = sorted({*(ROOT / "models").rglob("*.toml")} - {*PLANS})
SCHEMA = question_schema()
CHECK = jsonschema.Draft202012Validator(SCHEMA)
PLAN_CHECK = jsonschema.Draft202012Validator(plan_schema())
GOOD: dict[str, Any] = tomllib.loads((ROOT / "models/training/tutorial.toml").read_text())
FLEET = ROOT / "models/fleet/mixed_three_classes.toml"


def test_the_schema_is_one() -> None:
    """It obeys the schema of schemas, so that a keyword in it cannot be misspelt unseen."""
    CHECK.check_schema(SCHEMA)
    PLAN_CHECK.check_schema(plan_schema())


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_question_of_the_package_is_accepted(file: Path) -> None:
    """Those in models/ are all answered, so none may be refused."""
    CHECK.validate(tomllib.loads(file.read_text(encoding="utf-8")))


@pytest.mark.parametrize("kind", ["training", "serving", "fleet"])
def test_what_new_writes_is_accepted(kind: str) -> None:
    """The templates are questions that can be answered as they stand."""
    template = ROOT / "mlsysim/files/templates" / f"{kind}.toml"
    CHECK.validate(tomllib.loads(template.read_text(encoding="utf-8")))


def test_every_argument_of_every_model_is_described() -> None:
    """Each is in the schema, with its sentence, and an argument out of range is refused."""
    for stage in STAGES:
        for name in set(stage.knobs()) - ({*FOUND} if stage is MixedFleetModel else set()):
            knob = stage.knobs()[name]
            assert SCHEMA["$defs"][f"argument.{name}"]["description"], (stage, name)
            if knob.domain.schema().get("type") in {"integer", "number"}:
                wrong = GOOD | {"pipeline": {"stages": [stage.__name__]}, "fixed": {name: -1}}
                assert not CHECK.is_valid(wrong), (stage, name)


@pytest.mark.parametrize(
    "change",
    [
        {"fixed": GOOD["fixed"] | {"page_tokens": 16}},
        {"fixed": GOOD["fixed"] | {"precision": "fp17"}},
        {"space": GOOD["space"] | {"sequence_parallel": ["yes"]}},
        {"space": GOOD["space"] | {"zero_stage": [0, 4]}},
        {"demand": {"chat": {"rate": 1, "requires": []}}},
    ],
)
def test_wrong_tables_are_refused(change: dict[str, Any]) -> None:
    """An argument that no model of the file takes, a word, a flag, a number, a key."""
    assert CHECK.is_valid(GOOD)
    assert not CHECK.is_valid(GOOD | change)


def plan(file: Path) -> dict[str, Any]:
    """Read a plan as a program does that has no dates: as text."""
    found: dict[str, Any] = json.loads(json.dumps(tomllib.loads(file.read_text()), default=str))
    return found


@pytest.mark.parametrize("file", PLANS, ids=lambda file: file.stem)
def test_every_plan_of_the_package_is_accepted(file: Path) -> None:
    """Those in models/, and the template: all are answered, so none may be refused."""
    PLAN_CHECK.validate(plan(file))


@pytest.mark.parametrize(
    "change",
    [
        {"objective": "maximize: makespan"},
        {"jobs": {"base": {"worl": 1e12}}},
        {"jobs": {"base": {"work": 1e12, "fixed": {"precision": "fp17"}}}},
        {"fleets": {"main": {"calendar": {"night": {"nodes": 1.5}}}}},
        {"space": {"zero_stage": [0, 4]}},
    ],
)
def test_wrong_plans_are_refused(change: dict[str, Any]) -> None:
    """A goal, a key, a word, a number of nodes, a choice out of range."""
    good = plan(PLANS[0])
    assert PLAN_CHECK.is_valid(good)
    assert not PLAN_CHECK.is_valid(good | change)


def test_models_of_others_take_what_they_like() -> None:
    """Of a model that is named by its module nothing is known before it is imported."""
    pipeline = {"stages": ["my_cooling:CoolingModel"]}
    assert CHECK.is_valid(GOOD | {"pipeline": pipeline, "fixed": {"water": {"Mars": 1}}})
