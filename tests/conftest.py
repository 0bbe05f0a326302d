"""Settings for every test."""

from hypothesis import settings

# The same examples on every machine, however slow: a failure is about the code.
settings.register_profile("same", deadline=None, derandomize=True)
settings.load_profile("same")
