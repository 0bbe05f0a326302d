"""Who may see the page."""

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from mlsysim.live.gate import COOKIE, Gate

TOKEN = "a-secret-of-the-test"  # noqa: S105 - of the test


async def page(_: object) -> PlainTextResponse:
    """Answer."""
    return PlainTextResponse("the page")


async def socket(opened: WebSocket) -> None:
    """Accept, and say so."""
    await opened.accept()
    await opened.send_text("open")
    await opened.close()


APP = Starlette(routes=[Route("/", page), WebSocketRoute("/socket", socket)])


def client(host: str, token: str | None = None) -> TestClient:
    """Ask under a name."""
    return TestClient(Gate(APP, token), base_url=f"http://{host}")


@pytest.mark.parametrize("host", ["127.0.0.1:8642", "localhost:8642", "[::1]:8642"])
def test_this_machine_is_let_in(host: str) -> None:
    """Under each of its own names, this machine sees the page, and opens its socket."""
    asking = client(host)
    assert asking.get("/").text == "the page"
    headers = {"host": host, "origin": f"http://{host}"}
    with asking.websocket_connect("/socket", headers=headers) as opened:
        assert opened.receive_text() == "open"


@pytest.mark.parametrize("host", ["rebound.example:8642", "10.0.0.1:8642", "127.0.0.1.example"])
def test_another_name_is_refused(host: str) -> None:
    """A name that somebody had lead here is not this machine's own."""
    assert client(host).get("/").status_code == 403


def test_a_socket_of_another_page_is_refused() -> None:
    """A page from elsewhere that knows the address cannot open a socket, with or without token."""
    for token in (None, TOKEN):
        asking = client("127.0.0.1:8642", token)
        asking.cookies.set(COOKIE, TOKEN)
        headers = {"host": "127.0.0.1:8642", "origin": "http://a.example"}
        with pytest.raises(WebSocketDisconnect):
            asking.websocket_connect("/socket", headers=headers).__enter__()


def test_elsewhere_the_token_is_needed_once() -> None:
    """The address with the token gives a cookie; without either, nothing is seen."""
    asking = client("planner.example", TOKEN)
    assert asking.get("/").status_code == 403
    assert asking.get("/?token=wrong").status_code == 403
    with pytest.raises(WebSocketDisconnect):
        asking.websocket_connect("/socket").__enter__()
    led = asking.get(f"/?token={TOKEN}", follow_redirects=False)
    assert led.headers["location"] == "/"
    assert "HttpOnly" in led.headers["set-cookie"]
    assert asking.get("/").text == "the page"
