"""Customers of one sender share connections and nothing else; a stale connection is replaced."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from support.builders import request
from support.loopback import Answer

from ddoauth_kit import Http
from ddoauth_kit.errors import NetworkError
from ddoauth_kit.http.sender import AsyncHttp

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.loopback import HoldingServer, RecordingServer

    from ddoauth_kit.http.message import Request

    Send = Callable[..., list[int]]

WHOLE = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"
COOKIES = [
    "session=canary",
    "session=canary; Path=/",
    "session=canary; Path=/api",
    "session=canary; Domain=127.0.0.1",
    "session=canary; Domain=localhost",
    "session=canary; Domain=.0.0.1",
    "session=canary; HttpOnly",
    "session=canary; Secure",
    "session=canary; SameSite=None; Secure",
    "session=canary; SameSite=Strict",
    "session=canary; Max-Age=3600",
    "session=canary; Expires=Fri, 01 Jan 2100 00:00:00 GMT",
    "session=canary; Version=1",
    'session="canary"; Version="1"; Port="1-65535"',
    "session=canary; Partitioned",
    "__Host-session=canary; Path=/; Secure",
    "a=canary, b=canary",
    "=canary",
    "canary",
    "session=canary; Path=/; Domain=",
    "session=" + "canary" * 600,
    "session=",
]


def _blocking(*requests: Request) -> list[int]:
    with Http() as http:
        return [http.send(each).status for each in requests]


def _awaited(*requests: Request) -> list[int]:
    async def run() -> list[int]:
        async with AsyncHttp() as http:
            return [(await http.send(each)).status for each in requests]

    return asyncio.run(run())


both = pytest.mark.parametrize("send", [_blocking, _awaited])


@both
@pytest.mark.checklist("C18")
@pytest.mark.parametrize("name", ["Set-Cookie", "Set-Cookie2"])
@pytest.mark.parametrize("cookie", COOKIES)
def test_no_cookie_is_kept(
    serve: Callable[..., RecordingServer], send: Send, name: str, cookie: str
) -> None:
    """Cookies set by one customer's response are not sent with the next customer's request."""
    server = serve(Answer(headers=((name, cookie),)))
    send(request(server.site), request(server.site, path="/api/v1/validate"))
    assert len(server.arrived) == 2
    assert not [arrived for arrived in server.arrived if "cookie" in arrived.headers]


@both
@pytest.mark.checklist("C18")
@pytest.mark.parametrize("status", [201, 302, 401, 429, 503])
def test_no_cookie_of_any_status_is_kept(
    serve: Callable[..., RecordingServer], send: Send, status: int
) -> None:
    """This also applies to refusals, redirects and responses before a repeat."""
    headers = (("set-cookie", "session=canary; Path=/"), ("retry-after", "0"))
    server = serve(Answer("", status, headers), Answer())
    send(request(server.site), request(server.site))
    assert len(server.arrived) >= 2
    assert not [arrived for arrived in server.arrived if "cookie" in arrived.headers]


@both
def test_a_stale_connection_is_replaced(
    serve_held: Callable[..., HoldingServer], send: Send
) -> None:
    """A GET is sent again if its pooled connection is closed before the response begins."""
    server = serve_held(WHOLE, most=1)
    assert send(*[request(server.site)] * 3) == [200, 200, 200]
    assert (server.opened, len(server.requests)) == (3, 5)


@both
@pytest.mark.checklist("C13")
def test_a_code_is_not_sent_twice_over_a_stale_connection(
    serve_held: Callable[..., HoldingServer], send: Send
) -> None:
    """A request that may have been read on a stale connection is not repeated."""
    server = serve_held(WHOLE, most=1)
    exchange = request(server.site, method="POST", form=(("code", "x"),), repeatable=False)
    with pytest.raises(NetworkError) as caught:
        send(request(server.site), exchange)
    assert caught.value.code == "cut_off"
    assert (server.opened, len(server.requests)) == (1, 2)


@both
def test_a_new_connection_that_is_closed_is_no_stale_one(
    serve_held: Callable[..., HoldingServer], send: Send
) -> None:
    """A server that hangs up on everybody is asked once."""
    server = serve_held(WHOLE, most=0)
    with pytest.raises(NetworkError) as caught:
        send(request(server.site))
    assert caught.value.code == "cut_off"
    assert (server.opened, len(server.requests)) == (1, 1)
