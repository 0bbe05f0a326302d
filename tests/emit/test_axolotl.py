"""Axolotl's file: only fields that it has, and YAML that says what the settings say."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from launches import TUNER, TUNING, TUNING_DESIGNS

from mlsysim.core.solver import DistributedModel
from mlsysim.emit import emit
from mlsysim.errors import LaunchError

RECORD = Path(__file__).parent / "options" / "axolotl.json"
FIELDS = json.loads(RECORD.read_text(encoding="utf-8"))["options"]
# DeepSpeed reads what is below; bitsandbytes takes the other as its own keywords.
FREE = ("deepspeed.", "bnb_config_kwargs.")


def read(design: dict[str, Any]) -> Any:
    """Emit a design, and read the file as Axolotl would."""
    return yaml.safe_load(emit(TUNER, design).text)


@pytest.mark.parametrize("name", TUNING_DESIGNS)
def test_only_fields_of_the_schema(name: str) -> None:
    """Every key is a field of the recorded schema, and the file is the tree of the settings."""
    found = emit(TUNER, TUNING_DESIGNS[name])
    tree = yaml.safe_load(found.text)
    for setting in found.launches[0].settings:
        field = setting.name if not setting.name.startswith(FREE) else setting.name.split(".")[0]
        assert field in FIELDS
        branch = tree
        for key in setting.name.split("."):
            branch = branch[key]
        assert branch == setting.value


@pytest.mark.parametrize("name", TUNING_DESIGNS)
def test_no_argument_is_dropped(name: str) -> None:
    """What has no counterpart is said; of these designs, nothing has none."""
    found = emit(TUNER, TUNING_DESIGNS[name])
    assert not [text for text in found.launches[0].remarks if text.startswith("no counterpart")]
    assert "no counterpart in" not in found.text
    assert set(DistributedModel.inputs()) >= set(TUNING_DESIGNS[name])


def test_four_bits_by_hand() -> None:
    """QLoRA as the project's own examples write it."""
    told = read(TUNING | {"base_format": "nf4_double", "adapter_dropout": True})
    assert (told["adapter"], told["load_in_4bit"], told["lora_r"]) == ("qlora", True, 16)
    assert told["bnb_config_kwargs"] == {"bnb_4bit_use_double_quant": True}
    assert told["lora_target_linear"] is True
    assert told["lora_dropout"] == 0.05
    assert (told["micro_batch_size"], told["gradient_accumulation_steps"]) == (1, 1)
    assert told["gradient_checkpointing"] is True
    assert told["deepspeed"]["zero_optimization"]["stage"] == 3


def test_frozen_layers_are_named() -> None:
    """Adapters at the upper layers; or these layers, the last norm and the head, unfrozen."""
    some = read(TUNING_DESIGNS["some layers"])
    assert some["peft_layers_to_transform"] == list(range(40, 80))
    assert some["lora_target_modules"] == ["gate_proj", "up_proj", "down_proj"]
    top = read(TUNING_DESIGNS["top layers"])
    assert top["unfrozen_parameters"][:2] == [r"^model\.layers\.78\.", r"^model\.layers\.79\."]
    assert "adapter" not in top


@pytest.mark.parametrize(
    ("change", "cure"),
    [
        ({"pp_size": 2}, "pp_size == 1"),
        ({"recompute": "selective"}, "recompute == 'full'"),
        ({"optimizer": "sgd_momentum"}, "optimizer == 'adamw'"),
        ({"master_weights": False}, "master_weights == true"),
        ({"optimizer": "muon"}, "optimizer != 'muon'"),
    ],
)
def test_what_it_cannot_run_is_refused_with_the_constraint_to_add(
    change: dict[str, Any], cure: str
) -> None:
    """The message names a constraint that makes the design one that it runs."""
    with pytest.raises(LaunchError) as caught:
        emit(TUNER, TUNING | change)
    assert cure in str(caught.value)
