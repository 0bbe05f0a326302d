"""Take each configuration file in with Axolotl's own schema, beside the data that it asks for."""

import json
import sys
from importlib import import_module
from typing import Any

yaml: Any = import_module("yaml")
schema: Any = import_module("axolotl.utils.schemas.config")

if __name__ == "__main__":
    for text in json.load(sys.stdin):
        told = yaml.safe_load(text)
        added = {"datasets": [{"path": "mine", "type": "alpaca"}], "learning_rate": 1e-4}
        taken = schema.AxolotlInputConfig(**{**told, **added})
        assert taken.micro_batch_size == told["micro_batch_size"]
