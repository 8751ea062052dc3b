"""Requests are sent once, to the right place, and return a response."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from support.builders import API_KEY, CLIENT_SECRET, US1, local_site, readable, request, shown
from support.loopback import Answer, Crowd

from ddoauth_kit import Http, Secret
from ddoauth_kit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.loopback import RecordingServer

    from ddoauth_kit import Site
    from ddoauth_kit.http.message import Request

    Serve = Callable[..., RecordingServer]

SECRET = Secret(CLIENT_SECRET, label="client_secret")


def _post(site: Site) -> Request:
    form = (("grant_type", "authorization_code"), ("client_secret", SECRET))
    return request(
        site, purpose="token exchange", method="POST", path="/t", form=form, repeatable=False
    )


def test_a_get_arrives_as_built(http: Http, serve: Serve) -> None:
    """Method, path, query and headers arrive; status, headers and text come back."""
    server = serve(Answer('{"a": 1}', 418, (("X-Thing", "One"),)))
    answer = http.send(request(server.site, query=(("q", "a b"),), headers=(("x-a", "b"),)))
    (arrived,) = server.arrived
    assert (arrived.method, arrived.target) == ("GET", "/api/v2/current_user?q=a+b")
    assert (arrived.headers["accept"], arrived.headers["x-a"]) == ("application/json", "b")
    assert (answer.status, answer.text, answer.headers["x-thing"]) == (418, '{"a": 1}', "One")


@pytest.mark.checklist("C9")
def test_a_secret_arrives_in_the_body_alone(http: Http, serve: Serve) -> None:
    """The client secret is a form field, in full, and is not in the URL or a header."""
    server = serve()
    http.send(_post(server.site))
    (arrived,) = server.arrived
    assert arrived.form == {"grant_type": "authorization_code", "client_secret": CLIENT_SECRET}
    assert arrived.headers["content-type"] == "application/x-www-form-urlencoded"
    assert not readable(CLIENT_SECRET, f"{arrived.target} {arrived.headers}")


@pytest.mark.checklist("C10")
def test_a_token_arrives_in_the_header_alone(http: Http, serve: Serve) -> None:
    """A bearer token is in `Authorization`, not in the URL or the body."""
    server = serve()
    token = Secret("canary-token", label="access_token")
    http.send(request(server.site, headers=(("authorization", token),)))
    (arrived,) = server.arrived
    assert arrived.headers.pop("authorization") == "Bearer canary-token"
    assert not readable("canary-token", f"{arrived}")


def test_a_json_body_arrives(http: Http, serve: Serve) -> None:
    """A body goes out as JSON with its content type."""
    server = serve()
    http.send(request(server.site, method="POST", body=[{"a": 1}]))
    assert server.arrived[0].body == b'[{"a": 1}]'
    assert server.arrived[0].headers["content-type"] == "application/json"


@pytest.mark.checklist("C9")
def test_the_exchange_is_recorded_masked(http: Http, serve: Serve) -> None:
    """The transcript tells what happened, even if the server repeats the secret."""
    echo = f'{{"errors": ["you sent {CLIENT_SECRET}"], "key": "{API_KEY}"}}'
    header = ("www-authenticate", f'Basic realm="{CLIENT_SECRET}"')
    server = serve(Answer(echo, 400, (header, ("set-cookie", CLIENT_SECRET))))
    http.send(_post(server.site))
    (exchange,) = http.transcript
    assert (exchange.method, exchange.status) == ("POST", 400)
    assert exchange.url == "https://api.lab1.example.com/t"
    assert exchange.request_body == "grant_type=authorization_code\nclient_secret=<client_secret>"
    assert exchange.response_headers == (("www-authenticate", 'Basic realm="<client_secret>"'),)
    assert "you sent <client_secret>" in exchange.response_body
    text = shown([exchange, http.transcript, *(getattr(exchange, n) for n in exchange.__slots__)])
    assert not readable(CLIENT_SECRET, text)
    assert not readable(API_KEY, text)


@pytest.mark.checklist("C8")
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("build", [request, _post])
def test_a_redirect_is_not_followed(
    http: Http, serve: Serve, status: int, build: Callable[[Site], Request]
) -> None:
    """A redirect is returned as a response: nothing is sent to its target."""
    elsewhere = serve()
    server = serve(Answer("", status, (("location", elsewhere.url),)))
    assert http.send(build(server.site)).status == status
    assert len(server.arrived) == 1
    assert elsewhere.arrived == []


@pytest.mark.checklist("C8")
@pytest.mark.parametrize(
    "url",
    [
        "http://api.datadoghq.com",
        "http://127.0.0.1.evil.com",
        "http://127.1",
        "http://0.0.0.0",
        "http://localhost.evil.com",
        "http://evil.com@127.0.0.1.evil.com",
        "ftp://127.0.0.1",
        "file:///etc",
        "//127.0.0.1",
        "127.0.0.1",
    ],
)
def test_plain_http_is_for_loopback_only(http: Http, url: str) -> None:
    """A URL that is neither https nor on this machine is refused before any request."""
    with pytest.raises(InputError) as caught:
        http.send(_post(local_site(url)))
    assert caught.value.code == "insecure_url"
    assert len(http.transcript) == 0


@pytest.mark.checklist("C13")
@pytest.mark.parametrize(
    ("headers", "waits"),
    [
        ({"x-ratelimit-reset": "3"}, [3.0]),
        ({"x-ratelimit-reset": "0"}, [0.0]),
        ({"x-ratelimit-reset": "2.5", "retry-after": "9"}, [2.5]),
        ({"retry-after": "7"}, [7.0]),
        ({}, [1.0]),
    ],
)
def test_a_rate_limit_is_waited_for(
    http: Http, serve: Serve, slept: list[float], headers: dict[str, str], waits: list[float]
) -> None:
    """A repeatable request waits the seconds that the 429 names, and is sent again."""
    server = serve(Answer("", 429, tuple(headers.items())), Answer())
    assert http.send(request(server.site)).status == 200
    assert slept == waits
    assert [exchange.status for exchange in http.transcript] == [429, 200]


@pytest.mark.checklist("C13")
@pytest.mark.parametrize("reset", ["31", "4102444800", "-1", "nan", "inf", "soon"])
def test_a_long_wait_is_left_to_the_caller(
    http: Http, serve: Serve, slept: list[float], reset: str
) -> None:
    """If the wait is over half a minute or not a number, the 429 is returned."""
    server = serve(Answer("", 429, (("x-ratelimit-reset", reset),)))
    assert http.send(request(server.site)).status == 429
    assert (slept, len(server.arrived)) == ([], 1)


@pytest.mark.checklist("C13")
@pytest.mark.parametrize("status", [502, 503, 504])
def test_an_unavailable_server_is_asked_three_times(
    http: Http, serve: Serve, slept: list[float], status: int
) -> None:
    """A repeatable request backs off twice, then the failure is returned."""
    server = serve(Answer("", status))
    assert http.send(request(server.site)).status == status
    assert (slept, len(server.arrived)) == ([0.5, 1.0], 3)


@pytest.mark.checklist("C13")
@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_post_exchange_is_never_repeated(
    http: Http, serve: Serve, slept: list[float], status: int
) -> None:
    """Codes work once: whatever the server says, the request is sent once."""
    server = serve(Answer("", status, (("x-ratelimit-reset", "1"),)))
    assert http.send(_post(server.site)).status == status
    assert (slept, len(server.arrived)) == ([], 1)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 500, 501])
def test_a_refusal_is_not_repeated(http: Http, serve: Serve, status: int) -> None:
    """A response that will not change is not requested again."""
    server = serve(Answer("", status))
    assert http.send(request(server.site)).status == status
    assert len(server.arrived) == 1


def test_a_proxy_of_the_environment_is_passed_by_on_loopback(
    http: Http, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Addresses on this machine are reached directly, whatever HTTP_PROXY says."""
    proxy, server = serve(), serve()
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, proxy.url)
    http.send(request(server.site))
    assert (len(proxy.arrived), len(server.arrived)) == (0, 1)


def test_a_site_gets_ten_connections_at_most(http: Http, serve: Serve) -> None:
    """Twenty threads share one sender; the server never sees more than ten requests at once."""
    server = serve(respond=Crowd(10))
    threads = [threading.Thread(target=http.send, args=(request(server.site),)) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(server.arrived), server.most_at_once) == (20, 10)


def test_a_closed_sender_can_be_closed_and_used_again(serve: Serve) -> None:
    """A closed sender can be used again: a notebook cell that runs again works."""
    server = serve()
    with Http() as sender:
        sender.send(request(server.site))
        sender.close()
        sender.close()
        assert sender.send(request(server.site)).status == 200


def test_an_unlisted_transcript_can_be_given(serve: Serve) -> None:
    """Two senders write into one transcript if the caller says so."""
    server = serve()
    with Http() as first, Http(transcript=first.transcript) as second:
        first.send(request(server.site))
        second.send(request(server.site))
        assert len(first.transcript) == 2
    assert US1.endpoints is None
