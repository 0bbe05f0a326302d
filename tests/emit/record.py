"""Record the documented options of a framework, from the framework itself.

Run by hand where the package is installed (no accelerator is needed)::

    python tests/emit/record.py vllm

It writes ``tests/emit/options/vllm.json``, and the tests check what is emitted against the
record, also where the package is not there.  Megatron-LM has no package with its training
options; its record was written by hand from ``megatron/training/arguments.py``.
"""

# ruff: noqa: N806 - the names are those of the frameworks

import argparse
import dataclasses
import json
import re
import sys
from collections.abc import Iterable
from importlib import import_module as load
from importlib.metadata import version
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "options"


def options_of(parser: argparse.ArgumentParser) -> dict[str, Any]:
    """Describe the options of a parser: what each takes, and its choices."""
    found: dict[str, Any] = {}
    for action in parser._actions:
        for name in action.option_strings:
            entry: dict[str, Any] = {"takes": "none" if action.nargs == 0 else "one"}
            if action.nargs in {"+", "*"}:
                entry["takes"] = "many"
            if action.choices is not None:
                entry["choices"] = [str(choice) for choice in action.choices]
            elif action.type in {int, float}:
                entry["type"] = action.type.__name__
            found[name] = entry
    return found


def vllm() -> dict[str, Any]:
    """List the options of ``vllm serve``."""
    platforms: Any = load("vllm.platforms")
    CpuPlatform = load("vllm.platforms.cpu").CpuPlatform

    platforms._current_platform = CpuPlatform()  # none is found without an accelerator
    AsyncEngineArgs = load("vllm.engine.arg_utils").AsyncEngineArgs
    FlexibleArgumentParser = load("vllm.utils.argparse_utils").FlexibleArgumentParser

    return options_of(AsyncEngineArgs.add_cli_args(FlexibleArgumentParser()))


def sglang() -> dict[str, Any]:
    """List the options of ``sglang.launch_server``."""
    ServerArgs = load("sglang.srt.server_args").ServerArgs

    parser = argparse.ArgumentParser()
    ServerArgs.add_cli_args(parser)
    return options_of(parser)


def torchtitan() -> dict[str, Any]:
    """List the options of ``torchtitan.train``, and the configurations that it registers."""
    tyro = load("tyro")
    ConfigManager = load("torchtitan.config.manager").ConfigManager
    custom_registry = load("torchtitan.config.manager").custom_registry
    llama3_8b = load("torchtitan.models.llama3.config_registry").llama3_8b

    ConfigManager()
    default = llama3_8b()
    parser = tyro.extras.get_parser(type(default), default=default, registry=custom_registry)
    words = re.findall(r"activation-checkpoint:[a-z-]+", parser.format_help())
    return {
        **options_of(parser),
        "--module": {"takes": "one"},  # read before the others, by ConfigManager
        "--config": {"takes": "one"},
        **{word: {"takes": "word"} for word in words},
    }


def deepspeed() -> dict[str, Any]:
    """List the keys of the configuration file."""
    AutoEPConfig = load("deepspeed.module_inject.auto_ep_config").AutoEPConfig
    constants = load("deepspeed.runtime.constants")
    DeepSpeedBF16Config = load("deepspeed.runtime.precision_config").DeepSpeedBF16Config
    DeepSpeedFP16Config = load("deepspeed.runtime.precision_config").DeepSpeedFP16Config
    TPTrainingConfig = load("deepspeed.runtime.tensor_parallel.config").TPTrainingConfig
    DeepSpeedZeroConfig = load("deepspeed.runtime.zero.config").DeepSpeedZeroConfig
    Offload = load("deepspeed.runtime.zero.offload_config").DeepSpeedZeroOffloadOptimizerConfig
    Away = load("deepspeed.runtime.zero.offload_config").DeepSpeedZeroOffloadParamConfig

    sections: dict[str, Iterable[str]] = {
        "zero_optimization": DeepSpeedZeroConfig.model_fields,
        "zero_optimization.offload_optimizer": Offload.model_fields,
        "zero_optimization.offload_param": Away.model_fields,
        "tensor_parallel": TPTrainingConfig.model_fields,
        "bf16": DeepSpeedBF16Config.model_fields,
        "fp16": DeepSpeedFP16Config.model_fields,
        "expert_parallel": [field.name for field in dataclasses.fields(AutoEPConfig)],
        "data_types": [constants.GRAD_ACCUM_DTYPE],
    }
    keys = {
        constants.TRAIN_BATCH_SIZE,
        constants.TRAIN_MICRO_BATCH_SIZE_PER_GPU,
        constants.GRADIENT_ACCUMULATION_STEPS,
        constants.COMMUNICATION_DATA_TYPE,
        "sequence_parallel_size",  # read in DeepSpeedConfig.__init__
    }
    keys |= {f"{section}.{name}" for section, names in sections.items() for name in names}
    return {key: {"takes": "one"} for key in sorted(keys)}


def axolotl() -> dict[str, Any]:
    """List the fields of the configuration file, and those of the plugin for Liger's kernels."""
    AxolotlInputConfig = load("axolotl.utils.schemas.config").AxolotlInputConfig
    FSDPConfig = load("axolotl.utils.schemas.fsdp").FSDPConfig
    LigerArgs = load("axolotl.integrations.liger.args").LigerArgs
    keys = {*AxolotlInputConfig.model_fields, *LigerArgs.model_fields}
    keys |= {f"fsdp_config.{name}" for name in FSDPConfig.model_fields}
    return {key: {"takes": "one"} for key in sorted(keys)}


def main() -> None:
    """Record the framework that the command line names."""
    name = sys.argv[1]
    recorders = {
        "vllm": vllm,
        "sglang": sglang,
        "torchtitan": torchtitan,
        "deepspeed": deepspeed,
        "axolotl": axolotl,
    }
    options = recorders[name]()
    about = f"the options of {name} {version(name)}, from its own parser, by tests/emit/record.py"
    lines = [f" {json.dumps(key)}: {json.dumps(options[key])}" for key in sorted(options)]
    head = f'{{"about": {json.dumps(about)},\n"version": {json.dumps(version(name))},\n'
    text = head + '"options": {\n' + ",\n".join(lines) + "\n}}\n"
    (FOLDER / f"{name}.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
