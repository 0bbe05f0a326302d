"""A name cannot break a line of a launch, or start another command."""

import shlex

import pytest

from mlsysim.catalog import Models, Systems
from mlsysim.emit import emit
from mlsysim.emit.sheet import Launch, Setting
from mlsysim.emit.writing import as_command

HOSTILE = "x\nrm -rf ~ # \x1b[2J; $(reboot) `id` \r\u2028& | > file"


@pytest.mark.parametrize("framework", ["vllm", "sglang", "megatron", "torchtitan", "deepspeed"])
def test_a_hostile_name_stays_in_its_comment(framework: str) -> None:
    """Whatever a record is called, the words of the command are those of one with a plain name."""
    serving = framework in {"vllm", "sglang"}
    texts = []
    for name in ("plain", HOSTILE):
        design = {
            "model": Models.Language.Llama3_8B.replace(name=name, title=name),
            "fleet": Systems.Nodes.DGX_H100.replace(name=name)
            if serving
            else Systems.Clusters.Frontier_8K.replace(name=name),
            "batch_size": 8192 if not serving else 32,
            **({"input_tokens": 1024, "output_tokens": 256} if serving else {"precision": "bf16"}),
        }
        texts.append(emit(framework, design).text)
    plain, hostile = (
        [line for line in text.split("\n") if not line.startswith("#")] for text in texts
    )
    assert plain == hostile
    assert "\x1b" not in texts[1]


def test_values_and_variables_are_one_word_each() -> None:
    """A shell reads back exactly the options that were set."""
    launch = Launch(
        framework=HOSTILE,
        settings=(Setting(name="--name", value=HOSTILE), Setting(name="--on", value=True)),
        remarks=(HOSTILE,),
        environment={"VARIABLE": HOSTILE},
    )
    text = as_command(launch, HOSTILE, ["serve"])
    *head, command = text.split("\nserve ")
    assert shlex.split(command.replace("\\\n", " ")) == ["--name", HOSTILE, "--on"]
    comments = [line for line in head[0].split("\n") if line.startswith("#")]
    assert len(comments) == 2
    exported = head[0].partition("export ")[2]
    assert shlex.split(exported) == [f"VARIABLE={HOSTILE}"]
