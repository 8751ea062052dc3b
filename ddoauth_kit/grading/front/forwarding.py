"""Forward a request over a pooled connection, and return the response under Datadog's name."""

from __future__ import annotations

import asyncio
import re
import time
from collections import defaultdict, deque
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import h11

from ddoauth_kit.grading.front.channel import CHUNK, Channel, Limits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ddoauth_kit.grading.front.hosts import DatadogHost, HostTable

# This header tells the sandbox which of Datadog's hosts was named.
FRONT_HEADER: Final = b"ddoauth-front-host"
# Shorter than the sandbox's own limit, because a request on a closing connection is lost.
_KEPT_SECONDS: Final = 30.0
_KEPT: Final = 64
_HOP_BY_HOP: Final = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
_COOKIE_PATH: Final = re.compile(rb"(;\s*path=)([^;]*)", re.IGNORECASE)


class UpstreamError(Exception):
    """No complete response arrived."""


class UnreachableError(UpstreamError):
    """No connection could be made, so nothing was sent."""


@dataclass(frozen=True, slots=True)
class Destination:
    """A request's real destination, and the Datadog host that it named."""

    host: str
    port: int
    prefix: str = ""
    named: DatadogHost | None = None
    host_header: str = ""

    @classmethod
    def of(cls, named: DatadogHost) -> Destination:
        """Return the sandbox's address for one of Datadog's hosts."""
        parts = urlsplit(named.url)
        host, port = parts.hostname or "127.0.0.1", parts.port or 80
        return cls(host, port, parts.path.rstrip("/"), named, parts.netloc)


@dataclass(slots=True)
class _Upstream:
    channel: Channel
    http: h11.Connection
    kept_at: float = field(default=0.0)


class Forwarder:
    """Pools connections to the sandbox, and sends each request only once."""

    def __init__(self, hosts: HostTable, *, limits: Limits) -> None:
        self._hosts = hosts
        self._limits = limits
        self._kept: defaultdict[tuple[str, int], deque[_Upstream]] = defaultdict(deque)

    async def forward(
        self,
        client: Channel,
        http: h11.Connection,
        request: h11.Request,
        to: Destination,
        *,
        answered: Callable[[int], None],
    ) -> None:
        """Forward a request, and stream both bodies.

        `answered` receives the status when the response is complete, before the client has received
        all of it.

        Raises:
            UpstreamError: no response arrived, or only part of one.
        """
        upstream = await self._connected(to)
        try:
            head = upstream.http.send(_outgoing(request, to=to))
            await self._pump(client, http, upstream.channel, upstream.http, first=head)
            response = await self._response(upstream)
            head = http.send(self._returned(response, to=to, request=request))
            before_end = partial(answered, response.status_code)
            await self._pump(
                upstream.channel, upstream.http, client, http, first=head, before_end=before_end
            )
        except (OSError, h11.RemoteProtocolError) as error:
            upstream.channel.abort()
            raise UpstreamError(str(error)) from error
        except BaseException:
            upstream.channel.abort()
            raise
        self._keep(upstream, to)

    def close(self) -> None:
        """Close the idle connections."""
        for kept in self._kept.values():
            for upstream in kept:
                upstream.channel.abort()
        self._kept.clear()

    async def _connected(self, to: Destination) -> _Upstream:
        kept = self._kept[to.host, to.port]
        while kept:
            upstream = kept.pop()
            fresh = time.monotonic() - upstream.kept_at < _KEPT_SECONDS
            if fresh and not upstream.channel.ended:
                return upstream
            upstream.channel.abort()
        try:
            async with asyncio.timeout(self._limits.connect_seconds):
                channel = Channel(*await asyncio.open_connection(to.host, to.port))
        except OSError as error:
            raise UnreachableError(str(error)) from error
        return _Upstream(channel, h11.Connection(h11.CLIENT))

    def _keep(self, upstream: _Upstream, to: Destination) -> None:
        http, kept = upstream.http, self._kept[to.host, to.port]
        if http.our_state is http.their_state is h11.DONE and len(kept) < _KEPT:
            http.start_next_cycle()
            upstream.kept_at = time.monotonic()
            kept.append(upstream)
        else:
            upstream.channel.abort()

    async def _response(self, upstream: _Upstream) -> h11.Response:
        while True:
            event = upstream.http.next_event()
            if event is h11.NEED_DATA:
                data = await upstream.channel.receive(self._limits.answer_seconds)
                upstream.http.receive_data(data)
            elif isinstance(event, h11.Response):
                return event
            elif not isinstance(event, h11.InformationalResponse):
                raise UpstreamError("the connection ended before the answer")

    async def _pump(  # noqa: PLR0913 - two ends, and what comes first and last
        self,
        source: Channel,
        reads: h11.Connection,
        sink: Channel,
        writes: h11.Connection,
        *,
        first: bytes | None,
        before_end: Callable[[], None] = lambda: None,
    ) -> None:
        """Stream a message to its end, with at most a few chunks in memory."""
        ready, seconds = bytearray(first or b""), self._limits.body_seconds
        while True:
            event = reads.next_event()
            if event is h11.NEED_DATA:
                await _flush(sink, ready, seconds)
                await send_continue(source, reads, seconds)
                reads.receive_data(await source.receive(seconds))
            elif isinstance(event, h11.Data):
                ready += writes.send(h11.Data(event.data)) or b""
            elif isinstance(event, h11.EndOfMessage):
                before_end()
                ready += writes.send(h11.EndOfMessage()) or b""
                return await _flush(sink, ready, seconds)
            else:
                raise UpstreamError("the message ended too early")
            if len(ready) > CHUNK:
                await _flush(sink, ready, seconds)

    def _returned(
        self, response: h11.Response, *, to: Destination, request: h11.Request
    ) -> h11.Response:
        headers = [
            (name, self._public(name, value, to=to))
            for name, value in _end_to_end(response.headers)
        ]
        close = [(b"connection", b"close")] if request.http_version < b"1.1" else []
        return h11.Response(
            status_code=response.status_code, headers=headers + close, reason=response.reason
        )

    def _public(self, name: bytes, value: bytes, *, to: Destination) -> bytes:
        """Replace the sandbox's own address with Datadog's names."""
        if to.named is None:
            return value
        if name == b"location":
            return self._public_url(value.decode("latin-1"), to.named).encode("latin-1")
        if name == b"set-cookie":
            return _COOKIE_PATH.sub(lambda found: found[1] + _below(found[2], to.prefix), value)
        return value

    def _public_url(self, url: str, named: DatadogHost) -> str:
        for host in (named, *self._hosts):
            rest = url.removeprefix(host.url)
            if rest != url and rest[:1] in {"", "/", "?", "#"}:
                return f"https://{host.name}{rest}"
        return url


async def send_continue(client: Channel, http: h11.Connection, seconds: float) -> None:
    """Tell a waiting client to send its body."""
    if http.our_role is h11.SERVER and http.they_are_waiting_for_100_continue:
        ready = http.send(h11.InformationalResponse(status_code=100, headers=[]))
        await client.send(ready or b"", seconds)


async def _flush(sink: Channel, ready: bytearray, seconds: float) -> None:
    if ready:
        data = bytes(ready)
        ready.clear()
        await sink.send(data, seconds)


def _outgoing(request: h11.Request, *, to: Destination) -> h11.Request:
    target = origin_form(request.target)
    headers = [
        (name, value)
        for name, value in _end_to_end(request.headers)
        if name not in {b"host", b"expect", FRONT_HEADER}
    ]
    headers.insert(0, (b"host", to.host_header.encode("ascii")))
    if to.named is not None:
        headers.append((FRONT_HEADER, to.named.name.encode("ascii")))
    if any(name == b"transfer-encoding" for name, _ in request.headers):
        headers.append((b"transfer-encoding", b"chunked"))
    return h11.Request(method=request.method, target=to.prefix.encode() + target, headers=headers)


def origin_form(target: bytes) -> bytes:
    """Return the path and query of a request target, which may be a whole URL."""
    _, scheme, rest = target.partition(b"://")
    if target.startswith(b"/") or not scheme:
        return target if target.startswith(b"/") else b"/"
    place = min((rest.find(mark) for mark in b"/?#" if mark in rest), default=len(rest))
    found = rest[place:]
    return found if found.startswith(b"/") else b"/" + found


def _end_to_end(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Remove headers that concern only one connection (RFC 9110 7.6.1)."""
    listed = list(headers)
    named = {
        part.strip().lower()
        for name, value in listed
        if name == b"connection"
        for part in value.split(b",")
    }
    gone = _HOP_BY_HOP | named
    return [(name, value) for name, value in listed if name not in gone]


def _below(path: bytes, prefix: str) -> bytes:
    """Return a cookie's path as the browser sees it, without the prefix."""
    whole, own = path.decode("latin-1").rstrip("/"), prefix
    if whole and (own == whole or own.startswith(f"{whole}/")):
        return b"/"
    return whole.removeprefix(own).encode("latin-1") if whole.startswith(f"{own}/") else path
