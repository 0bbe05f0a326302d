"""From a serving design to what the formulas need."""

from dataclasses import replace

from mlsysim.catalog.builtin import Systems
from mlsysim.catalog.calibration import Calibration, ServingCalibration
from mlsysim.catalog.language_model import LanguageModel
from mlsysim.catalog.runtime import Runtime
from mlsysim.stages.calibration import calibration_of, serving_part
from mlsysim.stages.error_classes import Pace
from mlsysim.stages.machine import accelerator_of, machine_of
from mlsysim.stages.mapping import given_or, mapped
from mlsysim.stages.serving.design import ServingDesign
from mlsysim.stages.serving.formats import (
    attention_arithmetic,
    attention_width,
    cache_width,
    is_widened,
    stored_width,
)
from mlsysim.stages.serving.layout import ServingLayout, lay_out_replica
from mlsysim.stages.serving.passes import ServingRun
from mlsysim.stages.serving.prefixes import keep_prefixes
from mlsysim.stages.shape import shape_of


def serving_run(design: ServingDesign, calibration: Calibration | None, pace: Pace) -> ServingRun:
    """Read the catalogue for a design.

    Raises
    ------
    Infeasible
        If the accelerators have no arithmetic of a precision, or the runtime no such cache.
    MissingFigureError
        If a figure is needed that the catalogue does not have.
    """
    model, fleet, precision = design.model, design.fleet, design.precision
    weights, attention = given_or(design.weight_precision, precision), design.attention_precision
    runtime = mapped(_runtime, design.runtime)
    if calibration is None:
        calibration = mapped(calibration_of, mapped(accelerator_of, fleet))
    serving = mapped(serving_part, calibration)
    shape = mapped(shape_of, model)
    arithmetic = mapped(attention_arithmetic, model, precision, weights, attention)
    machine = mapped(machine_of, fleet, precision, calibration, serving, arithmetic)
    layout = lay_out_replica(design, shape, machine)
    draft = None
    if design.draft_model is not None:
        drafting = _drafting_design(design, design.draft_model, layout)
        draft = serving_run(drafting, calibration, pace)
    run = ServingRun(
        design=design,
        layout=layout,
        shape=shape,
        machine=machine,
        runtime=runtime,
        serving=serving,
        weight_width=mapped(stored_width, weights),
        attention_width=mapped(attention_width, model, precision, weights, attention),
        cache_width=mapped(cache_width, runtime.name, design.kv_precision),
        expert_rate=runtime.expert_efficiency * mapped(_mixing, serving, precision, weights),
        pace=pace,
        host_bandwidth=calibration.host_bandwidth,
        draft=draft,
    )
    return keep_prefixes(run)


def _drafting_design(
    design: ServingDesign, model: LanguageModel, layout: ServingLayout
) -> ServingDesign:
    """Lay out the model that drafts for an attention group."""
    return replace(
        design,
        model=model,
        draft_model=None,
        draft_tokens=0,
        batch_size=layout.sequences,
        tp_size=given_or(design.draft_tp_size, design.tp_size),
        pp_size=1,
        ep_size=1,
        attention_dp_size=1,
        redundant_experts=0,
        replicas=1,
        weight_precision=None,
        attention_precision=None,
        prefixes=0,
        host_cache=None,
    )


def _runtime(runtime: str | Runtime) -> Runtime:
    return runtime if isinstance(runtime, Runtime) else Systems.Runtimes[runtime]


def _mixing(serving: ServingCalibration, precision: str, weights: str) -> float:
    """Slow products down whose weights must be widened first."""
    return serving.mixed_efficiency if is_widened(precision, weights) else 1.0
