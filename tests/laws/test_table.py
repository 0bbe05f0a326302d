"""Which test holds which law over which stage: found by reflection, and complete.

``python tests/laws/test_table.py`` writes the table, TABLE.md, anew.
"""

import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from laws import (
    test_answers,
    test_catalogue,
    test_even_splits,
    test_knobs,
    test_launchable,
    test_monotone,
    test_one_machine,
    test_optimum,
    test_parts_add_up,
    test_same_thing_said_twice,
    test_subspaces,
    test_verdict_and_metrics_agree,
    test_whole_things,
)
from laws.designs import SERVING, STAGES

from mlsysim.core.solver import (
    ContinuousBatchingModel,
    DisaggregatedModel,
    DistributedModel,
    ServingEconomicsModel,
    ServingModel,
    SingleNodeModel,
)

FILE = Path(__file__).with_name("TABLE.md")
Test = Callable[..., Any]

LAWS: Mapping[str, tuple[Test, ...]] = {
    "1. Whole things stay whole": (
        test_whole_things.test_sequences_are_dealt_out_whole,
        test_whole_things.test_the_heaviest_stage_sets_the_memory,
        test_whole_things.test_microbatches_are_dealt_out_whole,
    ),
    "2. Verdict and metrics agree": (
        test_verdict_and_metrics_agree.test_numbers_of_feasible_designs_are_believable,
        test_verdict_and_metrics_agree.test_feasible_designs_fit,
        test_verdict_and_metrics_agree.test_as_many_sequences_fit_as_it_says,
        test_catalogue.test_every_fleet_serves_believably,
    ),
    "3. Parts add up": (
        test_parts_add_up.test_parts_add_up,
        test_parts_add_up.test_answers_begin_with_what_users_see,
        test_parts_add_up.test_a_mean_gap_is_no_longer_than_the_longest,
    ),
    "4. Every knob is priced or bounded": (
        test_knobs.test_records_say_where_knobs_apply,
        test_knobs.test_every_knob_does_something,
    ),
    "5. Monotone where the world is": (
        test_monotone.test_a_better_accelerator_is_never_worse,
        test_monotone.test_twice_the_replicas_do_twice_as_much,
        test_monotone.test_one_user_waits_for_nobody,
        test_monotone.test_one_user_under_no_load_waits_for_nobody,
        test_monotone.test_one_user_of_two_pools_waits_for_nobody,
        test_monotone.test_a_larger_inventory_is_never_worse,
        test_catalogue.test_twice_the_demand_costs_at_most_twice,
        test_optimum.test_a_looser_limit_never_costs_any,
        test_optimum.test_better_accelerators_never_lower_the_optimum,
    ),
    "6. The same thing said twice is the same": (
        test_same_thing_said_twice.test_whole_numbers_of_numpy_are_whole_numbers,
        test_same_thing_said_twice.test_arrays_say_what_numbers_say,
        test_same_thing_said_twice.test_traced_choices_say_what_numbers_say,
        test_catalogue.test_accelerator_node_and_cluster_agree,
        test_catalogue.test_rent_does_not_depend_on_the_packaging,
        test_answers.test_a_file_says_what_python_says,
        test_subspaces.test_all_ways_give_one_answer,
        test_even_splits.test_an_even_split_has_the_same_figures_told_stage_by_stage,
        test_even_splits.test_frozen_layers_cost_the_same_however_the_split_is_told,
        test_even_splits.test_choices_of_stages_say_what_numbers_say,
    ),
    "7. One machine": (test_one_machine.test_memory_is_that_of_the_record,),
    "8. An answer can be launched": (
        test_launchable.test_a_feasible_answer_can_be_launched,
        test_answers.test_every_answer_says_who_can_launch_it,
    ),
    "9. An answer says how far to trust it": (test_answers.test_every_answer_says_how_exact_it_is,),
    "10. Prices are visible": (test_answers.test_every_answer_in_money_names_its_prices,),
}

# Tests that are not parametrized by a stage -> what they are about.
ABOUT: Mapping[Test, list[Any]] = {
    test_whole_things.test_the_heaviest_stage_sets_the_memory: [ServingModel],
    test_whole_things.test_microbatches_are_dealt_out_whole: [DistributedModel],
    test_catalogue.test_every_fleet_serves_believably: SERVING,
    test_catalogue.test_twice_the_demand_costs_at_most_twice: [*SERVING, ServingEconomicsModel],
    test_catalogue.test_accelerator_node_and_cluster_agree: SERVING,
    test_catalogue.test_rent_does_not_depend_on_the_packaging: [ServingEconomicsModel],
    test_knobs.test_records_say_where_knobs_apply: STAGES,
    test_even_splits.test_an_even_split_has_the_same_figures_told_stage_by_stage: [
        DistributedModel
    ],
    test_even_splits.test_frozen_layers_cost_the_same_however_the_split_is_told: [DistributedModel],
    test_even_splits.test_choices_of_stages_say_what_numbers_say: [DistributedModel],
    test_monotone.test_one_user_waits_for_nobody: [ServingModel],
    test_monotone.test_one_user_under_no_load_waits_for_nobody: [ContinuousBatchingModel],
    test_monotone.test_one_user_of_two_pools_waits_for_nobody: [DisaggregatedModel],
    test_one_machine.test_memory_is_that_of_the_record: [
        SingleNodeModel,
        DistributedModel,
        ServingModel,
    ],
    **dict.fromkeys(
        (
            test_answers.test_every_answer_says_how_exact_it_is,
            test_answers.test_every_answer_in_money_names_its_prices,
            test_answers.test_every_answer_says_who_can_launch_it,
            test_answers.test_a_file_says_what_python_says,
        ),
        test_answers.ASKED,
    ),
}

_BILLS = ("EconomicsModel", "ServingEconomicsModel", "GoodputModel", "MixedFleetModel")
_OF_TABLES = "asked about in tables of a file, over models/fleet in tests/report"
# Law -> the stages that it says nothing about, and why.
SILENT: Mapping[str, Mapping[str, str]] = {
    "1": dict.fromkeys((*_BILLS, "SingleNodeModel"), "divides nothing"),
    "7": {
        **dict.fromkeys(_BILLS, "reads prices and counts, no figures of speed or memory"),
        "ContinuousBatchingModel": "has the replica of `ServingModel`",
        "DisaggregatedModel": "has the replicas of `ServingModel`",
    },
    "8": {"MixedFleetModel": _OF_TABLES},
    "9": {"MixedFleetModel": _OF_TABLES},
    "10": {"MixedFleetModel": _OF_TABLES},
}


def stages_of(test: Test) -> set[str]:
    """Name the stages that a test goes over."""
    named = ABOUT.get(test)
    marks = [mark for mark in getattr(test, "pytestmark", ()) if mark.name == "parametrize"]
    values = named if named is not None else [value for mark in marks for value in mark.args[1]]
    return {stage.__name__ for stage in STAGES if stage in set(_flat(values))}


def _flat(values: Any) -> Iterator[Any]:
    for value in values:
        if isinstance(value, tuple | list):
            yield from _flat(value)
        elif isinstance(value, type):
            yield value


def table() -> str:
    """Write laws against stages; a cell lists the tests by their letters."""
    names = [stage.__name__ for stage in STAGES]
    lines = [
        "# Which test holds which law over which stage",
        "",
        f"| law | {' | '.join(name.removesuffix('Model') for name in names)} |",
        f"| --- {'| --- ' * len(names)}|",
    ]
    below = []
    for law, tests in LAWS.items():
        number = law.partition(".")[0]
        letters = dict(zip(tests, "abcdefghijkl", strict=False))
        cells = []
        for name in names:
            found = [f"{number}{letters[test]}" for test in tests if name in stages_of(test)]
            cells.append(" ".join(found) or f"- ({SILENT[number][name]})")
        lines.append(f"| {law} | {' | '.join(cells)} |")
        below += [f"- {number}{letters[test]}: `{place(test)}`" for test in tests]
    return "\n".join([*lines, "", *below, ""])


def place(test: Test) -> str:
    """Say where a test stands."""
    return f"{test.__module__.rpartition('.')[2]}.py::{test.__name__}"


def test_every_law_holds_over_every_stage() -> None:
    """Each stage is under each law, or it is said why the law says nothing about it."""
    for law, tests in LAWS.items():
        number = law.partition(".")[0]
        covered = set().union(*map(stages_of, tests))
        silent = set(SILENT.get(number, {}))
        assert covered | silent == {stage.__name__ for stage in STAGES}, law
        assert not covered & silent, law


def test_every_test_of_a_law_stands_in_the_table() -> None:
    """No law has a test that the table does not know."""
    listed = {test for tests in LAWS.values() for test in tests}
    modules = {sys.modules[test.__module__] for test in listed}
    found = {
        value
        for module in modules
        for name, value in vars(module).items()
        if name.startswith("test_") and callable(value) and value.__module__ == module.__name__
    }
    assert found == listed


def test_the_table_is_that_of_the_tests() -> None:
    """TABLE.md is what reflection finds."""
    assert FILE.read_text(encoding="utf-8") == table(), "run python tests/laws/test_table.py"


if __name__ == "__main__":
    FILE.write_text(table(), encoding="utf-8")
