"""What has no encoding: told without importing the solver."""

from mlsysim.errors import MlsysimError


class NotLowerableError(MlsysimError):
    """An expression has no sound encoding: its range is unbounded or too wide."""
