"""Which constants hold for an accelerator: its own figures, else those of its family."""

from mlsysim.catalog.accelerator import Accelerator
from mlsysim.catalog.builtin import Systems
from mlsysim.catalog.calibration import Calibration

GENERIC = "Generic"


def calibration_of(accelerator: Accelerator) -> Calibration:
    """Give the calibration of the family, or the generic one."""
    if accelerator.has("calibration"):
        return accelerator.calibration
    return Systems.Calibrations[GENERIC]
