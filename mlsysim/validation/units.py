"""The units in which sources print the speed of a training run, and how to get there.

A step time gives tokens per second directly.  Operations per second depend on
what a source counts as an operation: `mlsysim.validation.conventions`.
"""

import enum
import re

from mlsysim.validation.training_row import TrainingRow


class Unit(enum.StrEnum):
    """What a row's value is measured in."""

    SECONDS = "s"
    MILLISECONDS = "ms"
    TOKENS_PER_ACCELERATOR = "tokens/s/accelerator"
    TOKENS = "tokens/s"
    SAMPLES = "samples/s"
    SAMPLES_PER_ACCELERATOR = "samples/s/accelerator"
    TERAFLOPS = "TFLOP/s/accelerator"
    PETAFLOPS = "PFLOP/s"
    PER_CENT_MODEL = "% MFU"
    PER_CENT_HARDWARE = "% HFU"
    HOURS_PER_TERATOKEN = "accelerator hours / Ttoken"
    KILOHOURS_PER_TERATOKEN = "thousand accelerator hours / Ttoken"


# After "GPU", "chip" and so on have become "accelerator", and blanks have gone.
_SPELLINGS = {
    "s": Unit.SECONDS,
    "sec": Unit.SECONDS,
    "seconds": Unit.SECONDS,
    "s/step": Unit.SECONDS,
    "s/iteration": Unit.SECONDS,
    "ms": Unit.MILLISECONDS,
    "ms/step": Unit.MILLISECONDS,
    "tokens/s/accelerator": Unit.TOKENS_PER_ACCELERATOR,
    "tokens/s": Unit.TOKENS,
    "samples/s": Unit.SAMPLES,
    "sequences/s": Unit.SAMPLES,
    "samples/s/accelerator": Unit.SAMPLES_PER_ACCELERATOR,
    "sequences/s/accelerator": Unit.SAMPLES_PER_ACCELERATOR,
    "tflop/s/accelerator": Unit.TERAFLOPS,
    "tflops/accelerator": Unit.TERAFLOPS,
    "tflop/s": Unit.TERAFLOPS,
    "tflops": Unit.TERAFLOPS,
    "pflop/s": Unit.PETAFLOPS,
    "pflops": Unit.PETAFLOPS,
    "mfu": Unit.PER_CENT_MODEL,
    "%mfu": Unit.PER_CENT_MODEL,
    "mfu%": Unit.PER_CENT_MODEL,
    "hfu": Unit.PER_CENT_HARDWARE,
    "%hfu": Unit.PER_CENT_HARDWARE,
    "hfu%": Unit.PER_CENT_HARDWARE,
    "accelerator-hours/ttoken": Unit.HOURS_PER_TERATOKEN,
    "kaccelerator-hours/ttoken": Unit.KILOHOURS_PER_TERATOKEN,
}
_SYNONYMS = (
    (r"gpus?|chips?|devices?|accelerators?|cards?|hpus?|tpus?", "accelerator"),
    (r"\s+|\(|\)", ""),
    (r"/(sec|second)\b", "/s"),
    (r"\btoks?\b|\btoken\b(?=/s)", "tokens"),
    (r"tflops/s", "tflop/s"),
)


def unit_of_row(row: TrainingRow) -> Unit | None:
    """Read the unit of a row; None where it is not known.

    "%" alone is the model's or the hardware's utilization as the metric says.
    """
    said = row.unit.casefold()
    for pattern, word in _SYNONYMS:
        said = re.sub(pattern, word, said)
    if said in {"%", "percent", "pct"}:
        hardware = "hfu" in row.metric.casefold() or "hardware" in row.metric.casefold()
        return Unit.PER_CENT_HARDWARE if hardware else Unit.PER_CENT_MODEL
    return _SPELLINGS.get(said)
