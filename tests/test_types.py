"""A user's own file, checked strictly, sees the types of what it calls."""

import ast
import re
from pathlib import Path

import pytest

import mlsysim

api = pytest.importorskip("mypy.api")

ROOT = Path(__file__).parents[1]
USER = """
import mlsysim
from mlsysim import DistributedModel, ServingModel

LANGUAGE, SYSTEMS = mlsysim.Models.Language, mlsysim.Systems

run = DistributedModel().solve(
    model=LANGUAGE.Llama3_70B, fleet=SYSTEMS.Clusters.Frontier_8K, batch_size=128, tp_size=8
)
reveal_type(run)
reveal_type(run.step_latency_total.m_as("ms"))
reveal_type(run.data_parallel_size)
reveal_type(run.feasible)
reveal_type(SYSTEMS.Accelerators.H100_SXM)
reveal_type(mlsysim.load("question.toml"))
reveal_type(mlsysim.load("question.toml").solve().status)
reveal_type(mlsysim.load("question.toml").solve().best_result)
reveal_type(mlsysim.DSE({"x": [1, 2]}, "maximize: x").search(lambda _: run).best_result)
DistributedModel().solve(
    model=LANGUAGE.Llama3_70B, fleet=SYSTEMS.Clusters.Frontier_8K, batch_size=128, tp_siz=8
)
DistributedModel().solve(LANGUAGE.Llama3_70B, SYSTEMS.Clusters.Frontier_8K, 8, tp_size="8")
DistributedModel().solve(LANGUAGE.Llama3_70B, SYSTEMS.Clusters.Frontier_8K)
mlsysim.DSE({"x": [1, 2]}, "maximize: x").search(dict, topp=3)
mlsysim.DSE({"x": [1, 2]}, "maximize: x").explain(dict, timelimit=3)
mlsysim.load("question.toml").solve(timelimit=3)
mlsysim.load("question.toml").pareto(worker=3)
"""
REVEALED = [
    "DistributedResult",
    "float",
    "int",
    "bool",
    "Accelerator",
    "Question",
    "Status",
    "PipelineResult",
    "DistributedResult",
]
WRONG = ["tp_siz", "topp", "timelimit", "timelimit", "worker"]


def test_a_strict_file_gets_real_types(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it is handed has a type, and a misspelt keyword is an error of types."""
    file = tmp_path / "planner.py"
    file.write_text(USER, encoding="utf-8")
    monkeypatch.chdir(ROOT)  # the configuration and the cache of the project's own check
    told, _, _ = api.run(["--strict", str(file)])
    revealed = re.findall(r'Revealed type is "([^"]*)"', told)
    assert [name.rpartition(".")[2] for name in revealed] == REVEALED, told
    assert re.findall(r'Unexpected keyword argument "(\w+)"', told) == WRONG, told
    assert '"tp_size" to "solve" of "DistributedModel" has incompatible type "str"' in told
    assert 'Missing positional argument "batch_size"' in told


def test_every_public_name_has_a_type() -> None:
    """What is loaded on first touch is imported for type checkers by the same name."""
    tree = ast.parse(Path(mlsysim.__file__).read_text(encoding="utf-8"))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    typed = {alias.asname for node in imports for alias in node.names}
    assert set(mlsysim.__all__) <= typed
