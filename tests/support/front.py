"""Provide a front for a sandbox, programs behind it, and a host that it lets through."""

from __future__ import annotations

import os
import shutil
import socket
import socketserver
import ssl
import subprocess
import sys
import threading
import weakref
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs12

from ddoauth_kit.grading.front.authority import Authority
from ddoauth_kit.grading.front.environment import front_environment
from ddoauth_kit.grading.front.front_error import FrontError
from ddoauth_kit.grading.front.hosts import HostTable
from ddoauth_kit.grading.front.isolation import check_namespaces
from ddoauth_kit.grading.front.proxy import Front
from ddoauth_kit.grading.front.trust_files import TrustFiles
from ddoauth_kit.workbook.lab.scripted_browser import Browser
from support.visitors import Person
from support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from ddoauth_kit.grading.front.records import FrontRecord
    from ddoauth_kit.sandbox import Sandbox

DATA = Path(__file__).parents[1] / "grading" / "front" / "data"
IN_CI = bool(os.environ.get("CI"))
SECRET = "sandbox-client-secret-4711-never-shown"
# Variables of whoever runs the tests would decide what is trusted.
OWN = ("PROXY", "CERT", "CA_BUNDLE", "NODE_OPTIONS", "JAVA_TOOL_OPTIONS", "PERL_LWP", "PHP_INI")


def _why_not() -> str:
    try:
        check_namespaces(os.environ)
    except FrontError as error:
        return str(error)
    return ""


WHY_NOT = _why_not()
needs_namespaces = pytest.mark.skipif(bool(WHY_NOT) and not IN_CI, reason=WHY_NOT or "allowed")


def clean_environment() -> dict[str, str]:
    """Return the tests' environment without the variables for proxies and trust."""
    return {n: v for n, v in os.environ.items() if not any(part in n.upper() for part in OWN)}


def program(name: str, *, path: str | None = None, everywhere: bool = True) -> str:
    """Find a runtime, or else skip the test, but not in CI if the runtime is `everywhere`."""
    found = shutil.which(name, path=path)
    if found is None:
        assert not (IN_CI and everywhere), f"{name} must be installed here"
        pytest.skip(f"{name} is not installed")
    return found


@dataclass
class Scene:
    """A running front, its records, and the trust files for a process behind it."""

    front: Front
    sandbox: Sandbox
    authority: Authority
    trust: TrustFiles
    records: list[FrontRecord]

    def environment(self, before: Mapping[str, str] | None = None) -> dict[str, str]:
        """Return the environment for a process that starts with these variables."""
        given = clean_environment() if before is None else before
        made = front_environment(given, proxy_url=self.front.url, trust=self.trust)
        return dict(made.variables)

    def run(self, *command: str, environment: Mapping[str, str] | None = None) -> str:
        """Run a command behind the front; return its output, including errors."""
        done = subprocess.run(
            command,
            env=dict(environment or self.environment()),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
        )
        return done.stdout.strip()

    def tls(self) -> ssl.SSLContext:
        """Return the client side of TLS that trusts the front."""
        return ssl.create_default_context(cadata=self.authority.certificate.decode())

    def person(self) -> Person:
        """Return a customer whose browser reaches Datadog's names through the front."""
        return Person(BrowserBehindFront(self.front.url, trusted=self.tls()))


class BrowserBehindFront(Browser):
    """A browser that uses the front as a proxy for all other machines."""

    def __init__(self, proxy: str, *, trusted: ssl.SSLContext) -> None:
        here = {f"all://{name}": None for name in ("127.0.0.1", "localhost")}
        behind = httpx.HTTPTransport(proxy=proxy, verify=trusted)
        self._client = httpx.Client(
            verify=trusted, trust_env=False, mounts={"all://": behind, **here}, timeout=10
        )
        weakref.finalize(self, self._client.close)


@contextmanager
def scene(
    sandbox: Sandbox, before: Mapping[str, str] | None = None, **options: object
) -> Iterator[Scene]:
    """Start a front for a sandbox."""
    records: list[FrontRecord] = []
    authority = Authority()
    given = clean_environment() if before is None else before
    hosts = HostTable.of_sandbox(sandbox.base_url)
    front = Front(hosts, authority, record=records.append, **options).listen_as_proxy()
    with TrustFiles(authority, environment=given) as trust, front:
        yield Scene(front, sandbox, authority, trust, records)


def calling(client: str, *, nodes: Callable[[str], str] | None = None) -> list[str]:
    """Return the command for a client such as `requests` or `fetch`; the caller appends a URL."""
    kind, _, version = client.partition("@")
    if kind in {"requests", "httpx", "urllib", "urllib3", "http.client"}:
        return [sys.executable, str(DATA / "call.py"), kind]
    if kind in {"fetch", "https", "axios", "http2", "net"}:
        assert nodes is not None
        return [nodes(version), str(DATA / "call.mjs"), kind]
    if kind == "curl":
        return [program("curl"), "-sS", "-o", os.devnull, "-w", "%{http_code}"]
    return {
        "java": lambda: [program("java", everywhere=False), str(DATA / "Call.java")],
        "go": lambda: [program("go", everywhere=False), "run", str(DATA / "call.go")],
        "ruby": lambda: [program("ruby", everywhere=False), str(DATA / "call.rb")],
        "php": lambda: [program("php", everywhere=False), str(DATA / "call.php")],
    }[kind]()


def form(client: str, *pairs: str) -> list[str]:
    """Return the arguments that make a client post these pairs."""
    if client.startswith("curl"):
        return [part for pair in pairs for part in ("-d", pair)]
    return ["&".join(pairs)] if client in {"java", "go", "ruby", "php"} else list(pairs)


class _Shop(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "4")
        self.end_headers()
        self.wfile.write(b"shop")

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@dataclass
class Shop:
    """A third party's https server, whose certificate comes from its own authority."""

    ca_file: Path
    java_store: Path
    proxy: str
    asked: list[str]

    @property
    def java_option(self) -> str:
        """Return the option that makes a Java process trust only that authority."""
        name = "-Djavax.net.ssl.trustStore"
        return f"{name}={self.java_store} {name}Password=other-word"


@contextmanager
def other_shop(folder: Path) -> Iterator[Shop]:
    """Serve `shop.example`, which only a proxy that was configured earlier can reach."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "other-ca.pem")
    store = folder / "other.p12"
    certificate = x509.load_pem_x509_certificate(authority.cert_pem.bytes())
    store.write_bytes(
        pkcs12.serialize_java_truststore(
            [pkcs12.PKCS12Certificate(certificate, b"other")],
            serialization.BestAvailableEncryption(b"other-word"),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("shop.example").configure_cert(context)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Shop)
    server.socket = context.wrap_socket(
        server.socket, server_side=True, do_handshake_on_connect=False
    )
    asked: list[str] = []
    parent = parent_proxy(server.server_port, asked=asked)
    for each in (server, parent):
        each.daemon_threads = True
        each.block_on_close = False
        threading.Thread(target=each.serve_forever, args=(0.05,), daemon=True).start()
    yield Shop(
        folder / "other-ca.pem",
        store,
        f"http://ada:word@127.0.0.1:{parent.server_address[1]}",
        asked,
    )
    for each in (server, parent):
        each.shutdown()
        each.server_close()


def parent_proxy(port: int, *, asked: list[str]) -> socketserver.ThreadingTCPServer:
    """Create a proxy that sends every tunnel to one port on this machine."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            head = b""
            while not head.endswith(b"\r\n\r\n") and (part := self.request.recv(1)):
                head += part
            asked.append(head.decode())
            with socket.create_connection(("127.0.0.1", port)) as there:
                self.request.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                back = threading.Thread(target=_copy, args=(there, self.request), daemon=True)
                back.start()
                _copy(self.request, there)
                back.join()

    return socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)


def _copy(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)


def recorded(records: Sequence[FrontRecord]) -> Sequence[FrontRecord]:
    """Return what a front recorded, when there is something: its client may end before that."""
    until(lambda: records)
    return records


def told(records: Sequence[FrontRecord]) -> str:
    """Return everything that a front recorded as one string, to search for leaks."""
    return "\n".join(repr(record) for record in records)
