"""The measured runs that come with the package; README.md describes the columns."""

import functools
from importlib import resources

from mlsysim.validation.training_row import TrainingRow, read_training

TRAINING = "training_measured.csv"
SERVING = "serving_measured.csv"
NOT_FITTED = frozenset(
    {
        *("internevo", "mbridge_2604", "mbridge_2608", "mbridge_ablation", "maxtext_gpu", "primus"),
        *("tpu_recipes", "dli_trtllm09_sxm", "dli_trtllm09_h100nvl", "dli_trtllm09_l40"),
        *("nim_h100", "rocm_vllm", "intel_gaudi3"),
    }
)
"""Sources that came after the constants of the package were fitted."""


def path_of(name: str) -> str:
    """Give the path of one of the files."""
    with resources.as_file(resources.files(__name__) / name) as path:
        return str(path)


@functools.cache
def training_rows() -> tuple[TrainingRow, ...]:
    """Read the training runs that come with the package."""
    return read_training(path_of(TRAINING))
