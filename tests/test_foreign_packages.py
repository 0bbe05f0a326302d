"""An installed package adds stages and machines, and question files name them like ours."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mlsysim.errors import QuestionError
from mlsysim.files.question import load

STAGE = '''
import mlsysim


class CoolingModel(mlsysim.ForwardModel):
    """What it takes to cool the accelerators that a training run uses."""

    def solve(self, *, utilization: float, water: float = 1.5) -> dict[str, object]:
        return {"litres": water * utilization}
'''
EMITTER = """
from mlsysim.launch.frameworks import Framework
from mlsysim.launch.rule import rule


class Emitter:
    framework = Framework(
        name="acme",
        stages=(mlsysim.DistributedModel,),
        rules=(rule("short_pipelines", "acme has one stage", "pp_size == 1"),),
    )

    def write(self, arguments):
        return f"acme --tp {arguments['tp_size']} --zero {arguments['zero_stage']}\\n"


EMITTER = Emitter()
"""
MACHINES = """
[nodes.Acme_Box]
like = "DGX_H100"

[clusters.Acme_512]
node = "Acme_Box"
nodes = 64
fabric = "IB_NDR"
"""
ENTRY_POINTS = """
[mlsysim.stages]
CoolingModel = acme:CoolingModel

[mlsysim.catalogues]
acme = acme:CATALOG

[mlsysim.emitters]
acme = acme:EMITTER
"""
QUESTION = """
question = "How much water?"
objective = "minimize: CoolingModel.litres"

[pipeline]
stages = ["DistributedModel", "STAGE"]

[fixed]
model = "Llama3_8B"
fleet = "FLEET"
batch_size = 512
tp_size = 8

[space]
pp_size = [1, 2]
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """Give a folder in which the package `acme` is installed."""
    package, metadata = tmp_path / "acme", tmp_path / "acme-1.0.dist-info"
    package.mkdir()
    metadata.mkdir()
    catalog = "\nfrom pathlib import Path\nCATALOG = Path(__file__).with_name('machines.toml')\n"
    (package / "__init__.py").write_text(STAGE + catalog + EMITTER)
    (package / "machines.toml").write_text(MACHINES)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(ENTRY_POINTS)
    return tmp_path


def run(site: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Call the command line where the package is installed."""
    environment = {**os.environ, "PYTHONPATH": str(site)}
    command = [sys.executable, "-m", "mlsysim", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)  # noqa: S603


def test_registered_stage_and_cluster_answer_a_question(site: Path) -> None:
    """Both are found by their plain names."""
    file = site / "water.toml"
    file.write_text(QUESTION.replace("STAGE", "CoolingModel").replace("FLEET", "Acme_512"))
    done = run(site, "solve", str(file))
    assert done.returncode == 0, done.stderr
    assert "OPTIMAL (proven): minimize: CoolingModel.litres" in done.stdout


def test_registered_machines_are_listed_and_shown(site: Path) -> None:
    """They stand beside ours."""
    assert "Acme_512" in run(site, "list", "clusters").stdout
    assert run(site, "show", "Acme_Box").returncode == 0


def test_registered_framework_judges_and_is_told_designs(site: Path) -> None:
    """What it cannot run is infeasible, and the design is told with every default."""
    file = site / "water.toml"
    file.write_text(QUESTION.replace("STAGE", "CoolingModel").replace("FLEET", "Acme_512"))
    answer = run(site, "solve", str(file), "--for", "acme")
    assert "pp_size=1" in answer.stdout, answer.stderr
    told = run(site, "solve", str(file), "--for", "acme", "--emit", "acme")
    assert told.stdout.splitlines()[1] == "acme --tp 8 --zero 1", told.stderr
    unknown = run(site, "solve", str(file), "--emit", "acmee")
    assert unknown.returncode == 2
    assert "known: megatron, torchtitan, deepspeed, axolotl, vllm, sglang, acme" in unknown.stderr


def test_unregistered_stage_is_named_by_its_module(tmp_path: Path) -> None:
    """A module beside the question file will do, written module:Class."""
    (tmp_path / "my_cooling.py").write_text(STAGE)
    file = tmp_path / "water.toml"
    text = QUESTION.replace("STAGE", "my_cooling:CoolingModel").replace("FLEET", "Lab_64_H100")
    file.write_text(text)
    answer = load(file).solve()
    assert answer.status == "OPTIMAL"


@pytest.mark.parametrize(
    ("stage", "told"),
    [
        ("CoolingModell", "no model is called 'CoolingModell'"),
        ("nowhere:CoolingModel", "the module 'nowhere' cannot be imported"),
        ("my_stage:Coolingmodel", "did you mean 'CoolingModel'?"),
        (":CoolingModel", "names no module; write 'module:Class'"),
    ],
)
def test_wrong_names_of_stages_are_told(tmp_path: Path, stage: str, told: str) -> None:
    """Each error names the file and the key, and the cure."""
    (tmp_path / "my_stage.py").write_text(STAGE)
    file = tmp_path / "water.toml"
    file.write_text(QUESTION.replace("STAGE", stage).replace("FLEET", "Lab_64_H100"))
    with pytest.raises(QuestionError) as caught:
        load(file)
    assert told in str(caught.value)
    assert f"{file}: pipeline.stages" in str(caught.value)


def test_registered_stage_that_cannot_be_imported_is_told(site: Path) -> None:
    """The message names the stage, and what its package lacks."""
    (site / "acme" / "__init__.py").write_text("import not_installed_anywhere\n")
    file = site / "water.toml"
    file.write_text(QUESTION.replace("STAGE", "CoolingModel").replace("FLEET", "Lab_64_H100"))
    done = run(site, "solve", str(file))
    assert done.returncode == 2
    assert "not_installed_anywhere" in done.stderr
    assert "Traceback" not in done.stderr
