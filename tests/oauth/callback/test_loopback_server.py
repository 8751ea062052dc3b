"""The listener's server reads little, waits briefly, and keeps answering meanwhile."""

from __future__ import annotations

import socket
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from support.visitors import Heard, get, say

from ddoauth_kit.oauth.callback import loopback_server as callback_server
from ddoauth_kit.oauth.callback.callback_pages import refusal
from ddoauth_kit.oauth.callback.loopback_server import AT_ONCE, Asked, LoopbackServer, Reply

if TYPE_CHECKING:
    from collections.abc import Iterator


def echo(asked: Asked) -> Reply:
    """Answer with what was understood."""
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
        (["GET / HTTP/1.1", "Host: a", " folded"], 400),
        (["GET / HTTP/1.1", "Host : a"], 400),
        (["GET  / HTTP/1.1", "Host: a"], 400),
        (["GET http://h/ HTTP/1.1", "Host: h"], 400),
        (["GET / HTTP/2", "Host: h"], 400),
        (["GET /\xe9 HTTP/1.1", "Host: h"], 400),
        (["\x16\x03\x01\x02\x00\x01"], 400),
    ],
)
def test_what_is_too_large_or_malformed_gets_4xx(port: int, lines: list[str], status: int) -> None:
    """The answer arrives whole, and the next request works."""
    assert asks(port, *lines).status == status
    assert get(f"http://127.0.0.1:{port}/next").status == 200


def test_head_gets_no_body(port: int) -> None:
    """The answer to HEAD is headers alone, which say what is allowed."""
    heard = get(f"http://127.0.0.1:{port}/", method="HEAD")
    assert (heard.status, heard.headers["allow"], heard.text) == (405, "GET", "")


def test_a_slow_client_does_not_block_and_is_given_up(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that sends a byte now and then is answered 408 in the end; others never notice."""
    monkeypatch.setattr(callback_server, "PATIENCE", 0.4)
    with socket.create_connection(("127.0.0.1", port), timeout=5) as slow:
        slow.sendall(b"GET /slow")
        began = time.monotonic()
        assert get(f"http://127.0.0.1:{port}/fast").status == 200
        assert time.monotonic() - began < 0.3
        time.sleep(0.2)
        slow.sendall(b"er")
        assert slow.recv(65536).startswith(b"HTTP/1.1 408 ")
        assert time.monotonic() - began < 1.5


def test_too_many_connections_are_dropped(port: int) -> None:
    """Beyond what a browser opens, connections are closed at once; later ones work again."""
    with ExitStack() as stack:
        for _ in range(AT_ONCE):
            stack.enter_context(socket.create_connection(("127.0.0.1", port)))
        time.sleep(0.2)
        with socket.create_connection(("127.0.0.1", port), timeout=2) as late:
            assert late.recv(1) == b""
    time.sleep(0.2)
    assert get(f"http://127.0.0.1:{port}/later").status == 200


def test_a_client_that_hangs_up_is_no_event(port: int, capfd: pytest.CaptureFixture[str]) -> None:
    """Half a request and a close leave no trace and no thread that matters."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(b"GET / HT")
    assert get(f"http://127.0.0.1:{port}/").status == 200
    assert capfd.readouterr() == ("", "")
