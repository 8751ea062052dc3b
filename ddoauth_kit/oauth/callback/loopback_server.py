"""Serve a few pages on loopback, strictly: small requests, one a connection, and no log.

It knows HTTP and nothing of OAuth. A request that is too large, too slow or malformed gets a 4xx
and reaches nobody.
"""

from __future__ import annotations

import errno
import os
import re
import socket
import socketserver
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from ddoauth_kit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

LINE_BYTES: Final = 16 * 1024
HEAD_BYTES: Final = 48 * 1024
HEADERS: Final = 100
PATIENCE: Final = 5.0
AT_ONCE: Final = 128
_DRAINED_BYTES: Final = 256 * 1024
_NO_IPV6: Final = {errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL}
_END: Final = b"\r\n\r\n"
_REQUEST: Final = re.compile(r"([A-Z]{1,20}) (/[!-~]*) HTTP/1\.[01]")
_HEADER: Final = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\r\n\0]*?)[ \t]*")


@dataclass(frozen=True, slots=True)
class Asked:
    """Hold one GET request: path and query as they were sent, header names in lower case."""

    path: str
    query: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Reply:
    """Hold one answer, and what to do once it was sent."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""
    then: Callable[[], None] = lambda: None


class LoopbackServer:
    """Answer GET requests on loopback addresses from threads of its own, until `close`.

    `port` 0 takes any free one. `refuse` makes the answer to a request that never reaches
    `respond`, from a status.

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
    ) -> None:
        self._servers: list[_Server] = []
        for host in hosts:
            try:
                server = _Server(host, port=port, respond=respond, refuse=refuse)
            except (OSError, OverflowError) as error:
                if self._servers and getattr(error, "errno", 0) in _NO_IPV6:
                    continue  # `localhost` is 127.0.0.1 alone on such a machine
                for opened in self._servers:
                    opened.server_close()
                raise _not_opened(host, port, error) from None
            self._servers.append(server)
            port = server.port
        self.port = port
        for server in self._servers:
            server.start()

    def close(self) -> None:
        """Close the port; an answer under way is still sent."""
        for server in self._servers:
            server.stop()
        self._servers.clear()


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    # A second run must not wait until the system forgets the first one's connections; on Windows
    # the same option would let another program take the port over.
    allow_reuse_address = os.name == "posix"
    request_queue_size = 64

    def __init__(
        self,
        host: str,
        *,
        port: int,
        respond: Callable[[Asked], Reply],
        refuse: Callable[[int], Reply],
    ) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.respond = respond
        self.refuse = refuse
        self._places = threading.BoundedSemaphore(AT_ONCE)
        super().__init__((host, port), _Connection)
        self.port: int = self.server_address[1]

    def start(self) -> None:
        """Serve from a thread of its own."""
        run = {"target": self.serve_forever, "args": (0.05,), "daemon": True}
        threading.Thread(name=f"ddoauth-callback-{self.port}", **run).start()  # type: ignore[arg-type]

    def stop(self) -> None:
        """End that thread and close the port."""
        self.shutdown()
        self.server_close()

    def process_request(self, request: object, client_address: object) -> None:
        """Give a connection a thread, unless too many have one: that is no browser."""
        if self._places.acquire(blocking=False):
            super().process_request(request, client_address)  # type: ignore[arg-type]
        else:
            self.shutdown_request(request)  # type: ignore[arg-type]

    def process_request_thread(self, request: object, client_address: object) -> None:
        """Answer one connection and give its place back."""
        try:
            super().process_request_thread(request, client_address)  # type: ignore[arg-type]
        finally:
            self._places.release()

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: what went wrong may hold a code, and the waiter hears of it."""


class _Refused(Exception):  # noqa: N818 - it is a status to answer with
    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class _Connection(socketserver.BaseRequestHandler):
    server: _Server
    request: socket.socket

    def handle(self) -> None:
        """Read one request, answer it, and hang up."""
        try:
            reply = self.server.respond(_parsed(_read_head(self.request)))
        except _Refused as refused:
            reply = self.server.refuse(refused.status)
        except OSError:
            return
        try:
            with suppress(OSError):
                _send(self.request, reply)
        finally:
            reply.then()


def _read_head(connection: socket.socket) -> bytes:
    """Read up to the blank line, within five seconds in all."""
    deadline = time.monotonic() + PATIENCE
    head = bytearray()
    while _END not in head:
        if len(head) > HEAD_BYTES or (len(head) > LINE_BYTES and b"\r\n" not in head):
            raise _too_large(bytes(head))
        connection.settimeout(max(deadline - time.monotonic(), 0.001))
        try:
            chunk = connection.recv(8192)
        except TimeoutError:
            raise _Refused(HTTPStatus.REQUEST_TIMEOUT) from None
        if not chunk:
            raise ConnectionResetError
        head += chunk
    found = bytes(head).partition(_END)[0]
    if len(found) > HEAD_BYTES or len(found.partition(b"\r\n")[0]) > LINE_BYTES:
        raise _too_large(found)
    return found


def _too_large(head: bytes) -> _Refused:
    line_is_it = len(head.partition(b"\r\n")[0]) > LINE_BYTES
    return _Refused(
        HTTPStatus.REQUEST_URI_TOO_LONG
        if line_is_it
        else HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
    )


def _parsed(head: bytes) -> Asked:
    first, *lines = head.decode("latin-1").split("\r\n")
    found = _REQUEST.fullmatch(first)
    if found is None:
        raise _Refused(HTTPStatus.BAD_REQUEST)
    headers = _headers(lines)
    if found[1] != "GET":
        raise _Refused(HTTPStatus.METHOD_NOT_ALLOWED)
    path, _, query = found[2].partition("?")
    return Asked(path, query, headers)


def _headers(lines: list[str]) -> dict[str, str]:
    """Return the headers; only `Cookie` may come twice, and `Host` comes once."""
    if len(lines) > HEADERS:
        raise _Refused(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
    headers: dict[str, str] = {}
    for line in lines:
        found = _HEADER.fullmatch(line)
        if found is None:
            raise _Refused(HTTPStatus.BAD_REQUEST)
        name, value = found[1].lower(), found[2]
        if name in headers and name == "host":
            raise _Refused(HTTPStatus.BAD_REQUEST)
        joint = "; " if name == "cookie" else ", "
        headers[name] = f"{headers[name]}{joint}{value}" if name in headers else value
    if "host" not in headers:
        raise _Refused(HTTPStatus.BAD_REQUEST)
    return headers


def _send(connection: socket.socket, reply: Reply) -> None:
    reason = HTTPStatus(reply.status).phrase
    headers = (*reply.headers, ("Content-Length", str(len(reply.body))), ("Connection", "close"))
    lines = [f"HTTP/1.1 {reply.status} {reason}", *(f"{name}: {value}" for name, value in headers)]
    connection.settimeout(PATIENCE)
    connection.sendall("\r\n".join([*lines, "", ""]).encode("latin-1") + reply.body)
    connection.shutdown(socket.SHUT_WR)
    if reply.status >= HTTPStatus.BAD_REQUEST:
        _drain(connection)


def _drain(connection: socket.socket) -> None:
    """Read what else was sent: a close with unread bytes would take the answer back."""
    connection.settimeout(0.2)
    left = _DRAINED_BYTES
    while left > 0 and (chunk := connection.recv(65536)):
        left -= len(chunk)


def _not_opened(host: str, port: int, error: Exception) -> InputError:
    reason = getattr(error, "strerror", None) or error
    return InputError("port_not_opened", f"Port {port} on {host} cannot be opened: {reason}.")
