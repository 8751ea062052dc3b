"""httpx doesn't log the kit's requests; the caller's own requests are logged as usual."""

from __future__ import annotations

import asyncio
import logging
import threading
from typing import TYPE_CHECKING

import httpx
import pytest
from support.builders import ACCESS_TOKEN, CLIENT_SECRET, readable, request
from support.loopback import Answer

from ddoauth_kit import Http, Secret
from ddoauth_kit.http.sender import AsyncHttp
from ddoauth_kit.workbook.lab.scripted_browser import Browser

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.loopback import HoldingServer, RecordingServer

    from ddoauth_kit import Site

NOISY = Answer('{"a": 1}', headers=(("x-token", ACCESS_TOKEN), ("set-cookie", CLIENT_SECRET)))


def _by_http(site: Site) -> None:
    with Http() as http:
        http.send(request(site, query=(("key", Secret(CLIENT_SECRET, label="key")),)))


def _by_async_http(site: Site) -> None:
    async def run() -> None:
        async with AsyncHttp() as http:
            await http.send(request(site, query=(("key", Secret(CLIENT_SECRET, label="key")),)))

    asyncio.run(run())


def _by_browser(site: Site) -> None:
    Browser().open(f"{site.api_url}/callback?code={ACCESS_TOKEN}")


@pytest.mark.checklist("C9")
@pytest.mark.parametrize("send", [_by_http, _by_async_http, _by_browser])
def test_nothing_of_the_kit_is_logged(
    send: Callable[[Site], None],
    serve: Callable[..., RecordingServer],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """At level DEBUG, no logger shows URLs or headers."""
    server = serve(NOISY)
    with caplog.at_level(logging.DEBUG):
        send(server.site)
    assert len(server.arrived) == 1
    assert not readable(ACCESS_TOKEN, caplog.text)
    assert not readable(CLIENT_SECRET, caplog.text)


@pytest.mark.parametrize("send", [_by_http, _by_async_http])
def test_the_end_of_a_connection_is_not_logged_either(
    send: Callable[[Site], None],
    serve_held: Callable[[bytes], HoldingServer],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A connection that is still open when the sender is closed ends in silence."""
    server = serve_held(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")
    with caplog.at_level(logging.DEBUG):
        send(server.site)
    own = [record.name for record in caplog.records if record.thread == threading.get_ident()]
    assert [name for name in own if name.startswith(("httpx", "httpcore"))] == []


def test_what_the_caller_sends_is_logged(
    serve: Callable[..., RecordingServer], caplog: pytest.LogCaptureFixture
) -> None:
    """The user's own httpx logs as before, also after the kit sent something."""
    server = serve()
    _by_http(server.site)
    with caplog.at_level(logging.INFO):
        httpx.get(server.url, trust_env=False)
    assert "HTTP Request" in caplog.text
