"""NumPy's numbers of fixed width are Python's from the moment they enter, at every door."""

import importlib
import inspect
import pkgutil
from typing import Any

import numpy as np
import pytest
from stage_designs import DESIGNS, STAGES, arguments_of, metrics

from mlsysim import physics
from mlsysim.catalog import LanguageModel, Models, Systems
from mlsysim.core.dse import DSE, SearchSpace
from mlsysim.core.solver import DistributedModel
from mlsysim.numeric import plain
from mlsysim.stages.fleets.mixed_fleet import ReplicaDesign
from mlsysim.stages.stage import ForwardModel
from mlsysim.units import quantity

pytestmark = pytest.mark.filterwarnings("error")  # NumPy warns where a number wraps

WIDTHS: tuple[type[np.integer[Any]], ...] = (
    np.int8,
    np.int16,
    np.int32,
    np.int64,
    np.uint8,
    np.uint16,
    np.uint32,
    np.uint64,
)
FLOATS = (np.float32, np.float64, np.longdouble)
LAWS = [
    pytest.param(law, id=f"{module.name}.{name}")
    for module in pkgutil.iter_modules(physics.__path__)
    for name, law in vars(importlib.import_module(f"mlsysim.physics.{module.name}")).items()
    if inspect.isfunction(law)
    and law.__module__ == f"mlsysim.physics.{module.name}"
    and not name.startswith("_")
]


def forms(value: Any) -> list[Any]:
    """Give a number in each width of NumPy that holds it, and as an array without dimensions."""
    if isinstance(value, bool):
        return [np.bool_(value), np.array(value)]
    if isinstance(value, float):
        return [*(kind(value) for kind in FLOATS), np.array(value)]
    fitting = [kind for kind in WIDTHS if np.iinfo(kind).min <= value <= np.iinfo(kind).max]
    return [*(kind(value) for kind in fitting), np.array(value)]


def numeric_arguments() -> list[Any]:
    """Find every argument of every stage that holds a number or a truth value."""
    return [
        pytest.param(stage, name, id=f"{stage.__name__}.{name}")
        for stage in STAGES
        for name, value in arguments_of(stage).items()
        if isinstance(value, (bool, int, float))
    ]


def test_every_stage_has_a_design() -> None:
    """A new stage is under these tests at once."""
    assert set(DESIGNS) == set(STAGES)
    assert {stage.__name__ for stage in STAGES} >= {"DistributedModel", "ServingModel"}


@pytest.mark.parametrize(("stage", "name"), numeric_arguments())
def test_a_stage_takes_each_number_in_every_width(stage: type[ForwardModel], name: str) -> None:
    """The same design said in NumPy's numbers has the same metrics, and nothing wraps."""
    given = arguments_of(stage)
    for form in forms(given[name]):
        expected = dict(metrics(stage().solve(**{**given, name: plain(form)})))
        found = dict(metrics(stage().solve(**{**given, name: form})))
        assert found == expected, type(form)


@pytest.mark.parametrize("stage", STAGES)
def test_all_numbers_of_a_stage_at_once(stage: type[ForwardModel]) -> None:
    """Products of two numbers of fixed width are those that would wrap."""
    given = arguments_of(stage)
    narrow = {
        name: forms(value)[0] for name, value in given.items() if isinstance(value, (bool, int))
    }
    found = dict(metrics(stage().solve(**{**given, **narrow})))
    assert found == dict(metrics(stage().solve(**given)))


def test_a_batch_of_four_million_in_32_bits_does_not_wrap() -> None:
    """4e6 sequences of 2,048 tokens are 8e9 tokens, beyond 2^31; in an array likewise."""
    given: dict[str, Any] = {
        "model": Models.Language.Llama3_70B,
        "fleet": Systems.Clusters.Frontier_8K,
        "tp_size": 8,
        "pp_size": 4,
    }
    plainly = DistributedModel().solve(**given, batch_size=4_000_000).effective_throughput.m
    wide: list[Any] = [np.int32(4_000_000), np.array(4_000_000, np.int32)]
    for form in wide:
        found = DistributedModel().solve(**given, batch_size=form).effective_throughput.m
        assert found == plainly
    many: Any = np.array([4_000_000, 4_000_000], np.int32)
    found = DistributedModel().solve(**given, batch_size=many).effective_throughput.m
    assert found == pytest.approx(plainly, rel=1e-12)


@pytest.mark.parametrize("law", LAWS)
def test_every_closed_form_takes_numbers_of_numpy(law: Any) -> None:
    """Called directly, a law sees Python's numbers only."""
    seen: list[Any] = []

    def spy(*args: Any, **kwargs: Any) -> None:
        seen.extend([*args, *kwargs.values()])

    assert hasattr(law, "__wrapped__"), "decorate it with from_numpy"
    bound = {name: np.int32(7) for name in inspect.signature(law).parameters}
    cell = next(cell for cell in law.__closure__ or () if cell.cell_contents is law.__wrapped__)
    cell.cell_contents = spy
    try:
        law(**bound)
    finally:
        cell.cell_contents = law.__wrapped__
    assert [type(value) for value in seen] == [int] * len(bound)


def test_choices_are_python_numbers() -> None:
    """In whatever way a space is written, and whatever looks a value up."""
    wide = [np.int16(300), np.array(400, np.int32), 500]
    space = SearchSpace({"x": wide, "y": np.array([1, 2], np.uint8), "z": [np.bool_(1)]})
    assert [type(value) for value in space["x"]] == [int] * 3
    assert [type(value) for value in space["y"]] == [int] * 2
    assert space["z"][0] is True
    assert SearchSpace({"x": range(1000)})["x"].index(np.int16(7)) == 7
    amounts = SearchSpace({"r": [quantity(np.int32(4_000_000), "byte")]})["r"]
    assert type(amounts[0].magnitude) is int


@pytest.mark.parametrize("method", ["cp-sat", "exhaustive"])
def test_a_search_over_narrow_integers_does_not_wrap(method: str) -> None:
    """200 x 200 is 40,000, which a byte does not hold."""
    space = {"x": np.array([100, 200], np.uint8), "y": [np.int8(100), np.uint8(200)]}
    found = DSE(space, "maximize: product").search(
        lambda chosen: {"product": chosen["x"] * chosen["y"]}, method=method
    )
    assert found["best_objective"] == 40_000


def test_records_hold_python_numbers() -> None:
    """A model or a replica of one's own multiplies as any other."""
    model = Models.Language.Llama3_8B
    narrow = model.replace(
        name="Mine", layers=np.int8(32), hidden=np.int16(4096), vocab=np.int32(128256)
    )
    assert isinstance(narrow, LanguageModel)
    assert narrow.parameters == model.parameters
    counts: dict[str, Any] = {"accelerators": np.int8(100), "rates": {"chat": np.float32(0.5)}}
    design = ReplicaDesign(name="S", kind="L4", price=1, **counts)
    assert design.accelerators * 100 == 10_000
    assert type(design.rates["chat"]) is float
