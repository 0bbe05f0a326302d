"""Question files about mixed fleets: what they mean, and every mistake told with its key."""

import json
import signal
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from question_files import QUESTIONS

from mlsysim.cli.answer import solve_file
from mlsysim.cli.output import Output
from mlsysim.cli.status import ExitStatus
from mlsysim.core import methods
from mlsysim.errors import NoAnswerError, QuestionError
from mlsysim.files.json_schema import question_schema
from mlsysim.files.plans.plan_file import is_plan, load_plan
from mlsysim.files.question import load
from mlsysim.files.verification import verify
from mlsysim.results import ParetoFront
from mlsysim.search.options import Progress, SearchOptions

GOOD = """
question = "Which mix?"
objective = "minimize: MixedFleetModel.cost_per_hour"

[pipeline]
stages = ["ServingModel", "MixedFleetModel"]
arguments = { tp_size = "tp" }

[fixed]
model = "Llama3_8B"
region = "US_Average"

[space]
tp = [1, 2]
batch_size = [8, 64]

[fleet.H100_SXM]
available = 8
price = "3 USD/hour"
because = "One server."

[fleet.old]
of = "A100_80GB_SXM"
price = 1.5
space = { tp = [1], batch_size = { from = 8, to = 32, step = 8 } }

[demand.chat]
rate = "30 1/s"
require = ["ServingModel.inter_token_latency <= 20 ms"]
fixed = { input_tokens = 1024, output_tokens = 256 }
because = "Monday."

[demand.code]
rate = 2
fixed = { input_tokens = 2048, output_tokens = 512 }

[constraints.site]
require = "MixedFleetModel.power <= 20 kW"
because = "One rack."
"""


def write(text: str, tmp_path: Path) -> Path:
    """Write a question file."""
    file = tmp_path / "question.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_counts_constraints_and_reasons_follow(tmp_path: Path) -> None:
    """The choices are counts; demand and availability are constraints with the file's reasons."""
    question = load(write(GOOD, tmp_path))
    assert all(name.split("_on_")[0] in {"chat", "code"} for name in question.problem.space)
    assert {item.name for item in question.problem.constraints} == {
        "demand of chat",
        "demand of code",
        "accelerators of H100_SXM",
        "site",
    }
    assert question.reasons["demand of chat"] == "Monday."
    assert question.reasons["accelerators of H100_SXM"] == "One server."
    designs = {design.name: design for design in question.evaluate.fixed["designs"]}
    olds = [design for design in designs.values() if design.kind == "old"]
    assert olds
    assert all(d.params["tp_size"] == 1 and d.params["batch_size"] <= 32 for d in olds)
    assert all(design.price == 1.5 for design in olds)


def test_the_answer_carries_the_demand(tmp_path: Path) -> None:
    """The best fleet serves both classes within the limits, and knows its carbon."""
    result = load(write(GOOD, tmp_path)).solve(workers=1)
    assert result.status == "OPTIMAL"
    fleet = result.best_result["MixedFleetModel"]
    assert fleet.served["chat"].m_as("1/s") >= 30
    assert fleet.served["code"].m_as("1/s") >= 2
    assert fleet.accelerators["H100_SXM"] <= 8
    assert fleet.power.m_as("kW") <= 20
    assert fleet.carbon_per_hour.m_as("kg/hour") > 0


CASES = {
    "no classes": ("[demand.", "[demands.", "demands: unknown key"),
    "no sum": (', "MixedFleetModel"]', "]", r"pipeline.stages: .*\"MixedFleetModel\""),
    "no model of a replica": ('"ServingModel", ', "", "pipeline.stages: .*ServingModel"),
    "a model that does not exist": (
        '"ServingModel"',
        '"ServeModel"',
        "did you mean 'ServingModel'",
    ),
    "an accelerator that does not exist": (
        '"A100_80GB_SXM"',
        '"A100_80GB_SMX"',
        "fleet.old: .*did you mean 'A100_80GB_SXM'",
    ),
    "a kind that is no accelerator": (
        "[fleet.H100_SXM]",
        "[fleet.H100]",
        "fleet.H100: .*'H100'.*.*or 'H100_SXM'",
    ),
    "a price of another unit": ("3 USD/hour", "3 USD", "fleet.H100_SXM: .*USD/hour"),
    "a misspelt key of a kind": ("available", "availible", "did you mean 'available'"),
    "a fraction of an accelerator": ("available = 8", "available = 8.5", "H100_SXM.available: "),
    "a choice that no model takes": ("batch_size = [8", "batches = [8", "space.batches: no model"),
    "an empty choice": ("tp = [1, 2]", "tp = []", "space.tp: "),
    "a range that misses its end": ("to = 32", "to = 33", "fleet.old.space.batch_size.to: "),
    "a rate of another unit": ("30 1/s", "30 s", "demand.chat: .*1/s"),
    "a rate without its 1": ("30 1/s", "30 /s", "demand.chat.rate: .*write '1/s'"),
    "a rate in a word of trade": ("30 1/s", "30 rps", "demand.chat.rate: .*did you mean '1/s'"),
    "no rate": ("rate = 2", "", "demand.code.rate: missing"),
    "a rate of nothing": ("rate = 2", "rate = 0", "demand.code: code.rate is 0"),
    "an argument that no model takes": (
        "{ input_tokens = 2048",
        "{ input_token = 2048",
        "demand.code.fixed.input_token: .*did you mean 'input_tokens'",
    ),
    "a missing argument": (", output_tokens = 512", "", "demand.code: .*output_tokens"),
    "a misspelt metric": (
        "ServingModel.inter_token_latency",
        "ServingModel.inter_token",
        "demand.chat.require: .*inter_token_latency",
    ),
    "a limit without its unit": ("<= 20 ms", "<= 20", "demand.chat.require: .*20 ms"),
    "a value that the model refuses": ("[8, 64]", "[0, 64]", "demand.chat: batch_size is 0"),
    "a misspelt metric of the sum": ("MixedFleetModel.power", "MixedFleetModel.powr", "'?power"),
    "a fixed argument that nothing takes": ("region =", "regions =", "fixed.regions: .*'region'"),
}


# What takes a catalogue, a metric, a unit or a sum to see; the rest is structure.
MEANING = {
    "an accelerator that does not exist",
    "a kind that is no accelerator",
    "a price of another unit",
    "a choice that no model takes",
    "a range that misses its end",
    "a rate of another unit",
    "a rate without its 1",
    "a rate in a word of trade",
    "a missing argument",
    "a misspelt metric",
    "a limit without its unit",
    "a misspelt metric of the sum",
}
SCHEMA = jsonschema.Draft202012Validator(question_schema())


@pytest.mark.parametrize("case", CASES)
def test_the_schema_refuses_what_is_wrong_in_structure(case: str) -> None:
    """Editors see these mistakes while they are made; the others are those that they cannot."""
    written, instead, _ = CASES[case]
    assert SCHEMA.is_valid(tomllib.loads(GOOD))
    assert SCHEMA.is_valid(tomllib.loads(GOOD.replace(written, instead))) == (case in MEANING)


@pytest.mark.parametrize(("written", "instead", "message"), CASES.values(), ids=CASES)
def test_wrong_file(written: str, instead: str, message: str, tmp_path: Path) -> None:
    """Each mistake is told with the file, the key and what would be right."""
    assert written in GOOD
    file = write(GOOD.replace(written, instead), tmp_path)
    with pytest.raises(QuestionError, match=message) as caught:
        load(file)
    assert str(caught.value).startswith(f"{file}: ")


def test_limits_that_nothing_keeps(tmp_path: Path) -> None:
    """A class without a replica is an answer of every verb: conflict, and the nearest replica."""
    weighed = [f"minimize: MixedFleetModel.{name}" for name in ("power", "replicas")]
    goals = f"[pareto]\nobjectives = {json.dumps(weighed)}\n"
    question = load(write(GOOD.replace("<= 20 ms", "<= 1 us") + goals, tmp_path))
    solved, front = question.solve(), question.pareto()
    explained = question.explain().result
    swept = question.sweep({"site": ["5 kW", "20 kW"]})
    forced = question.why_not({"region": "Quebec"})
    checked = question.solve(certificate=tmp_path / "proof")
    answers = [solved, front, explained, checked, forced.best, forced.found]
    for answer in (*answers, *(point.result for point in swept.points)):
        assert answer.status == "INFEASIBLE"
        assert answer.conflict == ("limit of chat",)
        (nearest,) = answer.relaxations
        assert (nearest.unit, nearest.limit) == ("us", 1)
        assert nearest.value is not None
        assert nearest.value > 1000
    assert solved.objective == "minimize: MixedFleetModel.cost_per_hour"
    assert solved.statistics.grid_size == 4 + 4
    assert "no design of a replica for chat meets every requirement" in str(solved)
    assert "certificate" in str(checked)
    assert not (tmp_path / "proof").exists()


def test_the_nearest_replica_meets_the_limit_that_it_names(tmp_path: Path) -> None:
    """With the limit at what is said to be reachable a fleet exists; below it none does."""
    strict = load(write(GOOD.replace("<= 20 ms", "<= 1 us"), tmp_path)).solve()
    (nearest,) = strict.relaxations
    assert nearest.value is not None
    for factor, status in ((1 + 1e-9, "OPTIMAL"), (1 - 1e-6, "INFEASIBLE")):
        moved = f"<= {factor * nearest.value!r} {nearest.unit}"
        file = write(GOOD.replace("<= 20 ms", moved).replace("30 1/s", "0.1 1/s"), tmp_path)
        assert load(file).solve(workers=1).status == status, moved


@pytest.mark.parametrize("file", QUESTIONS, ids=lambda file: file.stem)
def test_reading_a_file_searches_nothing(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a question needs is searched for when it is asked, under the limits of the answer."""
    asked: list[str] = []
    for verb in ("search", "front", "explain"):
        monkeypatch.setattr(methods, verb, lambda *_given, verb=verb: asked.append(verb))
    read = load_plan if is_plan(file) else load
    read(file)
    assert asked == []


def test_replica_designs_are_searched_for_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two kinds and two classes make four grids: when first asked, and never again."""
    asked: list[SearchOptions] = []
    front = methods.front

    def counted(*given: Any) -> ParetoFront:
        asked.append(given[-1])
        return front(*given)

    monkeypatch.setattr(methods, "front", counted)
    question = load(write(GOOD, tmp_path))
    states: list[Progress] = []
    with ThreadPoolExecutor(1) as executor:
        question.solve(time_limit=60, progress=states.append, executor=executor)
    assert [options.executor for options in asked] == [executor] * 4
    limits = [options.time_limit or 0.0 for options in asked]
    assert limits == sorted(limits, reverse=True)
    assert limits[0] <= 60
    grids = [(state.done, state.total) for state in states if state.what == "replica grids"]
    assert grids == [(0, 4), (1, 4), (2, 4), (3, 4)]
    question.solve(method="exhaustive", time_limit=0.1)
    assert question.problem.space.size > 1
    assert len(asked) == 4


def test_a_time_limit_bounds_the_search_for_designs(tmp_path: Path) -> None:
    """A limit that comes before the designs are known leaves every verb without an answer."""
    question = load(write(GOOD, tmp_path))
    limit = 1e-6
    result = question.solve(time_limit=limit)
    assert (result.status, result.statistics.stopped_by) == ("UNKNOWN", "time limit")
    assert "which replica designs" in str(result)
    assert result.statistics.grid_size == 0
    assert question.explain(time_limit=limit).result.status == "UNKNOWN"
    swept = question.sweep({"site": ["5 kW", "20 kW"]}, time_limit=limit)
    assert {point.result.status for point in swept.points} == {"UNKNOWN"}
    assert question.why_not({"region": "Quebec"}, time_limit=limit).loss is None
    with pytest.raises(NoAnswerError, match="time_limit"):
        question.evaluate_at({"region": "Quebec"}, time_limit=limit)
    assert verify(question, time_limit=limit).failures
    # The next question has time of its own.
    assert question.solve(workers=1).status == "OPTIMAL"


def test_an_interrupt_ends_the_search_for_designs(tmp_path: Path) -> None:
    """Ctrl-C between two grids: the answer says so, and the choices are still not known."""
    question = load(write(GOOD, tmp_path))
    states: list[Progress] = []

    def press(state: Progress) -> None:
        states.append(state)
        if state.done == 1:
            signal.raise_signal(signal.SIGINT)

    # What a shell starts in the background ignores Ctrl-C.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        result = question.solve(progress=press)
    finally:
        signal.signal(signal.SIGINT, before)
    assert (result.status, result.statistics.stopped_by) == ("UNKNOWN", "interrupt")
    assert [state.done for state in states] == [0, 1]
    assert question.solve(workers=1).status == "OPTIMAL"


def test_a_limit_ends_the_command_with_its_status(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The answer says what was cut short, in text and for programs, with status 4."""
    file = write(GOOD, tmp_path)
    output = Output(as_json=True)
    assert solve_file(file, output=output, time_limit=1e-6) == ExitStatus.NO_ANSWER
    assert json.loads(capsys.readouterr().out)["status"] == "UNKNOWN"


def test_choices_named_in_the_file_are_known_when_it_is_asked(tmp_path: Path) -> None:
    """A limit on a pool can be written; one on a pool that there is not is told with its key."""
    named = GOOD + '\n[constraints.trial]\nrequire = "chat_on_H100_SXM_batch64_tp1 <= 1"\n'
    result = load(write(named, tmp_path)).solve(workers=1)
    assert result.best_params["chat_on_H100_SXM_batch64_tp1"] <= 1
    wrong = load(write(named.replace("batch64", "batch65"), tmp_path))
    with pytest.raises(QuestionError, match=r"constraints.trial.require: .*batch65"):
        wrong.solve()


def test_a_replica_of_two_pools_can_be_said(tmp_path: Path) -> None:
    """A kind of accelerators is what both pools of a replica run on."""
    text = GOOD.replace('"ServingModel", ', '"DisaggregatedModel", ')
    text = text.replace("ServingModel.inter", "DisaggregatedModel.inter")
    text = text.replace('tp_size = "tp"', 'decode_tp_size = "tp"')
    text = text.replace('region = "US_Average"', 'transfer_bandwidth = "25 GB/s"')
    result = load(write(text, tmp_path)).solve(workers=1)
    assert result.status == "OPTIMAL"
    used = result.best_result["MixedFleetModel"].accelerators
    assert sum(used.values()) >= 2 * sum(result.best_params.values())
