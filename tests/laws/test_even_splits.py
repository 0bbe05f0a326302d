"""Law 6: a pipeline whose stages share everything evenly is one, however many words tell of it."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from laws.designs import Design, Space, designs, exists, law, numbers
from laws.test_same_thing_said_twice import changed_by_arrays, changed_by_tracing

from mlsysim.catalog import Models, Systems
from mlsysim.core.solver import DistributedModel

_UNTOLD = {name: st.none() for name in ("stage_layers", "first_stage_layers", "last_stage_layers")}


def tellings(design: Design) -> Iterator[dict[str, Any]]:
    """Say stage by stage what each of them holds and computes again, which is as much as others."""
    arguments = {"pp_size": 1, "virtual_stages": 1, "recompute_layers": None, **design.arguments}
    stages, again = arguments["pp_size"], arguments["recompute_layers"]
    layers, chunks = arguments["model"].layers, stages * arguments["virtual_stages"]
    whole = layers % chunks == 0
    if again is not None:
        yield {"recompute_layers": (again,) * stages}
    elif whole and arguments.get("recompute") == "full":
        yield {"recompute_layers": (layers // chunks,) * stages}
    if whole:
        each = layers // stages
        yield {"stage_layers": (each,) * stages}
        if stages > 1:
            yield {"first_stage_layers": each}
            yield {"last_stage_layers": each}
            yield {"first_stage_layers": each, "last_stage_layers": each}


def changed_by_telling(design: Design) -> Iterator[str]:
    """Name the figures that depend on the words.

    Microbatches that enter at both ends are left out, of which no stage can be told.
    """
    if (result := design.outcome()) is None or not exists(result):
        return
    if design.arguments.get("schedule") == "dualpipe":
        return
    untold = numbers(result)
    for told in tellings(design):
        found = numbers(design.but(**told).solve())
        for name, value in untold.items():
            # What is told has conditions of its own.
            if name in found and found[name] != pytest.approx(value, rel=1e-9):
                yield f"{name} is {value!r}, and told {told} {found[name]!r}"


def test_an_even_split_has_the_same_figures_told_stage_by_stage() -> None:
    """Layers of other kinds in front, frozen ones, adapters and recomputation included."""
    stages, frozen = st.sampled_from([1, 2, 2, 3, 4, 4, 6, 8, 12, 16]), st.integers(0, 24)

    @law(150)
    @given(designs(DistributedModel, **_UNTOLD, pp_size=stages, frozen_layers=frozen))
    def holds(design: Design) -> None:
        assert not list(changed_by_telling(design))

    holds()


@pytest.mark.parametrize("model", ["DeepSeek_V2_Lite", "Llama3_1_8B"])
@pytest.mark.parametrize("frozen", [0, 1, 5, 13, 26])
def test_frozen_layers_cost_the_same_however_the_split_is_told(model: str, frozen: int) -> None:
    """Where dense layers end and where frozen ones do, on one stage or on two."""
    design = Design(
        DistributedModel,
        {
            "model": Models.Language[model],
            "fleet": Systems.Clusters.Production_2K,
            "nodes": 4,
            "batch_size": 64,
            "pp_size": {"DeepSeek_V2_Lite": 9, "Llama3_1_8B": 8}[model],
            "frozen_layers": frozen,
            "tp_size": 1,
        },
    )
    assert not list(changed_by_telling(design))


@pytest.mark.parametrize("models", [["DeepSeek_V2_Lite"], ["Llama4_Maverick", "DeepSeek_V2_Lite"]])
@pytest.mark.parametrize("frozen", [[0], [0, 1, 5, 26]])
def test_choices_of_stages_say_what_numbers_say(models: list[str], frozen: list[int]) -> None:
    """Where it is not known how many stages there are, nor on which of them dense layers end."""
    space = Space(
        model=[Models.Language[name] for name in models],
        fleet=[Systems.Clusters.Production_2K],
        nodes=[4],
        batch_size=[16, 64],
        pp_size=[1, 2, 3, 8, 9],
        virtual_stages=[1, 2],
        schedule=["1f1b", "zero-bubble", "dualpipe"],
        frozen_layers=frozen,
        seq_len=[128, 2048],
    )
    assert not list(changed_by_tracing(DistributedModel, space))
    space["model"] = space["model"][:1]
    assert not list(changed_by_arrays(DistributedModel, space))
