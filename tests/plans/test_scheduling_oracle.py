"""Random projects: the core of plans finds the makespan that another scheduler proves."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from project_scheduling import Project
from strategies import examples

from mlsysim.results.status import Status

pyjobshop = pytest.importorskip("pyjobshop")


def project(random: Random) -> Project:
    """Draw a project of four to eight tasks in two or three modes."""
    names = [f"t{place}" for place in range(random.randint(4, 8))]
    renewable = [random.randint(3, 8) for _ in range(random.randint(1, 2))]
    stocks = random.randint(0, 1)
    modes = {
        name: [
            (
                random.randint(1, 6),
                [random.randint(0, most) for most in renewable],
                [random.randint(0, 4) for _ in range(stocks)],
            )
            for _ in range(random.randint(2, 3))
        ]
        for name in names
    }
    after = {
        name: [other for other in names[:place] if random.random() < 0.25]
        for place, name in enumerate(names)
    }
    stock = [random.randint(len(names), 3 * len(names)) for _ in range(stocks)]
    return Project(renewable=renewable, stock=stock, modes=modes, after=after)


def oracle(asked: Project) -> int | None:
    """Give the makespan that PyJobShop proves; nothing if it proves that there is no plan."""
    model = pyjobshop.Model()
    resources = [model.add_renewable(most) for most in asked.renewable]
    resources += [model.add_consumable(most) for most in asked.stock]
    tasks = {name: model.add_task(name=name) for name in asked.modes}
    for name, modes in asked.modes.items():
        for length, held, used in modes:
            model.add_mode(tasks[name], resources, length, [*held, *used])
    for name, before in asked.after.items():
        for other in before:
            model.add_end_before_start(tasks[other], tasks[name])
    result = model.solve(display=False, num_workers=1)
    if result.status is pyjobshop.SolveStatus.INFEASIBLE:
        return None
    assert result.status is pyjobshop.SolveStatus.OPTIMAL
    return int(result.objective)


@given(random=st.randoms(use_true_random=False), workers=st.sampled_from([1, 2]))
@examples(30)
def test_the_makespan_is_that_of_another_scheduler(random: Random, workers: int) -> None:
    """Renewable resources, stocks, modes and precedences: one status, one value."""
    asked = project(random)
    found, expected = asked.solved(workers=workers), oracle(asked)
    if expected is None:
        assert found.status is Status.INFEASIBLE
    else:
        assert (found.status, found.values) == (Status.OPTIMAL, (expected,))
