"""A cluster of Dask, two processes on this machine, answers as a single process does."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import executing
import pytest
from distributed import Client, LocalCluster
from typer.testing import CliRunner

from mlsysim.cli.app import app
from mlsysim.core.dse import DSE
from mlsysim.files.question import load
from mlsysim.search.options import Progress

MODELS = Path(__file__).parents[1] / "models"
QUESTION = DSE({"x": range(1, 801), "y": [1, 3]}, "maximize: gain", ["load <= 600"])


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    """Two workers, each a process of its own."""
    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    ) as found:
        yield found


@pytest.fixture(scope="module")
def client(cluster: LocalCluster) -> Iterator[Client]:
    """Whoever asks."""
    with Client(cluster) as found:
        yield found


@pytest.fixture(scope="module")
def alone() -> dict[str, Any]:
    """Give the answer of this process."""
    return told(QUESTION.search(executing.black_box, method="exhaustive"))


def told(answer: Any) -> dict[str, Any]:
    """Give all that an answer says, but how long it took and how it was cut into parts."""
    data = dict(answer.to_dict())
    kept = {"grid_size", "points_evaluated", "feasible_points", "rejected", "stopped_by"}
    data["statistics"] = {name: data["statistics"][name] for name in kept}
    return data


def test_two_workers_answer_as_one_process(client: Client, alone: dict[str, Any]) -> None:
    """Every number of the answer is the same, and the progress is shown on the way."""
    states: list[Progress] = []
    shared = QUESTION.search(
        executing.black_box,
        method="exhaustive",
        executor=client.get_executor(),
        progress=states.append,
    )
    assert told(shared) == alone
    assert "executor_lost" not in shared.statistics.extra
    assert states[-1].done == 1600
    assert any(0 < state.done < 1600 for state in states)


def test_a_worker_killed_in_the_middle_loses_nothing(
    cluster: LocalCluster, client: Client, alone: dict[str, Any]
) -> None:
    """One of the two is killed after a few designs: the same answer, from as many designs."""
    killed: list[int] = []

    def kill(state: Progress) -> None:
        if state.done > 50 and not killed:
            killed.append(cluster.workers[0].pid)
            os.kill(killed[0], signal.SIGKILL)

    shared = QUESTION.search(
        executing.black_box, method="exhaustive", executor=client.get_executor(), progress=kill
    )
    assert len(killed) == 1
    assert told(shared) == alone


def test_a_question_file_crosses_to_the_cluster(client: Client) -> None:
    """CP-SAT here and the reference over there agree about two fleets."""
    question = load(MODELS / "fleet" / "choice_of_fleet.toml")
    comparison = question.cross_check(executor=client.get_executor())
    assert comparison.agrees
    arrays = next(found for found in comparison.answers.values() if found.method == "exhaustive")
    assert arrays.statistics.extra["parts"] > 1


def test_dask_sends_lambdas(client: Client) -> None:
    """What pickle refuses, the cluster's own serializer takes."""
    found = DSE({"x": range(40)}, "maximize: gain").search(
        lambda params: {"gain": 3 * params["x"]},
        method="exhaustive",
        executor=client.get_executor(),
    )
    assert found.best_objective == 117


def run(*arguments: str) -> Any:
    """Run a command that prints JSON."""
    done = CliRunner().invoke(app, [*arguments, "--json"])
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_the_command_line_sweeps_on_a_cluster(client: Client) -> None:
    """`mlsysim sweep --dask` prints the answers that it prints without."""
    file = str(MODELS / "infeasible" / "step_50ms.toml")
    command = ("sweep", file, "--over", "sla=250ms,600ms,2s,50ms")
    shared = run(*command, "--dask", client.scheduler.address)
    alone = run(*command)
    assert len(shared["rungs"]) == 4
    assert timeless(shared) == timeless(alone)


def test_the_command_line_evaluates_on_a_cluster(client: Client) -> None:
    """`mlsysim solve --method exhaustive --dask` says how many parts the cluster evaluated."""
    file = str(MODELS / "training" / "many_layouts.toml")
    printed = run("solve", file, "--method", "exhaustive", "--dask", client.scheduler.address)
    extra = find(printed, "extra")
    assert extra["parts"] > 1


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "nonsense"])
def test_nobody_at_the_address(address: str) -> None:
    """One line says what to start."""
    file = str(MODELS / "training" / "tutorial.toml")
    done = CliRunner().invoke(app, ["solve", file, "--dask", address])
    assert done.exit_code == 2
    assert "start one with 'dask scheduler'" in done.stderr


def timeless(data: Any) -> Any:
    """Leave out of an answer in JSON how it was found, and how long that took."""
    if isinstance(data, dict):
        return {name: timeless(value) for name, value in data.items() if name != "statistics"}
    return [timeless(item) for item in data] if isinstance(data, list) else data


def find(data: Any, key: str) -> Any:
    """Find a key wherever it stands."""
    for name, value in data.items():
        if name == key:
            return value
        if isinstance(value, dict) and (found := find(value, key)) is not None:
            return found
    return None
