"""Pass requests to a server in this process, without sockets, host names or threads.

The server's address is a loopback address with port 0. Nothing can listen on that port, so the
address can't be confused with a real server's.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

import httpx

from ddoauth_kit.http.policy import is_loopback
from ddoauth_kit.http.sender import TRANSPORTS
from ddoauth_kit.without_threads import pause

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator

    Headers = list[tuple[str, str]]


class Delivery(Protocol):
    """A server's response: `delay` is in seconds, and `cut_off` truncates the body."""

    @property
    def status(self) -> int:
        """Return the status code."""

    @property
    def delay(self) -> float:
        """Return how many seconds the response takes."""

    @property
    def cut_off(self) -> bool:
        """Return whether the body is truncated."""

    def wire_headers(self) -> Headers:
        """Return all headers that arrive."""

    def wire_body(self) -> bytes:
        """Return the part of the body that arrives."""


class Server(Protocol):
    """A server that answers requests in this process."""

    def __call__(self, method: str, target: bytes, headers: Headers, body: bytes) -> Delivery:
        """Return the response to a request; the path includes the query."""


_SERVERS: dict[str, Server] = {}


def serve(base_url: str, server: Server) -> None:
    """Answer requests to an address in this process from now on."""
    place = _place(base_url)
    _SERVERS[place], TRANSPORTS[place] = server, InProcess()


def withdraw(base_url: str) -> None:
    """Stop answering requests to an address."""
    _SERVERS.pop(_place(base_url), None)


def is_in_process(url: str) -> bool:
    """Return whether an address is in this process, whether or not anything responds there."""
    parts = urlsplit(url)
    return parts.scheme == "http" and parts.port == 0 and is_loopback(parts.hostname or "")


class InProcess(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Passes requests to servers in this process; slow and truncated responses act like real ones.

    The client's read timeout ends a slow response.
    """

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Return the response."""
        answer = _answer(request, request.read())
        patience = _patience(request)
        if answer.delay:
            pause(min(answer.delay, patience))
        return _response(request, answer, patience=patience)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Return the response."""
        answer = _answer(request, await request.aread())
        patience = _patience(request)
        await asyncio.sleep(min(answer.delay, patience))  # 0 gives other tasks a turn
        return _response(request, answer, patience=patience)


class ByAddress(httpx.BaseTransport):
    """Passes requests to servers in this process, and sends all others over sockets."""

    def __init__(self, sockets: httpx.BaseTransport) -> None:
        self._sockets = sockets
        self._here = InProcess()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Return the response."""
        chosen = self._here if is_in_process(str(request.url)) else self._sockets
        return chosen.handle_request(request)

    def close(self) -> None:
        """Close the connections."""
        self._sockets.close()


class _Body(httpx.SyncByteStream, httpx.AsyncByteStream):
    """Yields the part of a body that arrives, then fails if the rest is missing."""

    def __init__(self, answer: Delivery) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        yield from self._parts()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for part in self._parts():
            yield part

    def _parts(self) -> Iterable[bytes]:
        body = self._answer.wire_body()
        yield body
        if self._answer.cut_off:
            # h11's message, so that the error is the same as over sockets.
            announced = dict(self._answer.wire_headers()).get("Content-Length", "?")
            raise httpx.RemoteProtocolError(
                "peer closed connection without sending complete message body "
                f"(received {len(body)} bytes, expected {announced})"
            )


def _patience(request: httpx.Request) -> float:
    timeout: float = request.extensions["timeout"]["read"]
    return timeout


def _place(url: str) -> str:
    return urlsplit(url).netloc


def _answer(request: httpx.Request, body: bytes) -> Delivery:
    server = _SERVERS.get(request.url.netloc.decode("ascii"))
    if server is None:
        raise httpx.ConnectError("Connection refused", request=request)
    return server(request.method, request.url.raw_path, request.headers.multi_items(), body)


def _response(request: httpx.Request, answer: Delivery, *, patience: float) -> httpx.Response:
    if patience < answer.delay:
        raise httpx.ReadTimeout("timed out", request=request)
    headers = [(name.lower(), value) for name, value in answer.wire_headers()]
    stream = httpx.ByteStream(b"") if request.method == "HEAD" else _Body(answer)
    return httpx.Response(answer.status, headers=headers, stream=stream)
