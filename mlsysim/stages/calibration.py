"""Which constants hold for an accelerator: those of its family, and where serving differs."""

from mlsysim.catalog.accelerator import Accelerator
from mlsysim.catalog.builtin import Systems
from mlsysim.catalog.calibration import Calibration, ServingCalibration

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
