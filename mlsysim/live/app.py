"""Serve the page until Ctrl-C."""

import asyncio
import secrets
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import uvicorn
from fastapi import FastAPI
from nicegui import Client, ui

from mlsysim.errors import ParameterError
from mlsysim.live.draft import TabDraft
from mlsysim.live.gate import Gate, is_loopback
from mlsysim.live.style import style
from mlsysim.live.tab import Tab

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def serve(draft: TabDraft, *, host: str, port: int, told: Callable[[str], None]) -> None:
    """Serve the page.

    Parameters
    ----------
    draft
        The question that a new tab begins with.
    host
        The address to listen at; beyond the loopback address, a token is needed.
    port
        The port; 0 takes a free one.
    told
        Called with the address of the page once it can be opened.

    Raises
    ------
    ParameterError
        If nothing can listen there.
    """
    bound = _bound(host, port)
    token = None if is_loopback(host) else secrets.token_urlsafe(24)

    @ui.page("/", title="mlsysim", dark=None)
    def page(client: Client) -> None:
        ui.add_head_html(f"<style>{style()}</style>")
        tab = Tab(draft)
        client.on_connect(tab.start)
        client.on_delete(tab.close)
        tab.build()

    application = FastAPI(openapi_url=None)
    ui.run_with(
        application, tailwind=False, show_welcome_message=False, dark=None, language="en-US"
    )
    shown = f"[{host}]" if ":" in host else host
    address = f"http://{shown}:{bound.getsockname()[1]}/{f'?token={token}' if token else ''}"
    server = _Server(
        uvicorn.Config(
            Gate(application, token),
            log_level="warning",
            timeout_graceful_shutdown=1,
            lifespan="on",
        ),
        lambda: told(address),
    )
    with bound, suppress(KeyboardInterrupt):
        asyncio.run(server.serve([bound]))


class _Server(uvicorn.Server):
    """A server that says when it can be asked, and for which a signal is the end of its work."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen."""
        await super().startup(sockets)
        self._ready()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Let Ctrl-C and SIGTERM end the server; nobody else is told of them."""
        before = {number: signal.signal(number, self.handle_exit) for number in _SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _bound(host: str, port: int) -> socket.socket:
    """Take a port."""
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[
            0
        ]
        found = socket.socket(family, kind, protocol)
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind(place)
    except OSError as error:
        raise ParameterError(
            f"--host {host} --port {port}: {error.strerror}; --port 0 takes a free one"
        ) from None
    return found
