"""Serving fleets in plans: they hold as many nodes as their question needs, on the right fleet."""

from itertools import product
from pathlib import Path

import pytest

import mlsysim
from mlsysim.core.solver import ContinuousBatchingModel
from mlsysim.errors import InfeasibleError, InputError
from mlsysim.files.plans.known_rows import KnownRows
from mlsysim.files.plans.plan_file import load_plan
from mlsysim.files.plans.verification import verify_plan

LIMIT = 0.6
HOLD = f"""
[fleets.old]
of = "Training_1K_A100"
nodes = 12
price = "1 USD/hour"

[holds.chat]
begin = 2027-01-06
end = 2027-01-14
pipeline = {{ stages = ["ContinuousBatchingModel"] }}
fixed = {{ model = "Llama3_70B", request_rate = 20, input_tokens = 1024, output_tokens = 256 }}
space = {{ replicas = {{ from = 1, to = 24 }}, tp_size = [2, 4, 8], batch_size = [16, 64] }}
constraints = {{ wait = "ContinuousBatchingModel.time_to_first_token <= {LIMIT} s" }}
"""


@pytest.fixture
def serving(file: Path) -> Path:
    """Put a serving fleet beside the two runs."""
    file.write_text(file.read_text() + HOLD)
    return file


def fewest(fleet: str, accelerators: int) -> int:
    """Try every design, and give the fewest nodes of one that keeps the limit."""
    stage = ContinuousBatchingModel()
    cluster = getattr(mlsysim.Systems.Clusters, fleet)
    found = []
    for replicas, tensor, batch in product(range(1, 25), (2, 4, 8), (16, 64)):
        told = stage.solve(
            model=mlsysim.Models.Language.Llama3_70B,
            fleet=cluster,
            request_rate=20,
            input_tokens=1024,
            output_tokens=256,
            replicas=replicas,
            tp_size=tensor,
            batch_size=batch,
        )
        if told.feasible and told.time_to_first_token.m_as("s") <= LIMIT:
            found.append(-(-replicas * tensor // accelerators))
    return min(found)


def test_it_holds_the_fewest_nodes_that_keep_its_limits(serving: Path) -> None:
    """One row for each fleet, as trying all designs finds it; the plan takes one of them."""
    plan = load_plan(serving)
    question = plan.prepare(workers=1)
    rows = {row.fleet: row.nodes for row in question.job("chat").rows}
    assert rows == {"lab": fewest("Lab_64_H100", 8), "old": fewest("Training_1K_A100", 8)}
    assert {row.seconds for row in question.job("chat").rows} == {8 * 86400}
    checked = verify_plan(plan, workers=1)
    assert checked.failures == ()
    assert checked.result.schedule is not None
    chat = checked.result.schedule.run("chat")
    assert (chat.begin, chat.end) == (2 * 86400, 10 * 86400)


def test_what_fits_nowhere_is_told_each_time(serving: Path) -> None:
    """Each fleet is named with its reason, also where rows of an earlier search are known."""
    serving.write_text(serving.read_text().replace(f"<= {LIMIT} s", "<= 1 us"))
    plan = load_plan(serving)
    known: KnownRows = {}
    for _ in range(2):
        with pytest.raises(InfeasibleError, match=r"(?s)chat on lab: .*wait.*chat on old: .*wait"):
            plan.prepare(known, workers=1)


def test_it_competes_with_runs_for_its_nodes(serving: Path) -> None:
    """Where it may only be on the small fleet, the runs there take longer or cost more."""
    free = load_plan(serving, {"objective": "minimize: makespan"}).solve(workers=1)
    settings = {
        "objective": "minimize: makespan",
        "holds.chat.fleets": '["lab"]',
        "jobs.one.fleets": '["lab"]',
        "jobs.two.fleets": '["lab"]',
        "holds.chat.begin": "2027-01-04",
    }
    bound = load_plan(serving, settings).solve(workers=1)
    assert bound.schedule is None or bound.values[0] > free.values[0]


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("holds.chat.pipeline", '{ stages = ["DistributedModel"] }', "no model says how many acc"),
        ("holds.chat.fixed.request_rat", "3", "holds.chat: fixed.request_rat: no model takes"),
        ("holds.chat.end", "2027-01-05", "holds.chat.end: has to be after its begin"),
        ("holds.chat.fleets", '["lap"]', "holds.chat.fleets: no fleet is called 'lap'; did"),
        ("holds.chat.nodes", "3", "holds.chat.fleet: missing; say whose nodes it holds"),
    ],
)
def test_what_is_wrong_is_named(serving: Path, key: str, value: str, told: str) -> None:
    """Each message begins with file and key."""
    with pytest.raises(InputError) as caught:
        load_plan(serving, {key: value})
    assert told in str(caught.value)


def test_neither_nodes_nor_models_is_told(file: Path) -> None:
    """Both ways to say how much is held are named."""
    file.write_text(file.read_text() + '\n[holds.chat]\nbegin = "1 day"\nend = "2 day"\n')
    with pytest.raises(InputError, match="say how many it holds, or name the models"):
        load_plan(file)
