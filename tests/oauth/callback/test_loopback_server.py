"""The listener's server reads little, waits briefly, and keeps answering meanwhile."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from select import select
from typing import TYPE_CHECKING, Any

import pytest
from support.visitors import Heard, get, say

from ddoauth_kit.oauth.callback import loopback_server as callback_server
from ddoauth_kit.oauth.callback.callback_pages import refusal
from ddoauth_kit.oauth.callback.loopback_server import AT_ONCE, Asked, LoopbackServer, Reply

if TYPE_CHECKING:
    from collections.abc import Iterator


def echo(asked: Asked) -> Reply:
    """Reply with the parsed request."""
    words = f"{asked.path} {asked.query} {sorted(asked.headers)}"
    return Reply(200, (("Content-Type", "text/plain"),), words.encode())


@pytest.fixture
def port() -> Iterator[int]:
    """Serve on a free port."""
    server = LoopbackServer(("127.0.0.1",), port=0, respond=echo, refuse=refusal)
    yield server.port
    server.close()


def asks(port: int, *lines: str) -> Heard:
    """Send a request of these lines."""
    return say(port, "\r\n".join([*lines, "", ""]))


def test_path_query_and_headers(port: int) -> None:
    """They arrive as they were sent; a cookie may come in two headers."""
    heard = asks(port, "GET /a%2fb?x=1&x=2 HTTP/1.1", "Host: h", "Cookie: a=1", "cookie: b=2")
    assert heard.text == "/a%2fb x=1&x=2 ['cookie', 'host']"
    assert heard.headers["connection"] == "close"


@pytest.mark.checklist("L7")
@pytest.mark.parametrize(
    ("lines", "status"),
    [
        (["GET /" + "a" * 17_000 + " HTTP/1.1", "Host: h"], 414),
        (["GET /" + "a" * 200_000], 414),
        (["GET / HTTP/1.1", "Host: h", "X: " + "a" * 50_000], 431),
        (["GET / HTTP/1.1", "Host: h", *["X: a"] * 101], 431),
        (["GET / HTTP/1.1"], 400),
        (["GET / HTTP/1.1", "Host: a", "Host: b"], 400),
        (["GET / HTTP/1.1", " folded", "Host: a"], 400),
        (["GET / HTTP/1.1", "Host : a"], 400),
        (["GET  / HTTP/1.1", "Host: a"], 400),
        (["GET http://h/ HTTP/1.1", "Host: h"], 400),
        (["GET / HTTP/2", "Host: h"], 400),
        (["GET /\xe9 HTTP/1.1", "Host: h"], 400),
        (["\x16\x03\x01\x02\x00\x01"], 400),
    ],
)
def test_what_is_too_large_or_malformed_gets_4xx(port: int, lines: list[str], status: int) -> None:
    """The response arrives completely, and the next request works."""
    assert asks(port, *lines).status == status
    assert get(f"http://127.0.0.1:{port}/next").status == 200


def test_head_gets_no_body(port: int) -> None:
    """The response to HEAD is only headers, which say what is allowed."""
    heard = get(f"http://127.0.0.1:{port}/", method="HEAD")
    assert (heard.status, heard.headers["allow"], heard.text) == (405, "GET", "")


def test_a_slow_client_does_not_block_and_is_given_up(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client that sends a byte now and then finally gets 408; others never notice."""
    monkeypatch.setattr(callback_server, "PATIENCE", 60.0)
    with socket.create_connection(("127.0.0.1", port)) as slow:
        slow.sendall(b"GET /slow")
        assert get(f"http://127.0.0.1:{port}/fast").status == 200
        assert select([slow], [], [], 0)[0] == [], "it is still waited for"
    monkeypatch.setattr(callback_server, "PATIENCE", 0.5)
    with socket.create_connection(("127.0.0.1", port), timeout=60) as slow:
        slow.sendall(b"GET /slow")
        until = time.monotonic() + 30
        while not select([slow], [], [], 0.1)[0]:
            assert time.monotonic() < until, "each byte begins the wait anew"
            slow.sendall(b"e")
        assert slow.recv(65536).startswith(b"HTTP/1.1 408 ")


HALF = [
    b"",
    b"GET",
    b"GET / HTTP/1.1",
    b"GET / HTTP/1.1\r\nHost: h\r\n",
    b"GET / HTTP/1.1\r\nHost: h\r\nCookie: a=",
    b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9",
    b"\r\n\r\n",
]


@pytest.mark.checklist("L10")
@pytest.mark.parametrize("begin", HALF)
def test_half_open_connections_keep_nobody_out(
    port: int, begin: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many unfinished requests there are, a browser's response waits for none of them."""
    monkeypatch.setattr(callback_server, "PATIENCE", 3600.0)
    with ExitStack() as stack:
        for _ in range(AT_ONCE + 1):
            half = socket.create_connection(("127.0.0.1", port), timeout=60)
            stack.enter_context(half)
            half.sendall(begin)
        for _ in range(3):
            assert get(f"http://127.0.0.1:{port}/browser").status == 200


@pytest.mark.checklist("L10")
def test_the_newest_connection_is_not_the_one_that_gives_way(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A browser that opens a connection beforehand may use it after a flood of others."""
    monkeypatch.setattr(callback_server, "PATIENCE", 60.0)
    with ExitStack() as stack:
        for _ in range(AT_ONCE):
            stack.enter_context(socket.create_connection(("127.0.0.1", port)))
        browser = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=60))
        for _ in range(AT_ONCE // 2):
            stack.enter_context(socket.create_connection(("127.0.0.1", port)))
        browser.sendall(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        assert browser.recv(65536).startswith(b"HTTP/1.1 200 ")


@pytest.mark.checklist("L10")
def test_refused_clients_that_go_on_sending_are_hung_up_on(port: int) -> None:
    """After the response, a socket is read only for a moment, however often data arrives."""
    with ExitStack() as stack:
        sending = {}
        for piece in (b"a", b"X: y\r\n", b"\r"):
            client = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=60))
            client.sendall(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n")
            sending[piece] = client
        until = time.monotonic() + 10
        while sending and time.monotonic() < until:
            for piece, client in list(sending.items()):
                try:
                    client.sendall(piece)
                except OSError:  # the other side has closed
                    del sending[piece]
            time.sleep(0.02)
        assert not sending


# The limit is the process's own, so this one has a process.
STARVED = """
import resource, socket, sys, time
from ddoauth_kit.oauth.callback.callback_pages import refusal
from ddoauth_kit.oauth.callback.loopback_server import LoopbackServer, Reply

server = LoopbackServer(
    ("127.0.0.1",), port=0, respond=lambda asked: Reply(200, ()), refuse=refusal
)
print(server.port, flush=True)
sys.stdin.readline()
held = []
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
try:
    while True:
        held.append(socket.socket())
except OSError:
    pass
print("starved", flush=True)
before = time.process_time()
time.sleep(0.6)
print(time.process_time() - before, flush=True)
sys.stdin.readline()
for each in held:
    each.close()
print("fed", flush=True)
sys.stdin.readline()
"""


@pytest.mark.checklist("L10")
def test_without_descriptors_it_does_not_spin() -> None:
    """Connections that can't be accepted use no CPU, and get a response once they can be."""
    command = [sys.executable, "-c", STARVED]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, **pipes) as process, ExitStack() as stack:
        assert process.stdin is not None
        assert process.stdout is not None
        port = int(process.stdout.readline())
        print(file=process.stdin, flush=True)
        assert process.stdout.readline() == "starved\n"
        held = [
            stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=60))
            for _ in range(40)
        ]
        for each in held:
            each.sendall(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        assert float(process.stdout.readline()) < 0.2
        print(file=process.stdin, flush=True)
        assert process.stdout.readline() == "fed\n"
        assert held[-1].recv(65536).startswith(b"HTTP/1.1 200 ")
        print(file=process.stdin, flush=True)


def test_a_client_that_hangs_up_is_no_event(port: int, capfd: pytest.CaptureFixture[str]) -> None:
    """Half a request and a close leave no trace and no thread that matters."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(b"GET / HT")
    assert get(f"http://127.0.0.1:{port}/").status == 200
    assert capfd.readouterr() == ("", "")
