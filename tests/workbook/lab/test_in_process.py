"""A server in this process behaves like one behind a socket, even if it is slow or broken."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from support.builders import request

from ddoauth_kit import Http
from ddoauth_kit.errors import DdoauthError
from ddoauth_kit.http.sender import AsyncHttp
from ddoauth_kit.sites import DATADOG_SITES, Endpoints
from ddoauth_kit.workbook import open_sandbox_lab, provoke
from ddoauth_kit.workbook.lab.in_process import is_in_process, serve, withdraw
from ddoauth_kit.workbook.lab.scripted_browser import Browser

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ddoauth_kit.http.message import Request, Response

ADDRESS = "http://127.0.0.1:0"
SITE = DATADOG_SITES.at({"us1": Endpoints(*[ADDRESS] * 4)}).named("us1")


@dataclass
class Echo:
    """Respond with the request, after a given time, complete or truncated."""

    delay: float = 0.0
    cut_off: bool = False
    status: int = 200

    def __call__(
        self, method: str, target: bytes, headers: list[tuple[str, str]], body: bytes
    ) -> Echo:
        """Record the request and return its response."""
        self.asked = (method, target, dict(headers), body)
        return self

    def wire_headers(self) -> list[tuple[str, str]]:
        """Announce ten bytes."""
        return [("Content-Type", "application/json"), ("Content-Length", "10")]

    def wire_body(self) -> bytes:
        """Send ten bytes, or five of them."""
        return b'["12345"]\n'[: 5 if self.cut_off else 10]


@pytest.fixture
def answering() -> Iterator[Callable[[Echo], Echo]]:
    """Serve the address while a test runs."""

    def begin(server: Echo) -> Echo:
        serve(ADDRESS, server)
        return server

    yield begin
    withdraw(ADDRESS)


def _sent(**options: float) -> Response:
    with Http(**options) as http:
        return http.send(_request())


def _awaited(**options: float) -> Response:
    async def run() -> Response:
        async with AsyncHttp(**options) as http:
            return await http.send(_request())

    return asyncio.run(run())


def _request() -> Request:
    return request(SITE, repeatable=False)


both = pytest.mark.parametrize("send", [_sent, _awaited], ids=["Http", "AsyncHttp"])


@both
def test_the_request_and_the_answer_arrive(
    send: Callable[..., Response], answering: Callable[[Echo], Echo]
) -> None:
    """The server sees method, path, headers and body as a socket would bring them."""
    server = answering(Echo())
    answer = send()
    asked = _request()
    method, target, headers, body = server.asked
    assert (method, body) == (asked.method, asked.content() or b"")
    assert target.decode() == asked.url.removeprefix(ADDRESS)
    assert headers["host"] == "127.0.0.1:0"
    assert (answer.status, answer.text) == (200, '["12345"]\n')
    assert answer.headers["content-type"] == "application/json"


@both
@pytest.mark.parametrize("limit", ["timeout", "deadline"])
def test_a_slow_answer_ends_at_the_limit(
    send: Callable[..., Response], answering: Callable[[Echo], Echo], limit: str
) -> None:
    """A client's patience ends after its time, and not after the server's."""
    answering(Echo(delay=30.0))
    started = time.monotonic()
    assert provoke(send, **{limit: 0.05}).code == "timeout"
    assert 0.05 <= time.monotonic() - started < 5


@both
def test_a_slow_answer_arrives(
    send: Callable[..., Response], answering: Callable[[Echo], Echo]
) -> None:
    """A response takes its time if the client waits for it."""
    answering(Echo(delay=0.05))
    started = time.monotonic()
    assert send().status == 200
    assert time.monotonic() - started >= 0.05


@both
def test_half_a_body_is_cut_off(
    send: Callable[..., Response], answering: Callable[[Echo], Echo]
) -> None:
    """A truncated body is an error with the same words as over a socket."""
    answering(Echo(cut_off=True))
    error = provoke(send)
    assert isinstance(error, DdoauthError)
    assert error.code == "cut_off"
    assert "received 5 bytes, expected 10" in error.what


@both
def test_nobody_answers_at_an_address_that_ended(send: Callable[..., Response]) -> None:
    """If nothing responds, neither the sender nor the browser gets a connection."""
    assert provoke(send).code == "no_network"
    assert provoke(Browser().open, ADDRESS).code == "no_network"


def test_no_real_address_is_in_process() -> None:
    """Only port 0 of this machine is: nothing can listen there, and other hosts stay outside."""
    assert is_in_process("http://127.0.0.1:0/us1/api")
    others = ("http://127.0.0.1:1/", "http://127.0.0.1/", "https://127.0.0.1:0/")
    assert not [url for url in (*others, "http://example.com:0/") if is_in_process(url)]


def _refusing_here(real: Callable[..., None]) -> Callable[..., None]:
    """Return a method of sockets that refuses this thread, and works for all others."""
    here = threading.get_ident()

    def call(*arguments: object) -> None:
        assert threading.get_ident() != here, "a socket is used"
        real(*arguments)

    return call


def test_a_lab_in_process_opens_no_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole flow needs neither a socket nor a thread, and such a lab opens at once."""
    open_sandbox_lab().close()  # what is imported once is imported now
    threads = set(threading.enumerate())
    for name in ("bind", "connect"):
        monkeypatch.setattr(socket.socket, name, _refusing_here(getattr(socket.socket, name)))
    took = []
    for _ in range(3):  # garbage of earlier tests may be collected during one of them
        started = time.thread_time()
        lab = open_sandbox_lab(in_process=True)
        took.append(time.thread_time() - started)
        lab.close()
    assert min(took) < 0.02
    with open_sandbox_lab(in_process=True) as lab:
        tokens = lab.connect()
        assert lab.current_user(tokens).status == 200
        assert len(lab.send_data(lab.create_api_key(tokens))) == 4  # type: ignore[arg-type]
        assert set(threading.enumerate()) <= threads
    assert provoke(lab.current_user, tokens).code == "no_network"
