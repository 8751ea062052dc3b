"""Set one deadline for a whole exchange, from the host name lookup to the end of the body.

httpx limits each read separately, so a server that sends a byte from time to time never times out.
This module works one level below httpx, through the interface that httpcore documents for sockets.
"""

from __future__ import annotations

import socket
import threading
import time
from concurrent.futures import Future
from contextvars import ContextVar
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Final

import httpcore

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterable, Iterator

    Options = Iterable[Any] | None

_PIECE: Final = 64 * 1024
_PORTS: Final = range(1 << 16)


@dataclass
class Watch:
    """The time by which an exchange must be finished, as a `time.monotonic` value.

    `stale` is true until the connection is known to be alive: either it was opened for this
    exchange, or a response has begun.
    """

    end: float
    stale: bool = True

    def left(self, timeout: float | None, late: type[httpcore.TimeoutException]) -> float:
        """Return how many seconds one operation may take, or raise if the deadline has passed."""
        left = self.end - time.monotonic()
        if left <= 0:
            raise late("The whole exchange took too long.")
        return left if timeout is None else min(timeout, left)


# A connection serves many exchanges, so its sockets look up the deadline of their thread or task.
WATCH: ContextVar[Watch] = ContextVar("WATCH")


def watched(seconds: float) -> Watch:
    """Start the clock for one exchange in this thread or task."""
    watch = Watch(time.monotonic() + seconds)
    WATCH.set(watch)
    return watch


class TimedBackend(httpcore.NetworkBackend):
    """Open connections for threads; no wait extends beyond the deadline of its exchange."""

    def __init__(self, backend: httpcore.NetworkBackend) -> None:
        self._backend = backend

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Options = None,
    ) -> httpcore.NetworkStream:
        """Try each of a host's addresses in turn."""
        _refuse_no_port(port)
        watch = WATCH.get()
        watch.stale = False
        failure: Exception = httpcore.ConnectError(f"{host} has no address.")
        for address in _addresses(host, port, watch.left(timeout, httpcore.ConnectTimeout)):
            seconds = watch.left(timeout, httpcore.ConnectTimeout)
            try:
                stream = self._backend.connect_tcp(
                    address, port, seconds, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
            else:
                return _TimedStream(stream)
        raise failure

    def sleep(self, seconds: float) -> None:
        """Sleep."""
        self._backend.sleep(seconds)


class _TimedStream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, WATCH.get().left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for begin in range(0, len(buffer), _PIECE):
            seconds = WATCH.get().left(timeout, httpcore.WriteTimeout)
            self._stream.write(buffer[begin : begin + _PIECE], seconds)

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        seconds = WATCH.get().left(timeout, httpcore.ConnectTimeout)
        return _TimedStream(self._stream.start_tls(ssl_context, server_hostname, seconds))

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 - the signature is httpcore's
        return self._stream.get_extra_info(info)


class NotedBackend(httpcore.AsyncNetworkBackend):
    """Open connections for tasks, and mark them as new; asyncio itself enforces the deadline."""

    def __init__(self, backend: httpcore.AsyncNetworkBackend) -> None:
        self._backend = backend

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the signature is httpcore's
        local_address: str | None = None,
        socket_options: Options = None,
    ) -> httpcore.AsyncNetworkStream:
        """Open a connection."""
        _refuse_no_port(port)
        WATCH.get().stale = False
        try:
            return await self._backend.connect_tcp(
                host, port, timeout, local_address, socket_options
            )
        except UnicodeError:
            raise httpcore.ConnectError("The address cannot be used.") from None

    async def sleep(self, seconds: float) -> None:
        """Sleep."""
        await self._backend.sleep(seconds)


def _refuse_no_port(port: int) -> None:
    """Refuse invalid ports that httpcore would accept, such as 99999 for a proxy."""
    if port not in _PORTS:
        raise httpcore.ConnectError(f"{port} is not a port.")


def _addresses(host: str, port: int, seconds: float) -> Iterator[str]:
    """Yield a host's addresses; the system's resolver has no timeout, so it runs in a thread."""
    try:
        ip_address(host)
    except ValueError:
        pass
    else:
        yield host
        return
    found: Future[list[Any]] = Future()
    threading.Thread(target=_resolve, args=(host, port, found), daemon=True).start()
    try:
        entries = found.result(seconds)
    except TimeoutError:
        raise httpcore.ConnectTimeout("The name was not resolved in time.") from None
    except OSError as error:
        raise httpcore.ConnectError(str(error)) from error
    except UnicodeError:
        raise httpcore.ConnectError("The address cannot be used.") from None
    yield from (address[0] for *_, address in entries)


def _resolve(host: str, port: int, found: Future[list[Any]]) -> None:
    try:
        found.set_result(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
    except Exception as error:  # noqa: BLE001 - the waiting thread needs it
        found.set_exception(error)
