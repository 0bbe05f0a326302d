"""Settings for every test."""

import pytest
from hypothesis import settings

# The same examples on every machine, however slow: a failure is about the code.
settings.register_profile("same", deadline=None, derandomize=True)
settings.load_profile("same")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Say how long the injection of faults is to go on."""
    parser.addoption(
        "--faults", type=int, default=1, metavar="N", help="inject N times as many faults"
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Repeat a test that injects faults, with the number of the round."""
    if "fault_round" in metafunc.fixturenames:
        metafunc.parametrize("fault_round", range(metafunc.config.getoption("--faults")))
