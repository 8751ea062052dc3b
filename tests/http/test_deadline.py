"""A whole exchange ends at its deadline, wherever a server lingers, and so does every lock."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from support.builders import local_site, registration, request, tokens
from support.loopback import Answer

from ddoauth_kit import DATADOG_SITES, Http, OAuthClient
from ddoauth_kit.errors import DdoauthError, NetworkError
from ddoauth_kit.http.sender import AsyncHttp
from ddoauth_kit.oauth.grant import Grant, grant_slot
from ddoauth_kit.sites import SiteTable
from ddoauth_kit.store.memory import MemoryStore

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.loopback import DrippingServer, RecordingServer

    from ddoauth_kit.http.message import Request

    Drip = Callable[..., DrippingServer]

DEADLINE = 0.15
# A busy machine is slow, and each server here lingers for longer than this.
LATE = 15.0
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"transfer-encoding: chunked\r\n\r\n"
LINGERING = {
    "status line": (b"HTTP/1.1 200 ", b"O"),
    "first header's name": (OK, b"x"),
    "a header's value": (OK + b"x: ", b"x"),
    "header after header": (OK, b"x: y\r\n"),
    "header lines that fold": (OK + b"x: y\r\n", b" y\r\n"),
    "100 Continue": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "102 Processing": (b"", b"HTTP/1.1 102 Processing\r\n\r\n"),
    "103 Early Hints": (b"", b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n"),
    "199 of nobody": (b"", b"HTTP/1.1 199 Wait\r\n\r\n"),
    "interim, then a header": (b"HTTP/1.1 100 Continue\r\n\r\n" + OK, b"x: y\r\n"),
    "body without a length": (OK + b"\r\n", b"x"),
    "body with a length": (OK + b"content-length: 100000\r\n\r\n", b"x"),
    "chunks": (CHUNKED, b"1\r\nx\r\n"),
    "one chunk": (CHUNKED + b"ffff\r\n", b"x"),
    "a chunk's extension": (CHUNKED + b"5;", b"x"),
    "a chunk's size": (CHUNKED, b"0"),
    "trailers": (CHUNKED + b"0\r\n", b"x: y\r\n"),
    "error's body": (b"HTTP/1.1 500 No\r\n\r\n", b"x"),
    "redirect's header": (b"HTTP/1.1 302 Found\r\nlocation: /", b"x"),
    "silence": (b"", b""),
    "silence after a header": (OK + b"x: y\r\n", b""),
}


@pytest.fixture(autouse=True)
def _without_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget the proxies of this machine."""
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


def _asked(server: DrippingServer, **changes: Any) -> Request:
    return request(server.site, repeatable=False, **changes)


def _sent(asked: Request) -> None:
    with Http(timeout=60.0, deadline=DEADLINE) as http:
        http.send(asked)


def _sent_async(asked: Request) -> None:
    async def run() -> None:
        async with AsyncHttp(timeout=60.0, deadline=DEADLINE) as http:
            await http.send(asked)

    asyncio.run(run())


def _timed_out(send: Callable[[Request], None], asked: Request) -> None:
    began = time.monotonic()
    with pytest.raises(NetworkError) as caught:
        send(asked)
    assert caught.value.code == "timeout"
    assert time.monotonic() - began < LATE


@pytest.mark.checklist("C19")
@pytest.mark.parametrize("send", [_sent, _sent_async])
@pytest.mark.parametrize(("begin", "piece"), LINGERING.values(), ids=LINGERING)
def test_a_server_that_lingers_is_left(
    serve_dripping: Drip, send: Callable[[Request], None], begin: bytes, piece: bytes
) -> None:
    """Wherever a server sends a little now and then, the exchange ends at its deadline."""
    _timed_out(send, _asked(serve_dripping(begin, piece)))


@pytest.mark.checklist("C19")
@pytest.mark.parametrize("send", [_sent, _sent_async])
def test_a_server_that_reads_slowly_is_left(
    serve_dripping: Drip, send: Callable[[Request], None]
) -> None:
    """A request that the other side reads byte by byte also ends at the deadline."""
    server = serve_dripping(b"", b"", reads=False)
    _timed_out(send, _asked(server, method="POST", body="x" * 20_000_000))


@pytest.mark.checklist("C19")
def test_a_name_that_is_not_resolved_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """The system's resolver knows no deadline; the exchange has one all the same."""
    over, at_once = threading.Event(), socket.getaddrinfo

    def slowly(host: Any, *args: Any, **options: Any) -> list[Any]:
        if host != "acme.invalid":  # threads of other tests may ask, too
            return at_once(host, *args, **options)
        over.wait(30.0)
        raise socket.gaierror("no answer")

    monkeypatch.setattr(socket, "getaddrinfo", slowly)
    _timed_out(_sent, request(local_site("https://acme.invalid"), repeatable=False))
    over.set()


@pytest.mark.checklist("C19")
@pytest.mark.parametrize("send", [_sent, _sent_async])
@pytest.mark.parametrize("piece", [b"x", b"x: y\r\n"])
def test_a_proxy_that_lingers_is_left(
    serve_dripping: Drip,
    monkeypatch: pytest.MonkeyPatch,
    send: Callable[[Request], None],
    piece: bytes,
) -> None:
    """A proxy between the kit and Datadog cannot hold up an exchange either."""
    proxy = serve_dripping(OK, piece)
    monkeypatch.setenv("HTTPS_PROXY", proxy.site.api_url)
    _timed_out(send, request(local_site("https://acme.invalid"), repeatable=False))


@pytest.mark.checklist("C19")
@pytest.mark.parametrize("place", ["header after header", "103 Early Hints", "chunks", "silence"])
def test_no_lock_outlives_the_deadline(serve_dripping: Drip, place: str) -> None:
    """A caller that waits for a refresh in progress gets the store when the exchange ends."""
    server = serve_dripping(*LINGERING[place])
    http = Http(timeout=60.0, deadline=DEADLINE)
    sites = SiteTable((*DATADOG_SITES, server.site))
    client = OAuthClient(registration(), sites=sites, http=http)
    store = MemoryStore()
    due = tokens(site=server.site)
    slot = grant_slot(due)
    grant = Grant(client, store=store, slot=slot)
    grant.keep(due)
    began = time.monotonic()

    def refresh() -> None:
        with pytest.raises(DdoauthError):
            grant.tokens()

    holder = threading.Thread(target=refresh)
    holder.start()
    assert server.reached.wait(30)
    with store.alone(slot):
        waited = time.monotonic() - began
    holder.join()
    http.close()
    assert waited < LATE


def test_an_answer_in_time_is_read(serve: Callable[..., RecordingServer]) -> None:
    """Interim and slow responses are not failures before the deadline."""
    server = serve(Answer('{"a": 1}', after=0.1))
    with Http(deadline=30.0) as http:
        assert http.send(request(server.site)).text == '{"a": 1}'
