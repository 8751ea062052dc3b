"""A proxy gets nothing that is meant for this machine, and its password is in no message."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from support.builders import local_site, readable, request, with_locals
from support.loopback import self_signed

from ddoauth_kit import Endpoints, Http, Secret
from ddoauth_kit.errors import DdoauthError, NetworkError
from ddoauth_kit.http.sender import AsyncHttp, _trusted_certificates
from ddoauth_kit.sites import Host

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from support.loopback import RecordingServer

    from ddoauth_kit.http.message import Request

    Serve = Callable[..., RecordingServer]
    Send = Callable[..., None]

KEY = Secret("canary-key", label="api_key")
NAMES = ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "HTTPS_PROXY", "https_proxy")


def _blocking(*requests: Request) -> None:
    with Http(timeout=2.0) as http:
        for each in requests:
            with _masked():
                http.send(each)


def _awaited(*requests: Request) -> None:
    async def run() -> None:
        async with AsyncHttp(timeout=2.0) as http:
            for each in requests:
                with _masked():
                    await http.send(each)

    asyncio.run(run())


@contextmanager
def _masked() -> Iterator[None]:
    """Let an error of the kit pass if it shows nothing."""
    errors: list[DdoauthError] = []
    try:
        yield
    except DdoauthError as error:
        errors.append(error)
    texts = [f"{error!r} {error} {vars(error)} {with_locals(error)}" for error in errors]
    assert not readable("canary", "".join(texts))


both = pytest.mark.parametrize("send", [_blocking, _awaited])


@both
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "here",
    [
        f"{scheme}://{host}"
        for host in ("127.0.0.1", "localhost", "127.0.0.2", "127.1")
        for scheme in ("http", "https")
    ],
)
def test_a_site_with_hosts_here_and_elsewhere(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, send: Send, name: str, here: str
) -> None:
    """The proxy that other hosts of the site need never hears of the one on this machine."""
    for each in NAMES:
        monkeypatch.delenv(each, raising=False)
    proxy, server = serve(), serve()
    monkeypatch.setenv(name, proxy.url)
    there, intake = "https://acme.invalid", server.url.replace("http://127.0.0.1", here)
    mixed = replace(local_site(there), endpoints=Endpoints(there, there, intake, intake))
    asked = {"headers": (("dd-api-key", KEY),), "repeatable": False}
    send(
        request(mixed, host=Host.API, **asked),
        request(mixed, host=Host.LOGS_INTAKE, **asked),
        request(mixed, host=Host.API, **asked),
        request(mixed, host=Host.LOGS_INTAKE, **asked),
    )
    assert {arrived.method for arrived in proxy.arrived} <= {"CONNECT"}
    assert not readable("canary", f"{proxy.arrived}")
    if here == "http://127.0.0.1":
        assert len(server.arrived) == 2


BROKEN = [
    "nonsense://user:canary@proxy",
    "socks5://user:canary@127.0.0.1:9",
    "socks4://user:canary@127.0.0.1:9",
    "http://user:canary@127.0.0.1:port",
    "http://user:canary@127.0.0.1:99999",
    "http://user:canary@127.0.0.1:-1",
    "http://user:canary@[::1",
    "http://user:canary@[gg]:1",
    "http://user:canary@",
    "http://user:canary@:9",
    "http://user:canary@127.0.0.1:9",
    "http://user:canary@127.0.0.1:9/path?query=1",
    "http://canary@127.0.0.1:9",
    "http://user:canary%2F%40@127.0.0.1:9",
    "http://user:canary\n@127.0.0.1:9",
    "http://user:canary\x00@127.0.0.1:9",
    "http://user:canary @127.0.0.1:9",
    "http://us er:canary@127.0.0.1:9",
    "http://user:canary@ho st:9",
    "http://user:canary@caf\xe9.invalid:9",
    "http://user:canary@-bad-.invalid:9",
    "http://user:canary@" + "a" * 300 + ".invalid:9",
    "http:/user:canary@127.0.0.1:9",
    "user:canary@127.0.0.1:9",
    "//user:canary@127.0.0.1:9",
    "://user:canary@127.0.0.1:9",
    "http://user:canary@xn--a.invalid:9",
    "https://user:canary@127.0.0.1:9",
]


@both
@pytest.mark.checklist("C9")
@pytest.mark.parametrize("name", ["HTTPS_PROXY", "ALL_PROXY"])
@pytest.mark.parametrize("value", BROKEN)
def test_a_broken_proxy_keeps_its_password(
    monkeypatch: pytest.MonkeyPatch, send: Send, name: str, value: str
) -> None:
    """Whatever is wrong with a proxy's address, the error omits the user name and password."""
    try:
        monkeypatch.setenv(name, value)
    except ValueError:
        pytest.skip("no environment can hold it")
    send(request(local_site("https://acme.invalid"), repeatable=False))


@pytest.mark.parametrize(
    "answer",
    [
        "HTTP/1.1 407 user:canary is not known",
        "HTTP/1.1 407 dXNlcjpjYW5hcnk=",
        "HTTP/1.1 502 canary",
    ],
)
def test_a_proxy_that_repeats_its_password(
    serve_raw: Callable[..., object], monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    """The words of a proxy are masked, as a server's are."""
    proxy = serve_raw(f"{answer}\r\n\r\n".encode())
    url = proxy.site.api_url.replace("http://", "http://user:canary@")  # type: ignore[attr-defined]
    monkeypatch.setenv("HTTPS_PROXY", url)
    _blocking(request(local_site("https://acme.invalid"), repeatable=False))


@both
@pytest.mark.checklist("C8")
def test_no_keys_are_logged_beside_secrets(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, send: Send
) -> None:
    """With SSLKEYLOGFILE set, nothing is sent over TLS, and the file is not even created."""
    _trusted_certificates.cache_clear()
    log = tmp_path / "keys.log"
    monkeypatch.setenv("SSLKEYLOGFILE", str(log))
    server, plain = serve(tls=self_signed(tmp_path)), serve()
    send(request(server.site, headers=(("dd-api-key", KEY),)), request(plain.site))
    assert (server.arrived, len(plain.arrived), log.exists()) == ([], 1, False)


def test_a_log_of_keys_is_named(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The refusal says which variable is to be unset, and works again without it."""
    server = serve(tls=self_signed(tmp_path))
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys.log"))
    with Http() as http:
        with pytest.raises(NetworkError, match="SSLKEYLOGFILE") as caught:
            http.send(request(server.site))
        assert caught.value.code == "tls_error"
        monkeypatch.delenv("SSLKEYLOGFILE")
        with pytest.raises(NetworkError, match="certificate"):
            http.send(request(server.site))
