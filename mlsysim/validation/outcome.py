"""One measured row beside its prediction: what every report is made of.

This is the seam between the kinds of rows.  A kind of measurement (training,
serving) is a module with one function that takes a `Table` and gives an
`Outcome` per row, in the order of the rows and with no row left out: a row
that cannot be predicted says why in `skipped`.  `mlsysim.validation.datasets`
tells the kinds apart by their columns.
"""

import math
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field

from mlsysim.stages.evidence import Evidence


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """A row, measured and predicted.

    Parameters
    ----------
    id, group, accelerator
        What the row says of itself.
    hardware
        The catalogue's name of the accelerator, or what the row says where it has none.
    unit
        The row's own unit, of what is measured and predicted.
    measured, predicted
        The value; None where there is none.
    memory_measured, memory_predicted
        Memory of an accelerator in the unit of the row's source, or None.
    skipped
        Why there is no prediction, or None.
    notes
        What had to be supposed.
    evidence
        Of what kind the prediction is, or None where there is none.
    rivals
        What two rows must share for a planner to choose between them; None for a row that
        stands alone.
    design
        What the models see of the row: rows of one design are measured repeatedly.
    speed_measured, speed_predicted
        What such a planner maximises, in any unit that rivals share.
    more
        Further entries of the row in JSON.
    parts
        Computes the shares of what the predicted time is made of.
    """

    id: str
    group: str
    accelerator: str
    hardware: str
    unit: str
    measured: float | None = None
    predicted: float | None = None
    memory_measured: float | None = None
    memory_predicted: float | None = None
    skipped: str | None = None
    notes: tuple[str, ...] = ()
    evidence: Evidence | None = None
    rivals: Hashable | None = None
    design: Hashable | None = None
    speed_measured: float | None = None
    speed_predicted: float | None = None
    more: Mapping[str, float | None] = field(default_factory=dict)
    parts: Callable[[], Mapping[str, float]] | None = None

    @property
    def error(self) -> float | None:
        """How far the prediction lies above the measurement, as a fraction of it."""
        return _relative(self.predicted, self.measured)

    @property
    def ln_error(self) -> float | None:
        """The logarithm of predicted over measured, which counts four times and a fourth alike."""
        return None if self.error is None or self.error <= -1 else math.log1p(self.error)

    @property
    def further_errors(self) -> dict[str, float]:
        """The same for all else that is both measured and predicted, by name.

        These are the memory, and whatever stands in `more` twice: as ``name``
        and as ``name_predicted``.
        """
        pairs = {"memory": (self.memory_predicted, self.memory_measured)}
        pairs |= {
            name: (self.more[f"{name}_predicted"], measured)
            for name, measured in self.more.items()
            if f"{name}_predicted" in self.more
        }
        errors = {name: _relative(*pair) for name, pair in pairs.items()}
        return {name: error for name, error in errors.items() if error is not None}

    def to_dict(self) -> dict[str, object]:
        """Give the row as JSON has it."""
        return {
            "id": self.id,
            "group": self.group,
            "accelerator": self.accelerator,
            "unit": self.unit,
            "measured": self.measured,
            "predicted": self.predicted,
            "error": self.error,
            "ln_error": self.ln_error,
            "memory_measured": self.memory_measured,
            "memory_predicted": self.memory_predicted,
            "skipped": self.skipped,
            **self.more,
        }


def _relative(predicted: float | None, measured: float | None) -> float | None:
    if predicted is None or not measured:
        return None
    return predicted / measured - 1
