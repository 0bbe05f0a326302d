"""Take the words of each launch in with SGLang's own parser."""

import argparse
import itertools
import json
import sys
from importlib import import_module

arguments = import_module("sglang.srt.server_args").ServerArgs
parser = argparse.ArgumentParser()
arguments.add_cli_args(parser)
for words in json.loads(sys.stdin.read()):
    taken = parser.parse_args(["--model-path", "MODEL", *words])
    given = dict(itertools.pairwise(words))
    if taken.tp_size != int(given["--tp-size"]):
        sys.exit(f"tp_size: {taken.tp_size}")
