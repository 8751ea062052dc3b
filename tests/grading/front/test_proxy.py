"""Tests of what the front does with each kind of connection, over real sockets."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import subprocess
import sys
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import TYPE_CHECKING

import httpx
import psutil
import pytest
from support.front import SECRET, recorded, scene, told
from support.places import TESTS
from support.users import as_root, as_user

from ddoauth_kit.grading.front.authority import Authority
from ddoauth_kit.grading.front.channel import Limits
from ddoauth_kit.grading.front.front_error import FrontError
from ddoauth_kit.grading.front.hosts import HostTable
from ddoauth_kit.grading.front.proxy import Front

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.front import Scene

    from ddoauth_kit.grading.front.records import FrontRecord
    from ddoauth_kit.sandbox import Sandbox

API = "https://api.datadoghq.com"


def sent(behind: Scene, data: bytes) -> bytes:
    """Send raw bytes to the front and return all that comes back."""
    with socket.create_connection(("127.0.0.1", behind.front.port), timeout=20) as link:
        answer = b""
        with suppress(OSError):  # the front may hang up before it has read everything
            link.sendall(data)
            link.shutdown(socket.SHUT_WR)
        with suppress(ConnectionResetError):
            while part := link.recv(65536):
                answer += part
        return answer


def reasons(behind: Scene) -> list[str]:
    """Return the reasons of what was recorded, when there is something."""
    return [seen.reason for seen in recorded(behind.records)]


@pytest.fixture
def client(behind: Scene) -> Iterator[httpx.Client]:
    """Return a client with persistent connections through the front."""
    with httpx.Client(proxy=behind.front.url, verify=behind.tls(), timeout=30) as made:
        yield made


def test_one_connection_serves_many_requests(behind: Scene, client: httpx.Client) -> None:
    """Client and sandbox both keep their connections, and bodies arrive whole."""
    for _ in range(5):
        answer = client.post(f"{API}/api/v2/oauth2/token", data={"x": "y" * 100_000})
        assert answer.status_code == 400
    assert [seen.status for seen in behind.records] == [400] * 5
    assert {entry.fields for entry in behind.sandbox.journal[-5:]} == {("x",)}


@pytest.mark.parametrize(
    "host", ["app.datadoghq.eu", "us3.datadoghq.com", "globex-uk1.datadoghq.com"]
)
def test_cookies_and_redirects_carry_the_public_name(
    behind: Scene, client: httpx.Client, host: str
) -> None:
    """A browser at Datadog's own name keeps its session and never learns the sandbox's port."""
    first = client.get(f"https://{host}/", follow_redirects=True)
    assert first.status_code == 200
    assert first.url.host == host
    assert {cookie.path for cookie in client.cookies.jar} == {"/"}
    names = {cookie.value for cookie in client.cookies.jar}
    second = client.get(f"https://{host}/integrations")
    assert "set-cookie" not in second.headers
    assert {cookie.value for cookie in client.cookies.jar} == names
    assert "127.0.0.1" not in str(first.headers)


class _Echo(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path.endswith("/cut"):
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
            self.close_connection = True
            return
        if self.path.endswith("/slow"):
            self.server.over.wait()
            return
        body = f"{self.path}\n{self.headers}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Location", f"http://{self.headers['Host']}/us1/api/there?x=1")
        self.send_header("Set-Cookie", "a=1; Path=/us1; HttpOnly")
        self.send_header("Set-Cookie", "b=2; Path=/us1/api/below")
        self.send_header("Set-Cookie", "c=3; Path=/elsewhere")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def echoed() -> Iterator[tuple[httpx.Client, list[FrontRecord]]]:
    """Put a front in front of a server that reports what it received."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Echo)
    server.over = Event()
    Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    records: list[FrontRecord] = []
    hosts = HostTable.of_sandbox(f"http://127.0.0.1:{server.server_port}")
    authority = Authority()
    tls = ssl.create_default_context(cadata=authority.certificate.decode())
    limits = Limits(answer_seconds=0.5)
    front = Front(hosts, authority, record=records.append, limits=limits).listen_as_proxy()
    with front, httpx.Client(proxy=front.url, verify=tls, timeout=20) as made:
        yield made, records
    server.over.set()
    server.shutdown()
    server.server_close()


def test_the_sandbox_learns_the_name(
    echoed: tuple[httpx.Client, list[FrontRecord]],
) -> None:
    """The request carries the name in a header that a client cannot forge."""
    client, _ = echoed
    said = client.get(f"{API}/a/b?c=d", headers={"Ddoauth-Front-Host": "forged"}).text.lower()
    assert said.startswith("/us1/api/a/b?c=d\n")
    assert "ddoauth-front-host: api.datadoghq.com\n" in said
    assert "forged" not in said


def test_addresses_of_the_sandbox_are_translated(
    echoed: tuple[httpx.Client, list[FrontRecord]],
) -> None:
    """Location and the paths of cookies are those of Datadog's host."""
    client, _ = echoed
    answer = client.get(f"{API}/")
    assert answer.headers["location"] == f"{API}/there?x=1"
    assert answer.headers.get_list("set-cookie") == [
        "a=1; Path=/; HttpOnly",
        "b=2; Path=/below",
        "c=3; Path=/elsewhere",
    ]


@pytest.mark.parametrize("path", ["/cut", "/slow"])
def test_half_an_answer_stays_half(
    echoed: tuple[httpx.Client, list[FrontRecord]], path: str
) -> None:
    """The client's connection is cut as the sandbox's was, and the request is sent once."""
    client, records = echoed
    with pytest.raises(httpx.TransportError):
        client.get(f"{API}{path}")
    assert [(seen.treatment, seen.status) for seen in records] == [("failed", None)]


def test_a_sandbox_that_is_gone_is_named() -> None:
    """The answer is a 502 whose line says what cannot be reached."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        records: list[FrontRecord] = []
        authority = Authority()
        tls = ssl.create_default_context(cadata=authority.certificate.decode())
        hosts = HostTable.of_sandbox(f"http://127.0.0.1:{port}")
        front = Front(hosts, authority, record=records.append).listen_as_proxy()
        with front, httpx.Client(proxy=front.url, verify=tls) as client:
            answer = client.get(f"{API}/")
    assert answer.status_code == 502
    assert f"127.0.0.1:{port} cannot be reached" in answer.text


def test_plain_http_to_datadog_is_refused(behind: Scene, client: httpx.Client) -> None:
    """The line says to use https, and nothing reaches the sandbox."""
    before = len(behind.sandbox.journal)
    answer = client.get("http://api.datadoghq.com/api/v1/validate")
    assert answer.status_code == 403
    assert "Use https://api.datadoghq.com" in answer.text
    assert len(behind.sandbox.journal) == before
    assert reasons(behind) == ["plain_http"]


def test_https_in_clear_to_the_proxy_reaches_the_sandbox(behind: Scene) -> None:
    """Some old clients send a whole https address without a tunnel."""
    said = sent(behind, f"GET {API}/api/v2/current_user HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    assert said.startswith(b"HTTP/1.1 401")


@pytest.mark.parametrize(
    ("data", "status", "reason"),
    [
        (b"CONNECT 93.184.216.34:443 HTTP/1.1\r\nHost: x\r\n\r\n", 403, "ip_address"),
        (b"CONNECT [2001:db8::1]:443 HTTP/1.1\r\nHost: x\r\n\r\n", 403, "ip_address"),
        (b"GET http://93.184.216.34/ HTTP/1.1\r\nHost: x\r\n\r\n", 403, "ip_address"),
        (b"GET / HTTP/1.1\r\nHost: rebound.example\r\n\r\n", 400, "not_a_proxy_request"),
        (b"CONNECT a..b:99999 HTTP/1.1\r\nHost: x\r\n\r\n", 400, "malformed"),
        (b"GET http://:x/ HTTP/1.1\r\nHost: x\r\n\r\n", 400, "malformed"),
        (b"rubbish\r\n\r\n", 400, "malformed"),
        (b"GET http://a/ HTTP/1.1\r\nX: " + b"x" * 70_000, 431, "head_too_large"),
    ],
)
def test_bad_requests_get_one_line(behind: Scene, data: bytes, status: int, reason: str) -> None:
    """Each has its status, and the same line in the response and the record."""
    said = sent(behind, data)
    assert said.startswith(f"HTTP/1.1 {status}".encode())
    assert reasons(behind) == [reason]
    (seen,) = behind.records
    assert said.decode().endswith(f"\r\n\r\n{seen.line}\n")
    assert seen.line.endswith(".")


def _tunnel(behind: Scene, host: str) -> socket.socket:
    link = socket.create_connection(("127.0.0.1", behind.front.port), timeout=20)
    link.sendall(f"CONNECT {host}:443 HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    assert link.recv(1000).startswith(b"HTTP/1.1 200")
    return link


def test_a_host_presents_a_certificate_that_nobody_trusts(
    behind: Scene, client: httpx.Client
) -> None:
    """Only that host, from its next connection on, and until it is switched off."""
    behind.front.present_other_ca("API.datadoghq.com", on=True)
    try:
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            client.get(f"{API}/")
        assert reasons(behind) == ["not_trusted"]
        assert client.get("https://api.datadoghq.eu/api/v2/current_user").status_code == 401
    finally:
        behind.front.present_other_ca("api.datadoghq.com", on=False)
    assert client.get(f"{API}/api/v2/current_user").status_code == 401


def test_a_client_that_checks_nothing_is_seen(behind: Scene) -> None:
    """Its request arrives in spite of the certificate, which is what a grader looks for."""
    behind.front.present_other_ca("api.datadoghq.com", on=True)
    try:
        with httpx.Client(proxy=behind.front.url, verify=False) as careless:
            assert careless.get(f"{API}/api/v2/current_user").status_code == 401
    finally:
        behind.front.present_other_ca("api.datadoghq.com", on=False)
    assert [str(seen.treatment) for seen in behind.records] == ["forwarded"]


def test_a_name_that_is_not_one_gets_no_other_certificate(behind: Scene) -> None:
    """The line says what a name looks like."""
    with pytest.raises(FrontError, match="Give a name such as"):
        behind.front.present_other_ca("two words", on=True)


def test_a_client_that_does_not_trust_the_run_is_named(behind: Scene) -> None:
    """Pinned certificates end the handshake, and the line says so."""
    with _tunnel(behind, "api.datadoghq.com") as link, pytest.raises(ssl.SSLError):
        ssl.create_default_context().wrap_socket(link, server_hostname="api.datadoghq.com")
    assert reasons(behind) == ["not_trusted"]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "http2_only"),
        (b"\x00\x00\x00\x17binary", "no_http"),
    ],
)
def test_other_protocols_inside_a_tunnel_are_named(behind: Scene, data: bytes, reason: str) -> None:
    """The connection ends, and the line says what the client should do."""
    with _tunnel(behind, "api.datadoghq.com") as link:
        link.sendall(data)
        with suppress(ConnectionResetError):
            assert link.recv(1000) == b""
    assert reasons(behind) == [reason]


def test_a_hello_may_come_with_the_request_for_a_tunnel(behind: Scene) -> None:
    """Bytes that follow the request at once are the first of TLS."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = behind.tls().wrap_bio(incoming, outgoing, server_hostname="api.datadoghq.com")
    with pytest.raises(ssl.SSLWantReadError):
        tls.do_handshake()
    head = b"CONNECT api.datadoghq.com:443 HTTP/1.1\r\nHost: x\r\nDdoauth-Front: silent\r\n\r\n"
    with socket.create_connection(("127.0.0.1", behind.front.port), timeout=20) as link:
        link.sendall(head + outgoing.read())
        assert link.recv(1) == b"\x16"


def test_names_of_a_large_body_stay_unread(behind: Scene, client: httpx.Client) -> None:
    """A body over the limit to a foreign host is dropped and not held in memory."""
    answer = client.post("https://evil.example/", content=b"a=" + b"x" * 3_000_000)
    assert answer.status_code == 403
    assert behind.records[0].body_fields == ("<hidden>",)


def test_credentials_in_headers_are_named(behind: Scene, client: httpx.Client) -> None:
    """Basic authentication at a foreign host shows as a header's name."""
    client.get("https://evil.example/", auth=("id", SECRET))
    assert behind.records[0].credential_headers == ("authorization",)
    assert SECRET not in told(behind.records)


@pytest.mark.parametrize(
    "allow", ["api.datadoghq.com", "*.datadoghq.com", "https://shop.example", "a b"]
)
def test_hosts_that_cannot_be_allowed(upstream: Sandbox, allow: str) -> None:
    """One of Datadog's hosts, or what is not a host, is refused before anything listens."""
    with pytest.raises(FrontError, match=r"--allow|HOST:PORT"):
        Front(HostTable.of_sandbox(upstream.base_url), Authority(), record=print, allow=[allow])


def test_a_taken_port_is_named(upstream: Sandbox) -> None:
    """The line says which port, and what to do."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        front = Front(HostTable.of_sandbox(upstream.base_url), Authority(), record=print)
        with pytest.raises(FrontError, match=f"Port {port} on 127.0.0.1") as caught:
            front.listen_as_hosts(tls_port=port)
        front.stop()
    assert caught.value.code == "port_taken"


@pytest.fixture
def as_hosts(upstream: Sandbox) -> Iterator[tuple[Front, ssl.SSLContext, list[FrontRecord]]]:
    """Listen as way B does, on free ports."""
    records: list[FrontRecord] = []
    authority = Authority()
    front = Front(HostTable.of_sandbox(upstream.base_url), authority, record=records.append)
    front.listen_as_hosts(tls_port=0, plain_port=0)
    with front:
        yield front, ssl.create_default_context(cadata=authority.certificate.decode()), records


def _asked(link: socket.socket, host: str) -> bytes:
    link.sendall(f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
    answer = b""
    while part := link.recv(65536):
        answer += part
    return answer


def test_the_name_in_the_hello_decides(
    as_hosts: tuple[Front, ssl.SSLContext, list[FrontRecord]],
) -> None:
    """At port 443 each name gets its certificate, Datadog's the sandbox and others a 403."""
    front, tls, records = as_hosts
    for host, status in (("api.datadoghq.com", 404), ("evil.example", 403)):
        with (
            socket.create_connection(("127.0.0.1", front.ports[0]), timeout=20) as link,
            tls.wrap_socket(link, server_hostname=host) as secured,
        ):
            assert _asked(secured, "whatever").startswith(f"HTTP/1.1 {status}".encode())
    assert [(seen.host, seen.status) for seen in records] == [
        ("api.datadoghq.com", 404),
        ("evil.example", 403),
    ]


def test_a_hello_without_a_name_is_named(
    as_hosts: tuple[Front, ssl.SSLContext, list[FrontRecord]],
) -> None:
    """Its line asks for the server name."""
    front, tls, records = as_hosts
    tls.check_hostname = False
    with (
        socket.create_connection(("127.0.0.1", front.ports[0]), timeout=20) as link,
        pytest.raises(ssl.SSLError),
    ):
        tls.wrap_socket(link)
    assert [seen.reason for seen in recorded(records)] == ["no_server_name"]


def test_plain_http_at_port_80_is_named(
    as_hosts: tuple[Front, ssl.SSLContext, list[FrontRecord]],
) -> None:
    """Way B also responds there, so that the client learns what to do."""
    front, _, records = as_hosts
    with socket.create_connection(("127.0.0.1", front.ports[1]), timeout=20) as link:
        assert b"Use https://api.datadoghq.com" in _asked(link, "api.datadoghq.com")
    assert [seen.reason for seen in records] == ["plain_http"]


def test_connections_beyond_the_limit_are_cut(upstream: Sandbox) -> None:
    """The front limits its number of connections, and says so."""
    with scene(upstream, limits=Limits(connections=2)) as behind:
        links = [socket.create_connection(("127.0.0.1", behind.front.port)) for _ in range(3)]
        assert reasons(behind) == ["too_many_connections"]
        for link in links:
            link.close()


def test_a_silent_client_is_let_go(upstream: Sandbox) -> None:
    """A connection that stalls inside a request head is closed after a time limit."""
    limits = Limits(head_seconds=0.2, idle_seconds=0.2)
    with (
        scene(upstream, limits=limits) as behind,
        socket.create_connection(("127.0.0.1", behind.front.port), timeout=20) as link,
    ):
        link.sendall(b"GET http://a")
        with suppress(ConnectionResetError):
            assert link.recv(10) == b""


def _load(url: str, tls: ssl.SSLContext, *, connections: int, requests: int) -> None:
    """Send this many requests over each of the kept connections; all must be answered."""

    async def one(client: httpx.AsyncClient) -> None:
        for _ in range(requests):
            answer = await client.get(f"{API}/api/v2/current_user")
            assert answer.status_code == 401

    async def all_of_them() -> None:
        limits = httpx.Limits(max_connections=1)
        proxy = httpx.Proxy(url)
        clients = [
            httpx.AsyncClient(proxy=proxy, verify=tls, limits=limits, timeout=60)
            for _ in range(connections)
        ]
        await asyncio.gather(*map(one, clients))
        for client in clients:
            await client.aclose()

    asyncio.run(all_of_them())


@pytest.fixture
def alone(upstream: Sandbox) -> Iterator[tuple[str, ssl.SSLContext, psutil.Process]]:
    """Run a front in a separate process, so that its memory can be measured."""
    command = [sys.executable, str(TESTS / "benchmarks" / "front_cost.py"), upstream.base_url]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        said = json.loads(process.stdout.readline())
        tls = ssl.create_default_context(cadata=said["certificate"])
        yield f"http://127.0.0.1:{said['port']}", tls, psutil.Process(process.pid)
        process.stdin.close()


@pytest.mark.parametrize(
    "requests", [8, pytest.param(600, marks=pytest.mark.soak)], ids=["briefly", "a minute"]
)
def test_64_connections_leave_memory_flat(
    alone: tuple[str, ssl.SSLContext, psutil.Process], requests: int
) -> None:
    """After a warm-up the front grows by less than 2 MB, and every request is answered."""
    url, tls, process = alone
    _load(url, tls, connections=64, requests=4)
    before = process.memory_info().rss
    _load(url, tls, connections=64, requests=requests)
    assert process.memory_info().rss - before < 2_000_000


@as_root
@pytest.mark.checklist("L9")
def test_a_stranger_gets_no_tunnel_to_this_machine(upstream: Sandbox) -> None:
    """Another user of the machine can't speak to its addresses as the user who runs the front."""
    own, stranger = 4711, 65534
    front = Front(
        HostTable.of_sandbox(upstream.base_url), Authority(), record=lambda _: None, user=own
    ).listen_as_proxy()
    with front, socket.create_server(("127.0.0.1", 0)) as service:
        port = service.getsockname()[1]
        names = (
            "127.0.0.1",
            "localhost",
            "localhost.",
            "127.1",
            "0.0.0.0",
            "2130706433",
            "a.localhost",
        )

        def first_line(request: str) -> bytes:
            with (
                socket.create_connection(("127.0.0.1", front.port), timeout=20) as link,
                suppress(OSError),  # the front may have hung up already
            ):
                link.sendall(request.encode())
                link.shutdown(socket.SHUT_WR)
                return link.recv(65536).partition(b"\r\n")[0]
            return b""

        for name in names:
            there = f"{name}:{port}"
            requests = [
                f"CONNECT {there} HTTP/1.1\r\nHost: {there}\r\n\r\n",
                f"CONNECT {there} HTTP/1.1\r\nHost: {there}\r\nddoauth-front: 1\r\n\r\n",
                f"GET http://{there}/ HTTP/1.1\r\nHost: {there}\r\n\r\n",
            ]
            for request in requests:
                as_user(stranger, lambda r=request: first_line(r))
        service.settimeout(0.2)
        with pytest.raises(TimeoutError):
            service.accept()
        assert b" 200 " in as_user(
            own, lambda: first_line(f"CONNECT 127.0.0.1:{port} HTTP/1.1\r\nHost: x\r\n\r\n")
        )
        service.accept()[0].close()
