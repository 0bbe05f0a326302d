"""The ways to answer a question."""

from enum import StrEnum


class Method(StrEnum):
    """How a question is answered."""

    AUTO = "auto"
    CP_SAT = "cp-sat"
    BRANCH_AND_BOUND = "branch-and-bound"
    EXHAUSTIVE = "exhaustive"
    REFERENCE = "reference"
