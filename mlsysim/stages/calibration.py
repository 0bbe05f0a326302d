"""Which constants hold for an accelerator: those of its family, and where serving differs."""

from dataclasses import dataclass

from mlsysim.catalog.accelerator import Accelerator
from mlsysim.catalog.builtin import Systems
from mlsysim.catalog.calibration import Calibration, ServingCalibration
from mlsysim.catalog.figure import Figure
from mlsysim.catalog.record import Record

GENERIC = "Generic"


def calibration_of(accelerator: Accelerator) -> Calibration:
    """Give the calibration of the family, or the generic one."""
    if accelerator.has("calibration"):
        return accelerator.calibration
    return Systems.Calibrations[GENERIC]


def serving_part(calibration: Calibration) -> ServingCalibration:
    """Give the part in which serving differs; one that states none has the generic one."""
    if calibration.has("serving"):
        return calibration.serving
    return Systems.Calibrations[GENERIC].serving


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One constant for which training and serving have a figure each.

    Parameters
    ----------
    name
        The constant, as both records call it.
    training, serving
        The figures, with their support.
    """

    name: str
    training: Figure
    serving: Figure


def differences(calibration: Calibration) -> tuple[Difference, ...]:
    """Give the constants in which serving differs from training, with the support of both."""
    serving = serving_part(calibration)
    return tuple(
        Difference(name=name, training=_figure(calibration, name), serving=_figure(serving, name))
        for name, field in serving.described_fields().items()
        if field.is_figure and name in calibration.described_fields()
        if getattr(calibration, name) != getattr(serving, name)
    )


def _figure(record: Record, name: str) -> Figure:
    """Give a figure; one that is not stated has the default of its field."""
    found = record.figures.get(name)
    if found is None:
        value, confidence = getattr(record, name), record.confidence
        return Figure(value=value, unit="", source="default", confidence=confidence)
    return found
