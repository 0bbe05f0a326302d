"""``--dask ADDRESS``: let a cluster of Dask do the work."""

from collections.abc import Iterator
from contextlib import contextmanager
from socket import create_connection
from typing import Any

from mlsysim.distribution import missing
from mlsysim.errors import ParameterError
from mlsysim.search.interruption import current

_SECONDS = 10
"""How long a scheduler may take to answer."""

_HURRIED = 0.5
"""How long parting from it may take after Ctrl-C, so that the answer is still printed in time."""


@contextmanager
def cluster_options(address: str | None) -> Iterator[dict[str, Any]]:
    """Connect to a cluster, for as long as a search lasts.

    Parameters
    ----------
    address
        That of the scheduler, e.g. ``tcp://10.0.0.1:8786``; no cluster if not given.

    Yields
    ------
    dict
        The option ``executor`` of a search; empty without a cluster.

    Raises
    ------
    ParameterError
        If Dask is not installed, or nothing answers at the address.
    """
    if address is None:
        yield {}
        return
    client = _client(address)
    try:
        yield {"executor": client.get_executor()}
    finally:
        client.close(timeout=_HURRIED if current().came else _SECONDS)


def _client(address: str) -> Any:
    try:
        from distributed import Client  # noqa: PLC0415 - an optional dependency
        from distributed.comm.addressing import get_address_host_port  # noqa: PLC0415
    except ImportError:
        raise ParameterError(missing("--dask", "Dask", "dask")) from None
    try:
        # A client that finds nobody takes long to say so, and longer to end.
        create_connection(get_address_host_port(address), timeout=_SECONDS).close()
        connect: Any = Client  # which has no annotations
        return connect(address, timeout=_SECONDS)
    except (OSError, ValueError) as error:
        raise ParameterError(
            f"--dask {address}: no scheduler answers ({error}); start one with 'dask scheduler' "
            "and give the address that it prints, e.g. tcp://10.0.0.1:8786"
        ) from None
