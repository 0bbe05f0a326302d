"""A wrong question file ends with status 2 and one line that names file, key and cure."""

import tomllib
from pathlib import Path

import jsonschema
import pytest
from typer.testing import CliRunner

from mlsysim.cli.app import app
from mlsysim.files.json_schema import question_schema

GOOD = """
question = "Which layout is fastest?"
source = "These tests."
objective = "maximize: DistributedModel.effective_throughput"

[pipeline]
stages = ["DistributedModel", "EconomicsModel"]
arguments = { tp_size = "tp", pp_size = "pp" }

[fixed]
model = "Llama3_70B"
fleet = "Frontier_8K"
precision = "fp16"
efficiency = 0.45
duration_days = 30

[space]
batch_size = [64, 128]
tp = [4, 8]
pp = { from = 1, to = 2 }

[constraints.sla]
require = "DistributedModel.step_latency_total <= 100 s"
because = "A step has to end."
"""

# What is written -> what is written instead, the key that the message names, and the words of
# the cure.
CASES = {
    "a text in place of a list": (
        "objective =",
        'catalog = "ours.toml"\nobjective =',
        "catalog",
        "write catalog = ['ours.toml']",
    ),
    "a key that does not exist": (
        "objective =",
        "objectve =",
        "objectve",
        "did you mean 'objective'",
    ),
    "a missing key": (
        'question = "Which layout is fastest?"',
        "",
        "question",
        "missing",
    ),
    "not TOML": ("[fixed]", "[fixed", "is not TOML", "line 10"),
    "a number in place of text": (
        '"Which layout is fastest?"',
        "7",
        "question",
        "expected text, got a whole number",
    ),
    "an unknown key in a table": ("because", "becuase", "constraints.sla.becuase", "'because'"),
    "a key of another table": (
        "objective =",
        'stages = ["DistributedModel"]\nobjective =',
        "stages",
        "it belongs in [pipeline]",
    ),
    "an argument outside of tables": (
        "objective =",
        "nodes = 40\nobjective =",
        "nodes",
        "belong in [fixed]",
    ),
    "a table under another name": ("[space]", "[choices]", "choices", "known: 'catalog', 'cons"),
    "a metric by a part of its name": (
        "maximize: DistributedModel.effective_throughput",
        "maximize: throughput",
        "objective",
        "did you mean 'DistributedModel.effective_throughput'",
    ),
    "a confidence in percent": (
        "because =",
        "confidence = 90\nbecause =",
        "constraints.sla.confidence",
        "from 0.5 to 0.95",
    ),
    "a confidence in text": (
        "because =",
        'confidence = "90 %"\nbecause =',
        "constraints.sla.confidence",
        "write it without quotes, such as 0.9",
    ),
    "a limit of another dimension": (
        "<= 100 s",
        "<= 100 kWh",
        "constraints.sla.require",
        "(ms with kWh); write the limit in ms",
    ),
    "a list of values that is fixed": (
        "efficiency = 0.45",
        "efficiency = [0.45, 0.5]",
        "fixed.efficiency",
        "to choose from stands in [space]",
    ),
    "an accelerator in place of a cluster": (
        '"Frontier_8K"',
        '"H200_SXM"',
        "fixed.fleet",
        "'H200_SXM' is one accelerator; a cluster in a table is { node = \"DGX_H200\"",
    ),
    "a cluster without a fabric": (
        '"Frontier_8K"',
        '{ node = "DGX_H200", nodes = 4 }',
        "fixed.fleet",
        'fabric is missing; write e.g. fabric = "IB_NDR"',
    ),
    "a cluster with a misspelt key": (
        '"Frontier_8K"',
        '{ node = "DGX_H200", nods = 4, fabric = "IB_NDR" }',
        "fixed.fleet",
        "did you mean 'nodes'",
    ),
    "a cluster without a node": (
        'fleet = "Frontier_8K"',
        "fleet = { nodes = 40 }",
        "fixed.fleet",
        'node is missing; write e.g. node = "DGX_H100"',
    ),
    "a node for a cluster": (
        'fleet = "Frontier_8K"',
        'fleet = "DGX_H200"',
        "fixed.fleet",
        'a cluster in a table is { node = "DGX_H200"',
    ),
    "an accelerator's name, misspelt, for a cluster": (
        'fleet = "Frontier_8K"',
        'fleet = "RTX_4090"',
        "fixed.fleet",
        "GeForce_RTX_4090",
    ),
    "an argument of another model": (
        "efficiency = 0.45",
        "efficiency = 0.45\ntokens = 1e12",
        "fixed.tokens",
        "it is one of GoodputModel",
    ),
    "an argument of no model": (
        "efficiency = 0.45",
        "efficiency = 0.45\nxyzzy = 1",
        "fixed.xyzzy",
        "mlsysim list knobs tells which there are",
    ),
    "an unknown model": (
        '"EconomicsModel"',
        '"EconomicModel"',
        "pipeline.stages",
        "did you mean 'EconomicsModel'",
    ),
    "no model at all": (
        '["DistributedModel", "EconomicsModel"]',
        "[]",
        "pipeline.stages",
        "at least one model",
    ),
    "a model named twice": (
        '"EconomicsModel"',
        '"EconomicsModel", "EconomicsModel"',
        "pipeline.stages",
        "two stages are called 'EconomicsModel'",
    ),
    "a misspelt catalogue entry": (
        '"Llama3_70B"',
        '"Llama3_70b"',
        "fixed.model",
        "did you mean 'Llama3_70B'",
    ),
    "a catalogue entry of the wrong kind": (
        '"Frontier_8K"',
        '"IB_NDR"',
        "fixed.fleet",
        "is of kind Fabric, not Cluster; 'mlsysim list clusters'",
    ),
    "a number in place of a catalogue entry": (
        '"Frontier_8K"',
        "8192",
        "fixed.fleet",
        "mlsysim list",
    ),
    "a misspelt argument": ("efficiency", "eficiency", "fixed.eficiency", "'efficiency'"),
    "an argument out of range": ("0.45", "1.45", "fixed.efficiency", "1.45"),
    "a choice out of range": ("[64, 128]", "[64, -8]", "space.batch_size", "at the design"),
    "a choice that is no option": (
        "[space]",
        '[space]\nrecompute = ["none", "ful"]',
        "space.recompute",
        "did you mean 'full'",
    ),
    "a missing argument": ("batch_size = [64, 128]", "", "fixed.batch_size", "missing"),
    "an argument that is a choice as well": (
        "efficiency = 0.45",
        "efficiency = 0.45\ntp_size = 8",
        "fixed.tp_size",
        "space.tp",
    ),
    "a choice that no model takes": (
        "batch_size =",
        "batchsize =",
        "space.batchsize",
        "'batch_size'",
    ),
    "a choice mapped to nothing": (
        'pp_size = "pp"',
        'pp_size = "ppp"',
        "pipeline.arguments.pp_size",
        "did you mean 'pp'",
    ),
    "an argument that does not exist": (
        "pp_size =",
        "pp_sizes =",
        "pipeline.arguments.pp_sizes",
        "did you mean 'pp_size'",
    ),
    "an expected choice that does not exist": (
        "[constraints.sla]",
        '[expected]\nstatus = "OPTIMAL"\nparameters = { tpp = 8 }\n\n[constraints.sla]',
        "expected.parameters.tpp",
        "did you mean 'tp'",
    ),
    "an objective that is no number": (
        "effective_throughput",
        "effective_throughput / (tp - tp)",
        "the objective DistributedModel.effective_throughput / (tp - tp) is",
        "return a finite number",
    ),
    "a choice without values": ("tp = [4, 8]", "tp = []", "space.tp", "has no values"),
    "a repeated value": ("tp = [4, 8]", "tp = [4, 4]", "space.tp", "4"),
    "a choice of mixed kinds": ("tp = [4, 8]", 'tp = [4, "8"]', "space.tp", "8"),
    "a value that is no list": ("tp = [4, 8]", "tp = 4", "space.tp", "write tp = [4]"),
    "a list in a list": ("tp = [4, 8]", "tp = [4, [8]]", "space.tp[1]", "got a list"),
    "a range that misses its end": (
        "{ from = 1, to = 2 }",
        "{ from = 1, to = 8, step = 3 }",
        "space.pp.to",
        "meet 7 and 10, not 8",
    ),
    "a range that runs backwards": (
        "{ from = 1, to = 2 }",
        "{ from = 2, to = 1 }",
        "space.pp.to",
        "before 2",
    ),
    "a range in steps of nothing": (
        "{ from = 1, to = 2 }",
        "{ from = 1, to = 2, step = 0 }",
        "space.pp.step",
        "positive",
    ),
    "a range with other words": (
        "{ from = 1, to = 2 }",
        "{ start = 1, to = 2 }",
        "space.pp.start",
        "'from'",
    ),
    "an objective without a sense": ("maximize: ", "", "objective", "maximize:"),
    "a misspelt metric": (
        "effective_throughput",
        "effective_thruput",
        "objective",
        "effective_throughput",
    ),
    "a bare number against a unit": (
        "<= 100 s",
        "<= 100",
        "constraints.sla.require",
        "step_latency_total <= 100 ",
    ),
    "a wrong unit": ("<= 100 s", "<= 100 GB", "constraints.sla.require", "GB"),
    "a misspelt unit": ("<= 100 s", "<= 100 secs_", "constraints.sla.require", "secs_"),
    "a wrong relation": ("<= 100 s", "=< 100 s", "constraints.sla.require", "<="),
    "a misspelt metric in a constraint": (
        "step_latency_total",
        "step_latency_totl",
        "constraints.sla.require",
        "step_latency_total",
    ),
    "an expectation that is no status": (
        "[space]",
        '[expected]\nstatus = "OPTMAL"\n[space]',
        "expected.status",
        "did you mean 'OPTIMAL'",
    ),
}


# What is wrong with the meaning of a file, which takes a catalogue, a metric or a sum to see; all
# else is structure, which the JSON Schema refuses as well.
MEANING = {
    "a metric by a part of its name",
    "a limit of another dimension",
    "a node for a cluster",
    "an accelerator in place of a cluster",
    "an accelerator's name, misspelt, for a cluster",
    "a misspelt catalogue entry",
    "a catalogue entry of the wrong kind",
    "a missing argument",
    "an argument that is a choice as well",
    "a choice that no model takes",
    "a choice mapped to nothing",
    "an expected choice that does not exist",
    "an objective that is no number",
    "a choice of mixed kinds",
    "a range that misses its end",
    "a range that runs backwards",
    "a misspelt metric",
    "a bare number against a unit",
    "a wrong unit",
    "a misspelt unit",
    "a wrong relation",
    "a misspelt metric in a constraint",
}
SCHEMA = jsonschema.Draft202012Validator(question_schema())


@pytest.mark.parametrize("case", [case for case in CASES if case != "not TOML"])
def test_the_schema_refuses_what_is_wrong_in_structure(case: str) -> None:
    """Editors see these mistakes while they are made; the others are those that they cannot."""
    written, instead, _, _ = CASES[case]
    assert SCHEMA.is_valid(tomllib.loads(GOOD))
    assert SCHEMA.is_valid(tomllib.loads(GOOD.replace(written, instead))) == (case in MEANING)


@pytest.mark.parametrize("command", ["solve", "explain", "check"])
def test_missing_file(command: str, tmp_path: Path) -> None:
    """A file that does not exist is named, with status 2."""
    outcome = CliRunner().invoke(app, [command, str(tmp_path / "none.toml")])
    assert outcome.exit_code == 2
    assert outcome.stderr.splitlines() == [
        f"mlsysim: error: {tmp_path / 'none.toml'}: cannot be read: No such file or directory"
    ]


@pytest.mark.parametrize(("written", "instead", "key", "cure"), CASES.values(), ids=CASES)
def test_wrong_file(written: str, instead: str, key: str, cure: str, tmp_path: Path) -> None:
    """Each mistake is told in one line, with the file, the key and what would be right."""
    assert written in GOOD
    file = tmp_path / "question.toml"
    file.write_text(GOOD.replace(written, instead), encoding="utf-8")
    outcome = CliRunner().invoke(app, ["solve", str(file)])
    assert outcome.exit_code == 2, outcome.output
    assert outcome.stdout == ""
    (line,) = outcome.stderr.splitlines()
    assert line.startswith(f"mlsysim: error: {file}: {key}")
    assert cure in line


def test_the_file_without_a_mistake_is_answered(tmp_path: Path) -> None:
    """The file that the mistakes are made in is itself right."""
    file = tmp_path / "question.toml"
    file.write_text(GOOD, encoding="utf-8")
    outcome = CliRunner().invoke(app, ["solve", str(file), "--method", "exhaustive"])
    assert outcome.exit_code == 0, outcome.output


@pytest.mark.parametrize(
    ("arguments", "culprit"),
    [
        (["--top", "0"], "top"),
        (["--top", "many"], "top"),
        (["--time-limit", "-1"], "time_limit"),
        (["--workers", "0"], "workers"),
        (["--method", "guess"], "method"),
        (["--fast"], "--fast"),
    ],
)
def test_wrong_option(arguments: list[str], culprit: str, tmp_path: Path) -> None:
    """A wrong option ends with status 2 and is named."""
    file = tmp_path / "question.toml"
    file.write_text(GOOD, encoding="utf-8")
    outcome = CliRunner().invoke(app, ["solve", str(file), *arguments])
    assert outcome.exit_code == 2
    assert culprit in outcome.stderr
