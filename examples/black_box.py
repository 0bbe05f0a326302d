"""A black-box evaluator: code that cannot be traced, evaluated at every design, in parallel.

    python examples/black_box.py map.png

The evaluator below simulates a queue request by request.  No formula says what
comes out, so that every design is simulated, on all cores, and the result says so.
Needs matplotlib: ``pip install '.[plot]'``.
"""

import random
import sys
import tempfile
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

import mlsysim
from mlsysim.core.dse import DSE
from mlsysim.results import SearchResult

SPACE = {"servers": range(1, 13), "batch": [1, 2, 4, 8, 16, 32]}
REQUESTS = 400
PER_SECOND = 20.0


def simulate(params: Mapping[str, Any]) -> dict[str, Any]:
    """Let requests come at random; a free server takes as many as wait, up to its batch."""
    chance = random.Random(1)  # noqa: S311 - the same requests for every design
    arrivals = []
    now = 0.0
    for _ in range(REQUESTS):
        now += chance.expovariate(PER_SECOND)
        arrivals.append(now)
    free_at = [0.0] * params["servers"]
    waits: list[float] = []
    while arrivals:
        server = free_at.index(min(free_at))
        start = max(free_at[server], arrivals[0])
        taken = [arrival for arrival in arrivals[: params["batch"]] if arrival <= start]
        arrivals = arrivals[len(taken) :]
        free_at[server] = start + 0.25 + 0.02 * len(taken)
        waits += [free_at[server] - arrival for arrival in taken]
    waits.sort()
    return {
        "slowest_of_100": mlsysim.quantity(waits[len(waits) * 99 // 100], "s"),
        "cost": mlsysim.quantity(2.5 * params["servers"], "USD/hour"),
    }


def draw(result: SearchResult, target: Path) -> None:
    """Draw how long one request in a hundred takes, design by design."""
    figure = Figure(figsize=(7.2, 3.8), layout="constrained")
    axes = figure.subplots()
    for batch in SPACE["batch"]:
        designs = [{"servers": servers, "batch": batch} for servers in SPACE["servers"]]
        slowest = [simulate(design)["slowest_of_100"].m_as("s") for design in designs]
        axes.plot(SPACE["servers"], slowest, marker=".", label=f"batch {batch}")
    best = result.best_params["servers"]
    slowest = result.best_result["slowest_of_100"].m_as("s")
    axes.scatter([best], [slowest], s=160, facecolor="none", edgecolor="C3", linewidth=2)
    axes.axhline(0.6, color="0.6", linestyle=":")
    axes.set_yscale("log")
    axes.set_xlabel("servers")
    axes.set_ylabel("slowest of 100 requests [s]")
    axes.set_title("Fewest servers that answer 99 of 100 requests within 0.6 s")
    axes.legend(ncols=2)
    figure.savefig(target)


def main(target: Path) -> None:
    """Search all designs on all cores."""
    dse = DSE(SPACE, "minimize: cost", {"sla": "slowest_of_100 <= 0.6 s"})
    with ProcessPoolExecutor(2) as pool:
        result = dse.search(simulate, top=3, executor=pool)
    print(result)
    print(f"\nby {result.method}, because {result.statistics.fallback_reason}")
    draw(result, target)
    print(f"\n{target}: drawn")


if __name__ == "__main__":
    default = Path(tempfile.gettempdir()) / "black_box.png"
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else default)
