"""What sources print as memory: nvidia-smi, or PyTorch's peaks, in units of their own."""

import dataclasses

import pytest

from mlsysim.validation.measured import training_rows
from mlsysim.validation.memory import accounted, memory_unit
from mlsysim.validation.prediction import predict
from mlsysim.validation.training_row import TrainingRow

ROWS = {row.id: row for row in training_rows()}
PLAIN = ROWS["bs-v100-32g-l22"]


def told(confidence: str, source: str = "somewhere") -> TrainingRow:
    """Give a row with these remarks."""
    return dataclasses.replace(PLAIN, confidence=confidence, source=source)


@pytest.mark.parametrize(
    ("confidence", "source", "unit", "figures"),
    [
        ("", "somewhere", "GB", {}),
        ("mem = nvidia-smi max", "somewhere", "GiB", {}),
        ("max_memory_reserved of the worst rank", "somewhere", "GiB", {"runtime_reserve": 0.0}),
        (
            "peak allocated",
            "somewhere",
            "GiB",
            {"runtime_reserve": 0.0, "fragmentation": 1.0},
        ),
        ("", "alpa README", "GiB", {"runtime_reserve": 0.0, "fragmentation": 1.0}),
        ("", "alpaca tuning", "GB", {}),
        ("", "torchtitan 202412", "GiB", {"runtime_reserve": 0.0, "logit_bytes": 12.0}),
        (
            "compile",
            "torchtitan h100_202412_torchtitan.md",
            "GiB",
            {"runtime_reserve": 0.0, "logit_bytes": 12.0},
        ),
        (
            "torch.compile",
            "torchtitan h200_202506_somebody.md",
            "GiB",
            {"runtime_reserve": 0.0, "logit_bytes": 4.0},
        ),
    ],
)
def test_remarks_tell_what_is_counted(
    confidence: str, source: str, unit: str, figures: dict[str, float]
) -> None:
    """Driver and gaps count in some, and the loss of each framework keeps its own copies."""
    row = told(confidence, source)
    assert memory_unit(row) == unit
    assert accounted(row) == figures


def test_reserved_memory_leaves_out_the_reserve() -> None:
    """It is 2.5 GiB: driver, libraries and buffers that PyTorch's allocator does not see."""
    whole = predict(told("nvidia-smi")).memory_predicted
    reserved = predict(told("max_memory_reserved")).memory_predicted
    assert whole is not None
    assert reserved is not None
    assert whole - reserved == pytest.approx(2.5)


def test_time_does_not_depend_on_how_memory_is_printed() -> None:
    """What a loss keeps changes the memory predicted, and nothing else."""
    row = ROWS["tt-8b-8-eager"]
    other = dataclasses.replace(row, confidence=f"{row.confidence}; peak allocated")
    assert predict(row).predicted == predict(other).predicted
    assert (predict(row).memory_predicted or 0) > (predict(other).memory_predicted or 0)


def test_memory_of_the_collection() -> None:
    """82 rows of five sources, within 10 % on average; no constant is fitted to them."""
    errors = [predict(row).memory_error for row in ROWS.values() if row.mem_gb]
    known = [abs(error) for error in errors if error is not None]
    assert len(known) >= 80
    assert sum(known) / len(known) <= 0.10
