"""Every question of models/ is a CP-SAT model, which a bare solver solves to the same optimum."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ortools.sat.python import cp_model
from question_files import MODELS, QUESTIONS

from mlsysim.errors import ParameterError
from mlsysim.expr.evaluate import BoxReader
from mlsysim.files.question import Question, load
from mlsysim.search.cpsat.compiling import CompiledModel
from mlsysim.search.cpsat.question.question import TracedQuestion as Traced

NAMES = [str(file.relative_to(MODELS)) for file in QUESTIONS]

OPEN = {
    # The layers without experts are counted by a difference that no interval knows to be positive.
    "training/every_knob.toml",
    # Not every fleet has every precision: there is a hole in its tables.
    "serving/chat_on_one_accelerator.toml",
}


@pytest.mark.parametrize("name", NAMES)
def test_objectives_are_finite_over_the_whole_space(name: str) -> None:
    """By interval arithmetic alone, undefined parts included, the objective has two ends."""
    question = load(MODELS / name)
    form = Traced(question.problem, question.evaluate).formulation
    first = {choice: np.zeros(1, np.int64) for choice in form.graph.lengths}
    last = {choice: np.array([length - 1]) for choice, length in form.graph.lengths.items()}
    bounds = BoxReader([metric.node for metric in form.metrics], form.columns).read(first, last)
    finite = all(np.all(np.isfinite(end)) for bound in bounds for end in bound)
    assert finite == (name not in OPEN)


@pytest.mark.parametrize("name", NAMES)
def test_every_question_compiles(name: str) -> None:
    """Every question goes in whole, with a variable per choice and no sum that could overflow."""
    question = load(MODELS / name)
    compiled = question.explorer.compile(question.evaluate)
    assert set(compiled.variables) == set(question.problem.space)
    assert compiled.model.validate() == ""


def compiled_of(question: Question) -> CompiledModel:
    """Compile a question."""
    return question.explorer.compile(question.evaluate)


MOST = 1000
CURVED = "serving/colocated_long_prompts.toml"  # larger, but the one whose curves need pieces
BARE = [
    name
    for name in NAMES
    if not name.startswith("infeasible/") and load(MODELS / name).problem.space.size <= MOST
]
LOOSE = 1e-6
# What a model of the optimum alone may state as its error.
FINE = 1e-3
ONE_WORKER: dict[str, Any] = {"num_workers": 1}
RUNS = [(CURVED, {}), *((name, parameters) for name in BARE for parameters in ({}, ONE_WORKER))]


@pytest.mark.parametrize(("name", "parameters"), RUNS)
def test_a_bare_solver_finds_the_same_optimum(name: str, parameters: dict[str, Any]) -> None:
    """Solved by OR-Tools alone, the model proposes the optimum, and its bound is tight."""
    question = load(MODELS / name)
    compiled = compiled_of(question)
    bare = cp_model.CpSolver()
    for key, value in parameters.items():
        setattr(bare.parameters, key, value)
    assert bare.solve(compiled.model) == cp_model.OPTIMAL
    best = question.solve(method="branch-and-bound").best_objective
    sign = compiled.question.sign
    bound = compiled.objective_bound(bare.best_objective_bound)
    number = compiled.lowered.aim.number
    error = 2 * number.slack / abs(number.unit * bare.objective_value) + 1e-9
    # A relaxation: never worse than the truth, and hardly better.
    assert sign * bound <= sign * best + 1e-9 * abs(best)
    assert sign * bound >= sign * best - LOOSE * abs(best)
    design = compiled.params(bare)
    point = compiled.question.point(
        [list(domain.values).index(design[key]) for key, domain in question.problem.space.items()]
    )
    assert point.is_feasible
    assert point.objective_in(compiled.question.unit) == pytest.approx(best, rel=error)


@pytest.mark.parametrize("name", NAMES)
def test_a_model_of_the_optimum_alone_tells_it(name: str) -> None:
    """Without the designs worse than a known one, a bare solver ends with the optimum at once."""
    question = load(MODELS / name)
    compiled = question.explorer.compile(question.evaluate, optimum_only=True)
    bare = cp_model.CpSolver()
    status = bare.solve(compiled.model)
    best = question.solve(top=1)
    if not best.top_candidates:
        assert (status, compiled.known) == (cp_model.INFEASIBLE, None)
        return
    assert status == cp_model.OPTIMAL
    told = compiled.objective_bound(bare.objective_value)
    near = pytest.approx(best.best_objective, abs=2 * compiled.objective_error, rel=1e-9)
    assert told == near
    params = compiled.params(bare)
    design = [domain.index(params[key]) for key, domain in question.problem.space.items()]
    point = compiled.question.point(design)
    assert point.is_feasible
    assert point.objective_in(compiled.question.unit) == near
    assert compiled.objective_error <= FINE * abs(best.best_objective)
    assert ("worse than one that is known" in compiled.describe()) == (compiled.known is not None)


def test_a_model_of_the_optimum_alone_is_nobodys_part() -> None:
    """Other constraints may need the designs that it leaves out."""
    question = load(MODELS / "training/tutorial.toml")
    with pytest.raises(ParameterError, match="leave out one of the two"):
        question.explorer.compile(question.evaluate, cp_model.CpModel(), optimum_only=True)


FORMULA = re.compile(
    r"^# objective = (\S+) ([*/]) \(the model's objective\), to within (\S+?)(,|$)", re.MULTILINE
)
POSITION = re.compile(r"(\d+) = ([^,\n]+)")
EXPORTED = ["training/tutorial.toml", "fleet/choice_of_fleet.toml", "serving/cheapest_region.toml"]


@pytest.mark.parametrize("name", EXPORTED)
def test_an_exported_model_says_what_its_numbers_are(name: str, tmp_path: Path) -> None:
    """Read back and solved, the file alone tells the optimum to the error that it states."""
    question = load(MODELS / name)
    file = tmp_path / "model.txt"
    compiled_of(question).export(file)
    text = file.read_text(encoding="utf-8")
    model = cp_model.CpModel()
    assert model.proto.parse_text_format(text)
    bare = cp_model.CpSolver()
    assert bare.solve(model) == cp_model.OPTIMAL
    found = FORMULA.search(text)
    assert found is not None
    scale, error = float(found[1]), float(found[3])
    told = scale * bare.objective_value if found[2] == "*" else scale / bare.objective_value
    best = question.solve(top=1)
    assert told == pytest.approx(best.best_objective, abs=2 * error, rel=1e-12)
    assert error < LOOSE * abs(best.best_objective)
    (legend,) = re.findall(r"^# fleet: (.*)$", text, re.MULTILINE) or [""]
    listed = [value for _, value in POSITION.findall(legend)]
    assert listed == [cluster.name for cluster in question.problem.space.get("fleet", [])]
