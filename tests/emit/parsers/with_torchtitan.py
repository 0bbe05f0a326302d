"""Take the words of each launch in with torchtitan's own parser and configurations."""

import itertools
import json
import sys
from importlib import import_module

manager = import_module("torchtitan.config.manager").ConfigManager
# Its own asks for an accelerator with float8 before any option is read.
UNBUILT = {"llama3_405b"}
for words in json.loads(sys.stdin.read()):
    own = ["llama3", "llama3_8b"] if {"MODULE", *UNBUILT} & {*words} else [words[1], words[3]]
    taken = manager().parse_args(["--module", own[0], "--config", own[1], *words[4:]])
    given = dict(itertools.pairwise(words))
    found = taken.parallelism.tensor_parallel_degree
    if found != int(given["--parallelism.tensor-parallel-degree"]):
        sys.exit(f"tensor_parallel_degree: {found}")
