"""If no complete response arrives, the error names the cause and contains no secret."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import pytest
from support.builders import CLIENT_SECRET, local_site, readable, request, with_locals
from support.loopback import Answer, refused_site, self_signed

from ddoauth_kit import Http, Secret
from ddoauth_kit.errors import DdoauthError, InputError, NetworkError
from ddoauth_kit.http.sender import MAX_ANSWER_BYTES, _trusted_certificates

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.loopback import RawServer, RecordingServer

    from ddoauth_kit import Site

TOKEN = "canary-access-token"
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"


def _fail(http: Http, site: Site, *, repeatable: bool = True) -> DdoauthError:
    """Send a request full of secrets and return the error."""
    asked = request(
        site,
        purpose="token exchange",
        method="POST",
        headers=(("authorization", Secret(TOKEN, label="access_token")),),
        form=(("client_secret", Secret(CLIENT_SECRET, label="client_secret")),),
        repeatable=repeatable,
    )
    with pytest.raises(DdoauthError) as caught:
        http.send(asked)
    return caught.value


def _assert_masked(error: DdoauthError) -> None:
    text = f"{error!r} {vars(error)} {with_locals(error)}"
    assert not readable(TOKEN, text)
    assert not readable(CLIENT_SECRET, text)


@pytest.mark.checklist("C9")
def test_connection_refused(http: Http) -> None:
    """Nobody listens: `no_network`, with the host that is shown and the server in its place."""
    site = refused_site()
    error = _fail(http, site)
    assert (type(error), error.code) == (NetworkError, "no_network")
    assert f"token exchange did not reach the server at {site.api_url}," in error.what
    assert "stands in for api.lab1.example.com" in error.what
    _assert_masked(error)


@pytest.mark.checklist("C9")
def test_timeout(serve_raw: Callable[[bytes | None], RawServer]) -> None:
    """The server listens but does not respond: `timeout`."""
    with Http(timeout=0.1) as http:
        error = _fail(http, serve_raw(None).site)
    assert (type(error), error.code) == (NetworkError, "timeout")
    assert "arrived in time" in error.what
    _assert_masked(error)


@pytest.mark.checklist("C9")
@pytest.mark.parametrize(
    "payload",
    [
        b"",
        HEAD,
        HEAD + b"content-length: 100\r\n\r\n" + b'{"access_token": "canary',
        HEAD + b"transfer-encoding: chunked\r\n\r\n5\r\n{}",
        HEAD + b"content-encoding: gzip\r\ncontent-length: 5\r\n\r\nhello",
        b"SSH-2.0-OpenSSH_9.6\r\n",
    ],
    ids=["hangs up", "in the head", "in the body", "in a chunk", "no gzip", "no HTTP"],
)
def test_cut_off(
    http: Http, serve_raw: Callable[[bytes | None], RawServer], payload: bytes
) -> None:
    """A response that ends early or is not HTTP is `cut_off`, and nothing is sent again."""
    server = serve_raw(payload)
    error = _fail(http, server.site)
    assert (type(error), error.code) == (NetworkError, "cut_off")
    assert server.connections == 1
    _assert_masked(error)


@pytest.mark.checklist("C8")
@pytest.mark.checklist("C9")
def test_untrusted_certificate(
    http: Http, serve: Callable[..., RecordingServer], tmp_path: Path
) -> None:
    """A certificate that nobody vouches for ends the conversation before the request."""
    server = serve(tls=self_signed(tmp_path))
    error = _fail(http, server.site)
    assert (type(error), error.code) == (NetworkError, "tls_error")
    assert "certificate" in error.what
    assert server.arrived == []
    _assert_masked(error)


def test_no_tls_where_https_was_expected(
    http: Http, serve_raw: Callable[[bytes | None], RawServer]
) -> None:
    """A plain-text server behind an https URL is a TLS error, too."""
    server = serve_raw(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    error = _fail(http, local_site(server.site.api_url.replace("http:", "https:")))
    assert error.code == "tls_error"
    _assert_masked(error)


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("SSL_CERT_FILE", "/nonexistent/ca.pem", "tls_error"),
        ("SSL_CERT_FILE", __file__, "tls_error"),
        ("HTTPS_PROXY", "nonsense://user:canary@proxy", "no_network"),
        ("HTTPS_PROXY", "socks5://user:canary@127.0.0.1:9", "no_network"),
    ],
)
def test_unusable_settings_of_the_environment(
    http: Http, monkeypatch: pytest.MonkeyPatch, name: str, value: str, code: str
) -> None:
    """A certificate file or proxy that cannot be used is an error with advice, before a request."""
    _trusted_certificates.cache_clear()
    monkeypatch.setenv(name, value)
    error = _fail(http, local_site("https://acme.invalid"))
    assert (type(error), error.code) == (NetworkError, code)
    assert "canary@" not in str(error)
    _assert_masked(error)


@pytest.mark.checklist("C9")
@pytest.mark.parametrize("packed", [False, True])
def test_answer_too_large(
    http: Http, serve_raw: Callable[[bytes | None], RawServer], *, packed: bool
) -> None:
    """Reading stops at ten megabytes, and what is packed is not unpacked at all."""
    body = b"x" * (MAX_ANSWER_BYTES + 1)
    content = gzip.compress(body) if packed else body
    head = HEAD + (b"content-encoding: gzip\r\n" if packed else b"")
    error = _fail(http, serve_raw(head + b"\r\n" + content).site)
    assert error.code == ("cut_off" if packed else "answer_too_large")
    _assert_masked(error)


@pytest.mark.parametrize("token", ["canary-\N{SNOWMAN}-token", "canary-\n-token", "canary\0token"])
def test_a_token_that_no_header_can_carry(
    http: Http, serve: Callable[..., RecordingServer], token: str
) -> None:
    """A damaged token is refused without being sent or quoted."""
    server = serve()
    with pytest.raises(DdoauthError) as caught:
        http.send(
            request(server.site, headers=(("authorization", Secret(token, label="access_token")),))
        )
    assert (type(caught.value), caught.value.code) == (InputError, "unusable_credential")
    assert server.arrived == []
    assert "canary" not in str(caught.value) + with_locals(caught.value)


def test_an_answer_of_exactly_the_limit_is_read(
    http: Http, serve: Callable[..., RecordingServer]
) -> None:
    """Ten megabytes are not too many."""
    server = serve(Answer("x" * MAX_ANSWER_BYTES))
    assert len(http.send(request(server.site)).text) == MAX_ANSWER_BYTES


def test_an_answer_that_drips_ends_at_the_deadline(
    serve_raw: Callable[[bytes | None], RawServer],
) -> None:
    """A server that sends a little now and then cannot hold up a call forever."""
    server = serve_raw(HEAD + b"\r\n" + b"x" * 100_000)
    with Http(timeout=5.0, deadline=-1.0) as http:
        error = _fail(http, server.site)
    assert (type(error), error.code) == (NetworkError, "timeout")


def test_a_credential_with_half_a_character(
    http: Http, serve: Callable[..., RecordingServer]
) -> None:
    """Text that no encoding can represent is refused as input, before anything is sent."""
    server = serve()
    odd = Secret("canary-\ud800", label="client_secret")
    with pytest.raises(InputError) as caught:
        http.send(request(server.site, method="POST", form=(("client_secret", odd),)))
    assert caught.value.code == "unusable_credential"
    assert server.arrived == []
