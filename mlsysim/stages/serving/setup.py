"""From the arguments of a serving stage to what the formulas need."""

from typing import Any

from mlsysim.catalog.accelerator import Precision
from mlsysim.catalog.builtin import Models, Systems
from mlsysim.catalog.calibration import Calibration, ServingCalibration
from mlsysim.catalog.language_model import LanguageModel
from mlsysim.catalog.runtime import Runtime
from mlsysim.stages.arguments import (
    check_number,
    check_option,
    check_precision,
    check_record,
    in_unit,
)
from mlsysim.stages.calibration import calibration_of, serving_part
from mlsysim.stages.machine import accelerator_of, check_fleet, machine_of
from mlsysim.stages.mapping import given_or, mapped
from mlsysim.stages.serving.choices import ServingChoices, check_choices, lay_out_replica
from mlsysim.stages.serving.formats import (
    attention_arithmetic,
    attention_width,
    cache_width,
    check_weights,
    is_widened,
    stored_width,
)
from mlsysim.stages.serving.passes import ServingRun
from mlsysim.stages.serving.shape import serving_shape_of


def serving_run(calibration: Calibration | None, **given: Any) -> ServingRun:
    """Check the arguments of `ServingModel.solve`, and read the catalogue for them.

    Raises
    ------
    ParameterError
        If an argument is out of range.
    Infeasible
        If the accelerators have no arithmetic of a precision.
    MissingFigureError
        If a figure is needed that the catalogue does not have.
    """
    check_record("model", given["model"], LanguageModel)
    check_fleet(given["fleet"])
    precision, cache = given["precision"], given["kv_precision"]
    weights = given_or(given["weight_precision"], precision)
    attention = given["attention_precision"]
    check_precision("precision", precision, Precision, kept="weight_precision")
    for name in ("weight_precision", "attention_precision"):
        if given[name] is not None:
            check_weights(name, given[name])
    check_option("kv_precision", cache, Models.Formats)
    if not isinstance(given["runtime"], Runtime):
        check_option("runtime", given["runtime"], Systems.Runtimes)
    runtime = mapped(_runtime, given["runtime"])
    if calibration is None:
        calibration = mapped(calibration_of, mapped(accelerator_of, given["fleet"]))
    serving = mapped(serving_part, calibration)
    mixed = mapped(_mixing, serving, precision, weights)
    choices = ServingChoices(
        batch_size=given["batch_size"],
        input_tokens=given["input_tokens"],
        output_tokens=given["output_tokens"],
        tensor=given["tp_size"],
        pipeline=given["pp_size"],
        expert=given["ep_size"],
        attention=given["attention_dp_size"],
        replicas=given["replicas"],
        weight_width=mapped(stored_width, weights),
        expert_rate=runtime.expert_efficiency * mixed,
        attention_width=mapped(attention_width, given["model"], precision, weights, attention),
        cache_width=mapped(cache_width, runtime.name, cache),
        page_tokens=given["page_tokens"],
        chunk_tokens=given["chunk_tokens"],
        prefix_hit_rate=given["prefix_hit_rate"],
        draft_tokens=given["draft_tokens"],
        draft_acceptance=given["draft_acceptance"],
        draft_layers=given["draft_layers"],
        memory_fraction=given["memory_fraction"],
        reserve=mapped(_reserve, given["runtime_reserve"]),
        reserve_stated=mapped(_is_stated, given["runtime_reserve"]),
    )
    check_choices(choices)
    shape = mapped(serving_shape_of, given["model"])
    arithmetic = mapped(attention_arithmetic, given["model"], precision, weights, attention)
    machine = mapped(machine_of, given["fleet"], precision, calibration, serving, arithmetic)
    return ServingRun(
        choices=choices,
        layout=lay_out_replica(choices, shape, machine),
        shape=shape,
        machine=machine,
        runtime=runtime,
        serving=serving,
    )


def _reserve(amount: Any) -> Any:
    """Read an amount of memory (byte): a plain number is in GB."""
    if amount is None:
        return 0.0
    kept = in_unit("runtime_reserve", amount, "GB")
    check_number("runtime_reserve", kept)
    return 1e9 * kept


def _is_stated(amount: Any) -> bool:
    return amount is not None


def _runtime(runtime: str | Runtime) -> Runtime:
    return runtime if isinstance(runtime, Runtime) else Systems.Runtimes[runtime]


def _mixing(serving: ServingCalibration, precision: str, weights: str) -> float:
    """Slow products down whose weights must be widened first."""
    return serving.mixed_efficiency if is_widened(precision, weights) else 1.0
