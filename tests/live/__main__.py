"""How long a moved slider takes to be answered on the live page, in a real browser.

From the root of the repository, with what the tests need and Chromium::

    python -m tests.live
    python -m tests.live models/serving/fast_for_sure.toml contract --moves 20

A slider is moved by the arrow keys, one step at a time; told is the time from each key to the new
verdict with its proof, what of it the search took by its own words, and the seconds of processors
that the page and its process spent, until the front was found as well.  A movement waits for
another one for a moment (`mlsysim.live.tab.PAUSE`), which is counted.  Wall time is stretched by a
busy machine, seconds of processors hardly.
"""

import argparse
import re
import statistics
import sys
import time
from pathlib import Path

# The folder of the tests is where the tests import from, too.
sys.path.insert(0, str(Path(__file__).parents[1]))

import psutil
from live.browsing import ROOT, at_rest, move, served, verdict, wait_for_another

from mlsysim.live.tab import PAUSE

_SERVING = ROOT / "models" / "serving" / "seven_accelerators.toml"
_UNITS = {"ms": 1e-3, "s": 1.0}


def main() -> None:
    """Move a slider, and print how long each answer took."""
    parser = argparse.ArgumentParser(prog="python -m tests.live", description=__doc__)
    parser.add_argument("file", nargs="?", type=Path, default=_SERVING)
    parser.add_argument("slider", nargs="?", default="reading_speed")
    parser.add_argument("--moves", type=int, default=10)
    given = parser.parse_args()
    answered = measured(given.file, given.slider, given.moves)
    waited = [seconds for seconds, _, _ in answered]
    lines = [
        f"{seconds:6.2f} s from the key to the verdict, {searched:.2f} s of it searched; "
        f"{spent:.2f} s of processors, with the front"
        for seconds, searched, spent in answered
    ]
    lines.append(
        f"{given.slider} of {given.file.name}: {min(waited):.2f} to {max(waited):.2f} s, median "
        f"{statistics.median(waited):.2f} s; {PAUSE} s of each wait for a further movement"
    )
    sys.stdout.write("\n".join(lines) + "\n")


def measured(file: Path, name: str, moves: int) -> list[tuple[float, float, float]]:
    """Give the seconds from each movement to its verdict, of the search, and of processors."""
    found = []
    with served(file) as live:
        page = live.tab()
        slider = page.get_by_role("slider", name=f"{name} slider")
        for turn in range(moves):
            before, spent = verdict(page), _spent(live.process.pid)
            began = time.perf_counter()
            move(slider, 1 if turn % 2 else -1)
            wait_for_another(page, before)
            waited = time.perf_counter() - began
            searched = _searched(verdict(page))
            at_rest(page)
            found.append((waited, searched, _spent(live.process.pid) - spent))
        live.end()
    return found


def _spent(root: int) -> float:
    """Give the seconds of processors of a process and of those that it has started."""
    command = psutil.Process(root)
    times = [one.cpu_times() for one in (command, *command.children(recursive=True))]
    return sum(one.user + one.system for one in times)


def _searched(told: str) -> float:
    said = re.search(r"designs in ([\d.]+) (ms|s)\b", told)
    return float(said[1]) * _UNITS[said[2]] if said else float("nan")


if __name__ == "__main__":
    main()
