"""Serve a few pages on loopback, strictly: small requests only, one per connection, and no logs.

The server handles sockets and knows nothing about OAuth; h11 reads the requests. A request that is
too large, too slow or malformed gets a 4xx response and goes no further. So does a request from
another user on this machine. Connections that send nothing can't block others.
"""

from __future__ import annotations

import errno
import os
import socket
import socketserver
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

import h11

from ddoauth_kit.errors import InputError
from ddoauth_kit.oauth.callback.neighbours import is_foreign

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

LINE_BYTES: Final = 16 * 1024
HEAD_BYTES: Final = 48 * 1024
HEADERS: Final = 100
PATIENCE: Final = 5.0
AT_ONCE: Final = 128
_DRAIN: Final = 0.5
_NO_DESCRIPTOR: Final = 0.1
_NO_IPV6: Final = {errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL}


@dataclass(frozen=True, slots=True)
class Asked:
    """One GET request: the raw path and query, and headers with lower-case names."""

    path: str
    query: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Reply:
    """One response, and what to do after sending it."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""
    then: Callable[[], None] = lambda: None


class LoopbackServer:
    """Answer GET requests on loopback addresses from separate threads, until `close`.

    If `port` is 0, any free port is used. `refuse` takes a status and returns the response to a
    request that never reaches `respond`. `user` is the id of the user who, besides root, may
    connect; None means the user who runs this program.

    Raises:
        InputError: `port_not_opened`.
    """

    def __init__(
        self,
        hosts: tuple[str, ...],
        *,
        port: int,
        respond: Callable[[Asked], Reply],
        refuse: Callable[[int], Reply],
        user: int | None = None,
    ) -> None:
        self._servers: list[_Server] = []
        for host in hosts:
            try:
                server = _Server(host, port=port, respond=respond, refuse=refuse, user=user)
            except (OSError, OverflowError) as error:
                if self._servers and getattr(error, "errno", 0) in _NO_IPV6:
                    continue  # on such a machine, `localhost` is only 127.0.0.1
                for opened in self._servers:
                    opened.server_close()
                raise _not_opened(host, port, error) from None
            self._servers.append(server)
            port = server.port
        self.port = port
        for server in self._servers:
            server.start()

    def close(self) -> None:
        """Close the port after finishing any response that is being sent."""
        for server in self._servers:
            server.stop()
        self._servers.clear()


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    # A second run must not have to wait until the system forgets the first one's connections; on
    # Windows, the same option would let another program take over the port.
    allow_reuse_address = os.name == "posix"
    request_queue_size = 512
    timeout = 0.5

    def __init__(
        self,
        host: str,
        *,
        port: int,
        respond: Callable[[Asked], Reply],
        refuse: Callable[[int], Reply],
        user: int | None = None,
    ) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.host = host
        self.respond = respond
        self.refuse = refuse
        self.user = user
        self.open = _Open()
        self._ends = threading.Event()
        super().__init__((host, port), _Connection)
        self.port: int = self.server_address[1]
        self._thread = threading.Thread(
            target=self._serve, name=f"ddoauth-callback-{self.port}", daemon=True
        )

    def start(self) -> None:
        """Start serving, in a separate thread."""
        self._thread.start()

    def _serve(self) -> None:
        while not self._ends.is_set():
            self.handle_request()

    def stop(self) -> None:
        """End that thread and close the port."""
        self._ends.set()
        with suppress(OSError):  # without it, the thread sees the end after `timeout`
            socket.create_connection((self.host, self.port), timeout=self.timeout).close()
        self._thread.join()
        self.server_close()

    def get_request(self) -> tuple[socket.socket, object]:
        """Accept a connection; if file descriptors run out, make room and pause."""
        try:
            return super().get_request()
        except OSError:
            self.open.drop_oldest()
            time.sleep(_NO_DESCRIPTOR)
            raise

    def process_request(self, request: object, client_address: object) -> None:
        """Give a connection a thread; if necessary, drop the one that has been silent longest."""
        assert isinstance(request, socket.socket)  # noqa: S101 - this is a TCP server
        if self.open.add(request):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def shutdown_request(self, request: object) -> None:
        """Close the connection."""
        assert isinstance(request, socket.socket)  # noqa: S101 - this is a TCP server
        self.open.remove(request)
        super().shutdown_request(request)

    def handle_error(self, request: object, client_address: object) -> None:
        """Don't log the error, because it may contain a code; the waiting thread receives it."""


class _Open:
    """Track the open connections, and which of them have not sent their request yet."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._silent: dict[socket.socket, None] = {}

    def add(self, connection: socket.socket) -> bool:
        """Add a connection; return False if the maximum number is already being answered."""
        if len(self._open) >= AT_ONCE and not self.drop_oldest():
            return False
        with self._lock:
            self._open.add(connection)
            self._silent[connection] = None
        return True

    def asked(self, connection: socket.socket) -> None:
        """Note that a connection has sent its request, which protects it from being dropped."""
        with self._lock:
            self._silent.pop(connection, None)

    def remove(self, connection: socket.socket) -> None:
        """Forget a connection."""
        with self._lock:
            self._open.discard(connection)
            self._silent.pop(connection, None)

    def drop_oldest(self) -> bool:
        """Drop the connection that has been silent the longest, if there is one."""
        with self._lock:
            oldest = next(iter(self._silent), None)
            if oldest is None:
                return False
            del self._silent[oldest]
            self._open.discard(oldest)
            with suppress(OSError):
                oldest.shutdown(socket.SHUT_RDWR)  # its thread then reads the end and closes it
            return True


class _Refused(Exception):  # noqa: N818 - it is a status to respond with
    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class _Connection(socketserver.BaseRequestHandler):
    server: _Server
    request: socket.socket

    def handle(self) -> None:
        """Read one request, answer it, and close the connection."""
        try:
            if is_foreign(self.request, user=self.server.user):
                raise _Refused(HTTPStatus.FORBIDDEN)  # noqa: TRY301 - handled like any refusal
            asked = _asked(_head(self.request))
            self.server.open.asked(self.request)
            reply = self.server.respond(asked)
        except _Refused as refused:
            reply = self.server.refuse(refused.status)
        except OSError:
            return
        try:
            with suppress(OSError):
                self._send(reply)
        finally:
            reply.then()

    def _send(self, reply: Reply) -> None:
        reason, length = HTTPStatus(reply.status).phrase, str(len(reply.body))
        headers = (*reply.headers, ("Content-Length", length), ("Connection", "close"))
        lines = (f"{name}: {value}" for name, value in headers)
        head = "\r\n".join([f"HTTP/1.1 {reply.status} {reason}", *lines, "", ""])
        self.request.settimeout(PATIENCE)
        self.request.sendall(head.encode("latin-1") + reply.body)
        self.request.shutdown(socket.SHUT_WR)
        if reply.status >= HTTPStatus.BAD_REQUEST:
            self._drain()

    def _drain(self) -> None:
        """Keep reading for a moment: closing with unread bytes would discard the response."""
        deadline = time.monotonic() + _DRAIN
        while (left := deadline - time.monotonic()) > 0:
            self.request.settimeout(left)
            if not self.request.recv(65536):
                return


def _head(connection: socket.socket) -> h11.Request:
    """Read up to the blank line, within five seconds in total."""
    parser = h11.Connection(h11.SERVER, max_incomplete_event_size=HEAD_BYTES)
    deadline = time.monotonic() + PATIENCE
    line = b""
    while True:
        chunk = _received(connection, deadline)
        line = (line + chunk)[: LINE_BYTES + 1]
        parser.receive_data(chunk)
        try:
            event = parser.next_event()
        except h11.RemoteProtocolError as error:
            long = len(line.partition(b"\n")[0]) > LINE_BYTES
            status = HTTPStatus.REQUEST_URI_TOO_LONG if long else error.error_status_hint
            raise _Refused(status) from None
        if isinstance(event, h11.Request):
            return event


def _received(connection: socket.socket, deadline: float) -> bytes:
    connection.settimeout(max(deadline - time.monotonic(), 0.001))
    try:
        chunk = connection.recv(8192)
    except TimeoutError:
        raise _Refused(HTTPStatus.REQUEST_TIMEOUT) from None
    if not chunk:
        raise ConnectionResetError
    return chunk


def _asked(request: h11.Request) -> Asked:
    if len(request.target) > LINE_BYTES:
        raise _Refused(HTTPStatus.REQUEST_URI_TOO_LONG)
    size = sum(len(name) + len(value) for name, value in request.headers)
    if len(request.headers) > HEADERS or size > HEAD_BYTES:
        raise _Refused(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
    headers = _joined(request.headers)
    if "host" not in headers or not request.target.startswith(b"/"):
        raise _Refused(HTTPStatus.BAD_REQUEST)
    if request.method != b"GET":
        raise _Refused(HTTPStatus.METHOD_NOT_ALLOWED)
    path, _, query = request.target.decode("ascii").partition("?")
    return Asked(path, query, headers)


def _joined(pairs: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Return one value per name, joined as RFC 9110 section 5.3 and RFC 6265 section 5.4 say."""
    headers: dict[str, str] = {}
    for raw, value in pairs:
        name, text = raw.decode("ascii"), value.decode("latin-1")
        joint = "; " if name == "cookie" else ", "
        headers[name] = f"{headers[name]}{joint}{text}" if name in headers else text
    return headers


def _not_opened(host: str, port: int, error: Exception) -> InputError:
    reason = getattr(error, "strerror", None) or error
    return InputError("port_not_opened", f"Port {port} on {host} cannot be opened: {reason}.")
