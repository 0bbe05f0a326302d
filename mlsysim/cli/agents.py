"""``mlsysim mcp``: the server for agents."""

from mlsysim.cli.extras import extra
from mlsysim.cli.status import ExitStatus, errors_to_status


def serve_agents() -> ExitStatus:
    """Serve agents until the client goes.

    Raises
    ------
    ParameterError
        If the protocol's SDK is not installed.
    """
    with errors_to_status():
        with extra("mcp", "the server for agents"):
            from mlsysim.agents.server import serve  # noqa: PLC0415 - in an extra
        serve()
    return ExitStatus.ANSWERED
