"""Law 4: every knob is priced or bounded, and does something wherever it applies.

An argument is changed in a feasible design.  Some number or verdict has to
follow, unless the argument's record says that it does not apply there, or both
values are one (`laws.inert`).
"""

from collections.abc import Iterator

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from laws.arguments import RUN_ON, Values, base_name, values_of
from laws.designs import STAGES, Complete, Design, feasible, law, numbers, shown
from laws.inert import INERT, SAME, Change

from mlsysim.catalog import Models
from mlsysim.errors import ParameterError
from mlsysim.stages.stage import ForwardModel
from mlsysim.units import is_quantity


def told(design: Design) -> dict[str, object] | None:
    """Give every metric, verdict and limit of a design; nothing where it is refused."""
    try:
        result = design.outcome()
    except ParameterError:  # two arguments that cannot both be
        return None
    if result is None:
        return None
    limits = {
        f"{reason} {what}": getattr(check, what)
        for reason, check in result.checks.items()
        for what in ("value", "limit")
    }
    bare = {name: item.m if is_quantity(item) else item for name, item in limits.items()}
    return {**numbers(result), **bare}


def applies(change: Change) -> bool:
    """Tell whether a change of one argument has to change something."""
    old, new, name = change.old, change.new, change.name
    if name not in old.arguments or old[name] == new[name]:
        return False
    plain = base_name(name)
    stated = INERT.get(plain, ()) if old.stage.knobs()[name].applies else ()
    return not any(reason(change) for reason in (*SAME.get(plain, ()), *stated))


def changes_something(change: Change) -> bool:
    """Tell whether a number or a verdict follows a change."""
    return told(change.old) != told(change.new)


def without_effect(change: Change) -> Iterator[str]:
    """Name a change that nothing follows, though it applies."""
    if not changes_something(change) and applies(change):
        yield f"{change.name}={shown(change.new[change.name])} changes nothing"


def knobs(stage: type[ForwardModel]) -> list[str]:
    """List what can be chosen apart from what is computed, and on what."""
    return [name for name in stage.inputs() if not name.endswith(("model", "designs", *RUN_ON))]


_MIXTURES = st.sampled_from([model for model in Models.Language.values() if model.experts])
# Knobs of a feature -> the models, and whatever else, that have it.
FEATURES: dict[str, dict[str, Values]] = {
    "ep_size": {"model": _MIXTURES},
    "redundant_experts": {"model": _MIXTURES, "ep_size": st.sampled_from([2, 4, 8])},
    "draft_tp_size": {"draft_model": st.just(Models.Language.Qwen3_0_6B)},
    "dispatch": {
        "model": _MIXTURES,
        "ep_size": st.sampled_from([2, 4, 8]),
        "precision": st.just("fp8"),
    },
    "activation_storage": {"precision": st.just("fp8")},
}


@st.composite
def changes(draw: st.DrawFn, stage: type[ForwardModel], name: str) -> Change:
    """Draw a feasible design, and the same with another value of one argument."""
    feature = FEATURES.get(base_name(name), {})
    old = draw(feasible(stage, **feature))
    value = draw(values_of(stage, name, Complete(stage, old)))
    return Change(name=name, old=old, new=old.but(**{name: value}))


PAIRS = [(stage, name) for stage in STAGES for name in knobs(stage)]
# Knobs that apply to some designs only, and of which others are refused or have one value.
REFUSED = {
    "ep_size", "first_stage_layers", "last_stage_layers", "page_tokens", "parameter_offload",
    "recompute_layers", "redundant_experts", "virtual_stages",
}  # fmt: skip


def test_records_say_where_knobs_apply() -> None:
    """Whatever is taken to be without effect has a record that says so, and the other way."""
    told = {
        base_name(name)
        for stage, name in PAIRS
        if stage.knobs()[name].applies and name not in REFUSED
    }
    assert {name for name in told if base_name(name) not in REFUSED} == set(INERT)


@pytest.mark.parametrize(("stage", "name"), PAIRS, ids=lambda item: getattr(item, "__name__", item))
def test_every_knob_does_something(stage: type[ForwardModel], name: str) -> None:
    """Changing an argument changes a number or a verdict, or the stage refuses it."""

    @law(5)
    @given(changes(stage, name))
    def holds(change: Change) -> None:
        assume(changes_something(change) or applies(change))
        assert not list(without_effect(change))

    holds()
