"""From the arguments of a serving stage to what the formulas need."""

import functools
from typing import Any

from mlsysim.catalog.language_model import LanguageModel
from mlsysim.core.stages.arguments import check_option, check_record, in_unit
from mlsysim.core.stages.mapping import mapped
from mlsysim.core.stages.serving_calibration import Runtime, ServingCalibration
from mlsysim.core.stages.serving_choices import ServingChoices, check_choices, lay_out_replica
from mlsysim.core.stages.serving_machine import check_fleet, serving_machine_of
from mlsysim.core.stages.serving_pass import ServingRun
from mlsysim.core.stages.serving_shape import serving_shape_of
from mlsysim.physics.inference import ELEMENT_BYTES
from mlsysim.physics.serving import stored_bytes


def serving_run(calibration: ServingCalibration, **given: Any) -> ServingRun:
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
    weights = precision if given["weight_precision"] is None else given["weight_precision"]
    attention = precision if given["attention_precision"] is None else given["attention_precision"]
    for name, value in (
        ("precision", precision),
        ("weight_precision", weights),
        ("attention_precision", attention),
        ("kv_precision", cache),
    ):
        check_option(name, value, ELEMENT_BYTES)
    check_option("runtime", given["runtime"], calibration.runtimes)
    runtime = mapped(functools.partial(_runtime, calibration), given["runtime"])
    mixed = mapped(functools.partial(_mixing, calibration), precision, weights)
    choices = ServingChoices(
        batch_size=given["batch_size"],
        input_tokens=given["input_tokens"],
        output_tokens=given["output_tokens"],
        tensor=given["tp_size"],
        pipeline=given["pp_size"],
        expert=given["ep_size"],
        attention=given["attention_dp_size"],
        replicas=given["replicas"],
        weight_width=mapped(stored_bytes, weights),
        expert_rate=runtime.expert_efficiency * mixed,
        attention_width=mapped(stored_bytes, attention),
        cache_width=mapped(stored_bytes, cache),
        page_tokens=given["page_tokens"],
        chunk_tokens=given["chunk_tokens"],
        prefix_hit_rate=given["prefix_hit_rate"],
        draft_tokens=given["draft_tokens"],
        draft_acceptance=given["draft_acceptance"],
        draft_layers=given["draft_layers"],
        memory_fraction=given["memory_fraction"],
        reserve=_bytes("runtime_reserve", given["runtime_reserve"]),
    )
    check_choices(choices)
    shape = mapped(serving_shape_of, given["model"])
    machine = mapped(serving_machine_of, given["fleet"], precision, attention, calibration)

    return ServingRun(
        choices=choices,
        layout=lay_out_replica(choices, shape, machine),
        shape=shape,
        machine=machine,
        runtime=runtime,
        calibration=calibration,
    )


def _bytes(name: str, amount: Any) -> Any:
    """Read an amount of memory: a plain number is in GB."""
    return None if amount is None else 1e9 * in_unit(name, amount, "GB")


def _runtime(calibration: ServingCalibration, name: str) -> Runtime:
    return calibration.runtimes[name]


def _mixing(calibration: ServingCalibration, precision: str, weights: str) -> float:
    """Slow products down whose weights must be widened first."""
    widened = stored_bytes(weights) < stored_bytes(precision)
    return calibration.mixed_efficiency if widened else 1.0
