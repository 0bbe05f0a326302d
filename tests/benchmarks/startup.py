"""What starting costs: imports and the tutorial's search, as ratios to `import pint`."""

import statistics
import subprocess
import sys
from dataclasses import dataclass

_TIMED = "import time; start = time.perf_counter(); {}; print(time.perf_counter() - start)"
_IMPORT_PINT = _TIMED.format("import pint")
_IMPORT_OURS = _TIMED.format("import mlsysim")
_SEARCH = """
import time
import mlsysim
from mlsysim.core.dse import DSE
from mlsysim.core.pipeline import Pipeline
from mlsysim.core.solver import DistributedModel, EconomicsModel
import mlsysim.search.cpsat.engine

model = mlsysim.Models.Language.Llama3_70B
fleet = mlsysim.Systems.Clusters.Frontier_8K

def evaluate(params):
    return Pipeline([DistributedModel(), EconomicsModel()]).run(
        model=model,
        fleet=fleet,
        batch_size=params["batch_size"],
        tp_size=params["tp"],
        pp_size=params["pp"],
        precision="fp16",
        efficiency=0.45,
        duration_days=30,
    )

space = {"batch_size": [16, 32, 64, 128], "tp": [1, 2, 4, 8], "pp": [1, 2, 4]}
dse = DSE(space=space, objective="maximize: DistributedModel.effective_throughput")
start = time.perf_counter()
dse.search(evaluate)
print(time.perf_counter() - start)
"""


@dataclass(frozen=True, kw_only=True)
class Startup:
    """Seconds, each the median of some fresh processes.

    Parameters
    ----------
    import_pint
        The yardstick.
    import_mlsysim
        All that ``import mlsysim`` loads.
    tutorial_search
        The first search of a process, on the tutorial's 48 designs, after imports.
    """

    import_pint: float
    import_mlsysim: float
    tutorial_search: float

    @property
    def ratios(self) -> dict[str, float]:
        """Each time as a multiple of ``import pint``."""
        return {
            "import mlsysim": self.import_mlsysim / self.import_pint,
            "tutorial search": self.tutorial_search / self.import_pint,
        }


def measure_startup(repeats: int) -> Startup:
    """Measure in fresh processes, taking turns so that noise meets all alike.

    Parameters
    ----------
    repeats
        How often.
    """
    times: dict[str, list[float]] = {_IMPORT_PINT: [], _IMPORT_OURS: [], _SEARCH: []}
    for turn in range(repeats + 1):
        for program, found in times.items():
            seconds = _run(program)
            if turn:  # the first turn fills the caches of the file system
                found.append(seconds)
    pint, ours, search = (statistics.median(found) for found in times.values())
    return Startup(import_pint=pint, import_mlsysim=ours, tutorial_search=search)


def _run(program: str) -> float:
    command = [sys.executable, "-c", program]
    run = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
    return float(run.stdout)
