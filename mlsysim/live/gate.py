"""Who may see the page: this machine alone, or whoever has the token.

A page that is bound to the loopback address can still be asked by any other page that a browser
has open, so that the name under which it is asked has to be one of this machine (no other name can
be made to lead here), and a socket may only be opened by the page itself.
"""

import hmac
import ipaddress
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

COOKIE = "mlsysim_token"
_LOCAL = "localhost"


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine, as nobody else can reach it.

    Examples
    --------
    >>> [is_loopback(host) for host in ("localhost", "127.0.0.1", "::1", "0.0.0.0", "a.example")]
    [True, True, True, False, False]
    """
    if host == _LOCAL:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True)
class Gate:
    """Stands before an application, and lets nobody else in.

    Parameters
    ----------
    app
        The application.
    token
        What has to be known; where there is none, only names of this machine are let in.
    """

    app: ASGIApp
    token: str | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or refuse it."""
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        given = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("token", [""])[0]
        if not self._is_own(headers):
            await _refuse(scope, receive, send, "this page is for its own machine")
        elif self.token is None or self._knows(_cookie(headers)):
            await self.app(scope, receive, send)
        elif self._knows(given) and scope["type"] == "http":
            answer = RedirectResponse(scope["path"], status_code=303)
            answer.set_cookie(COOKIE, self.token, httponly=True, samesite="strict")
            await answer(scope, receive, send)
        else:
            await _refuse(scope, receive, send, "open the page by the address with its token")

    def _is_own(self, headers: Headers) -> bool:
        """Tell whether the page is asked under a name of its own, and by itself."""
        host = headers.get("host", "")
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc != host:
            return False
        return self.token is not None or is_loopback(urlsplit(f"//{host}").hostname or "")

    def _knows(self, given: str) -> bool:
        return self.token is not None and hmac.compare_digest(given.encode(), self.token.encode())


def _cookie(headers: Headers) -> str:
    try:
        found = SimpleCookie(headers.get("cookie", ""))
    except CookieError:
        return ""
    return found[COOKIE].value if COOKIE in found else ""


async def _refuse(scope: Scope, receive: Receive, send: Send, reason: str) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008})
        return
    await PlainTextResponse(f"mlsysim: {reason}\n", status_code=403)(scope, receive, send)
