"""Take each configuration file in with DeepSpeed's own reader, as one of its replicas would."""

import json
import sys
import tempfile
from importlib import import_module
from pathlib import Path
from typing import Any

runtime: Any = import_module("deepspeed.runtime.config")


class Replicas:
    """What DeepSpeed asks of the launcher."""

    def __init__(self, data: int) -> None:
        self.data = data

    def get_data_parallel_world_size(self) -> int:
        """Tell how many replicas there are."""
        return self.data


distributed: Any = import_module("deepspeed.comm")
distributed.get_rank = lambda: 0  # no processes are started
runtime.dist = distributed
for text, data in json.loads(sys.stdin.read()):
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "deepspeed.json"
        file.write_text(text, encoding="utf-8")
        taken = runtime.DeepSpeedConfig(str(file), mpu=Replicas(data))
    if taken.world_size != data or taken.train_batch_size < 1:
        sys.exit(f"world_size: {taken.world_size}")
