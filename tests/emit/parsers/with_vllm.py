"""Take the words of each launch in with vLLM's own parser."""

import itertools
import json
import sys
from importlib import import_module
from typing import Any

platforms: Any = import_module("vllm.platforms")
# None is found without an accelerator, and defaults are asked of it.
platforms._current_platform = import_module("vllm.platforms.cpu").CpuPlatform()
arguments = import_module("vllm.engine.arg_utils").AsyncEngineArgs
parser = import_module("vllm.utils.argparse_utils").FlexibleArgumentParser()
arguments.add_cli_args(parser)
for words in json.loads(sys.stdin.read()):
    taken = arguments.from_cli_args(parser.parse_args(["--model", "MODEL", *words]))
    given = dict(itertools.pairwise(words))
    if taken.tensor_parallel_size != int(given["--tensor-parallel-size"]):
        sys.exit(f"tensor_parallel_size: {taken.tensor_parallel_size}")
