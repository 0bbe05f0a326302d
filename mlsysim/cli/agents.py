"""``mlsysim mcp``: the server for agents."""

from mlsysim.cli.extras import extra
from mlsysim.cli.status import ExitStatus, errors_to_status


def serve_agents(port: int | None) -> ExitStatus:
    """Serve agents until the client goes; over HTTP, until Ctrl-C.

    Parameters
    ----------
    port
        Where to listen for HTTP; standard input and output unless given.

    Raises
    ------
    ParameterError
        If the protocol's SDK is not installed.
    """
    with errors_to_status():
        with extra("mcp", "the server for agents"):
            from mlsysim.agents.server import serve  # noqa: PLC0415 - in an extra
        serve(port)
    return ExitStatus.ANSWERED
