"""Serve test-specific responses on loopback, over real sockets, and record each request."""

from __future__ import annotations

import re
import socket
import sys
import threading
import time
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from ssl import PROTOCOL_TLS_CLIENT, PROTOCOL_TLS_SERVER, SSLContext
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from support.builders import local_site

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ddoauth_kit import Site

# What httpx needs for plain HTTP to this machine: loading certificate authorities takes 20 ms.
PLAIN = {"trust_env": False, "verify": SSLContext(PROTOCOL_TLS_CLIENT)}


@dataclass(frozen=True)
class Arrived:
    """One request as the server saw it; header names are in lower case."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def form(self) -> dict[str, str]:
        """Return the fields of a form-encoded body."""
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))


@dataclass(frozen=True)
class Answer:
    """A response, and the number of seconds to wait before sending it."""

    text: str = "{}"
    status: int = 200
    headers: tuple[tuple[str, str], ...] = (("content-type", "application/json"),)
    after: float = 0.0


class RecordingServer:
    """Sends the responses in order and then repeats the last one, or sends those of `respond`."""

    def __init__(
        self,
        *answers: Answer,
        tls: SSLContext | None = None,
        respond: Callable[[Arrived], Answer] | None = None,
    ) -> None:
        self.arrived: list[Arrived] = []
        self.most_at_once = 0
        self._at_once = 0
        self._answers = list(answers) or [Answer()]
        self._respond = respond
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        if tls:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self._server.handle_error = lambda *_: None
        self._scheme = "https" if tls else "http"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.002,))
        self._thread.start()

    @property
    def url(self) -> str:
        """Return the base URL, without a trailing slash."""
        return f"{self._scheme}://127.0.0.1:{self._server.server_port}"

    @property
    def site(self) -> Site:
        """Return a site whose hosts are all this server."""
        return local_site(self.url)

    def take(self, arrived: Arrived) -> Answer:
        """Record a request and return its response after the delay."""
        with self._lock:
            self.arrived.append(arrived)
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
            answer = self._respond(arrived) if self._respond else self._next()
        time.sleep(answer.after)
        with self._lock:
            self._at_once -= 1
        return answer

    def _next(self) -> Answer:
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]

    def close(self) -> None:
        """Stop serving and free the port."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    request_queue_size = 64


def _handler(server: RecordingServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def _reply(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            answer = server.take(Arrived(self.command, self.path, headers, body))
            self.send_response(answer.status)
            for name, value in answer.headers:
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.text.encode())

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _reply  # noqa: N815 - the names are those of http.server

        def log_message(self, *_: object) -> None:
            """Log nothing: tests read the records."""

    return Handler


class RawServer:
    """Sends bytes on each connection, which need not be HTTP, or never responds (`None`)."""

    def __init__(self, payload: bytes | None) -> None:
        self.connections = 0
        self._payload = payload
        self._over = threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._socket.settimeout(0.01)
        self.site = local_site(f"http://127.0.0.1:{self._socket.getsockname()[1]}")
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while not self._over.is_set():
            try:
                connection, _ = self._socket.accept()
            except TimeoutError:
                continue
            with connection:
                self.connections += 1
                connection.settimeout(1.0)
                with suppress(OSError):  # the client may hang up first
                    self._reply(connection)

    def _reply(self, connection: socket.socket) -> None:
        head, _, body = connection.recv(65536).partition(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
        while length and len(body) < int(length[1]):
            body += connection.recv(65536)
        if self._payload is None:
            self._over.wait()
        else:
            connection.sendall(self._payload)

    def close(self) -> None:
        """Hang up and free the port."""
        self._over.set()
        self._thread.join()
        self._socket.close()


class HoldingServer:
    """Sends each connection the same bytes, keeps it open, and tracks the open ones.

    `requests` contains what arrived. With `most`, a connection is closed on the request after that
    many.
    """

    def __init__(self, payload: bytes, *, most: int = sys.maxsize) -> None:
        self.opened = 0
        self.open = 0
        self.requests: list[bytes] = []
        self._payload = payload
        self._most = most
        self._changed = threading.Condition()
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.site = local_site(f"http://127.0.0.1:{self._socket.getsockname()[1]}")
        self._threads = [threading.Thread(target=self._serve)]
        self._threads[0].start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self._threads.append(threading.Thread(target=self._hold, args=(connection,)))
            self._threads[-1].start()

    def _hold(self, connection: socket.socket) -> None:
        self._count(1)
        connection.settimeout(10.0)
        with connection, suppress(OSError):
            answered = 0
            while heard := connection.recv(65536):
                self.requests.append(heard)
                if answered == self._most:
                    break
                answered += 1
                connection.sendall(self._payload)
        self._count(-1)

    def _count(self, change: int) -> None:
        with self._changed:
            self.opened += max(0, change)
            self.open += change
            self._changed.notify_all()

    def wait_for(self, number: int, *, seconds: float = 5.0) -> bool:
        """Wait until this many connections are open; return whether that happened."""
        with self._changed:
            return self._changed.wait_for(lambda: self.open == number, seconds)

    def close(self) -> None:
        """Free the port; connections must have been closed by the other side."""
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for thread in self._threads:
            thread.join()


class DrippingServer:
    """Reads requests (or a byte now and then), sends a beginning, and then piece after piece.

    It hangs up after `lasts` seconds, which exposes a client without a deadline.
    """

    def __init__(
        self, begin: bytes, piece: bytes, *, reads: bool = True, lasts: float = 5.0
    ) -> None:
        self._begin, self._piece, self._reads, self._lasts = begin, piece, reads, lasts
        self._over = threading.Event()
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.listen()
        self.site = local_site(f"http://127.0.0.1:{self._socket.getsockname()[1]}")
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        self._socket.settimeout(0.01)
        while not self._over.is_set():
            with suppress(OSError), self._socket.accept()[0] as connection:
                self._drip(connection)

    def _drip(self, connection: socket.socket) -> None:
        connection.settimeout(1.0)
        connection.recv(65536 if self._reads else 1)
        connection.sendall(self._begin)
        end = time.monotonic() + self._lasts
        while time.monotonic() < end and not self._over.wait(0.02):
            connection.sendall(self._piece)
            if not self._reads:
                connection.recv(1)

    def close(self) -> None:
        """Hang up and free the port."""
        self._over.set()
        self._thread.join()
        self._socket.close()


@contextmanager
def held_port() -> Iterator[int]:
    """Hold a port at which nobody listens: no other program gets it, but a test's server may."""
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]


_HELD = ExitStack()


@cache
def refused_site() -> Site:
    """Return a site whose port has no listener."""
    return local_site(f"http://127.0.0.1:{_HELD.enter_context(held_port())}")


def self_signed(folder: Path) -> SSLContext:
    """Create a certificate for 127.0.0.1 that nobody trusts."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    file = folder / "self-signed.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = SSLContext(PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context
