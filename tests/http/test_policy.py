"""The policy decides what may be sent, and when it is repeated, without sending anything."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlsplit

import pytest
from support.builders import API_KEY, CLIENT_SECRET, US1, readable, request, response

from ddoauth_kit import Secret
from ddoauth_kit.errors import InputError
from ddoauth_kit.http.policy import (
    RECORDED,
    is_loopback,
    is_this_machine,
    recorded,
    refuse_insecure,
    refuse_unsendable,
    seconds_before_repeat,
)

SECRET = Secret(CLIENT_SECRET, label="client_secret")
KEY = Secret(API_KEY, label="api_key")


@pytest.mark.parametrize(
    ("url", "loopback"),
    [
        ("https://api.datadoghq.com", False),
        ("https://127.0.0.1:8443", True),
        ("http://127.0.0.1:1/a", True),
        ("http://localhost:1", True),
        ("http://[::1]:1", True),
    ],
)
def test_what_is_encrypted_or_at_home(url: str, *, loopback: bool) -> None:
    """Https goes anywhere, plain http only to this machine."""
    refuse_insecure(url)
    assert is_loopback(urlsplit(url).hostname or "") is loopback


@pytest.mark.parametrize(
    ("host", "here"),
    [
        ("127.0.0.1", True),
        ("127.8.9.10", True),
        ("127.1", True),
        ("0x7f000001", True),
        ("2130706433", True),
        ("0.0.0.0", True),
        ("0", True),
        ("::1", True),
        ("::", True),
        ("::ffff:127.0.0.1", True),
        ("localhost", True),
        ("localhost.", True),
        ("eu.localhost", True),
        ("api.datadoghq.com", False),
        ("localhost.evil.com", False),
        ("127.0.0.1.evil.com", False),
        ("notlocalhost", False),
        ("10.0.0.1", False),
        ("::ffff:10.0.0.1", False),
        ("", False),
    ],
)
def test_the_names_of_this_machine(host: str, *, here: bool) -> None:
    """Names that a resolver maps to this machine are recognized without a lookup."""
    assert is_this_machine(host) is here


@pytest.mark.parametrize(
    "url", ["http://api.datadoghq.com", "ftp://127.0.0.1", "", "http://", "http://10.0.0.1"]
)
def test_what_is_neither(url: str) -> None:
    """All else is refused."""
    with pytest.raises(InputError) as caught:
        refuse_insecure(url)
    assert caught.value.code == "insecure_url"


@pytest.mark.parametrize("value", ["a\nb", "a\r\nx: y", "a\0b", "caf\xe9", " a", "a ", ""])
def test_what_no_header_can_hold(value: str) -> None:
    """A line break in a credential is refused, and the value is not quoted."""
    asked = request(US1, headers=(("dd-api-key", Secret(value, label="api_key")),))
    with pytest.raises(InputError) as caught:
        refuse_unsendable(asked)
    assert caught.value.code == "unusable_credential"


def test_what_a_header_can_hold() -> None:
    """Printable ASCII, with spaces inside."""
    refuse_unsendable(request(US1, headers=(("x-a", "a b!~"),)))


@pytest.mark.parametrize(
    ("status", "headers", "waits"),
    [
        (429, {"x-ratelimit-reset": "3"}, [3.0, 3.0]),
        (429, {"x-ratelimit-reset": "30"}, [30.0, 30.0]),
        (429, {"x-ratelimit-reset": "30.5"}, [None, None]),
        (429, {"x-ratelimit-reset": "never"}, [None, None]),
        (429, {"retry-after": "2"}, [2.0, 2.0]),
        (429, {}, [1.0, 1.0]),
        (503, {"x-ratelimit-reset": "3"}, [0.5, 1.0]),
        (500, {}, [None, None]),
        (401, {}, [None, None]),
        (200, {}, [None, None]),
    ],
)
def test_how_long_before_a_repeat(
    status: int, headers: dict[str, str], waits: list[float | None]
) -> None:
    """Wait as a 429 says, or half a second and then one if the server is absent, else never."""
    answer = replace(response(status), headers=headers)
    assert [seconds_before_repeat(answer, attempt=n) for n in (0, 1)] == waits


def test_a_record_is_masked_and_short() -> None:
    """Secrets in the request and response are masked, and a long response is truncated."""
    asked = request(US1, method="POST", form=(("client_secret", SECRET),))
    text = f'{{"errors": ["{CLIENT_SECRET}"], "key": "{API_KEY}"}}' + " " * RECORDED
    answer = recorded(
        asked, status=400, headers={"x-a": "b"}, text=text, seconds=1.0, keep_answers=False
    )
    exchange = answer.exchange
    assert answer.text == text
    assert len(exchange.response_body) <= RECORDED
    assert exchange.response_headers == ()
    shown = f"{exchange.request_body} {exchange.response_body}"
    assert not readable(CLIENT_SECRET, shown)
    assert not readable(API_KEY, shown)


def test_a_path_that_repeats_a_secret_is_masked() -> None:
    """An id that a server gave may be the very token that was sent to it."""
    asked = request(US1, path=f"/api/v1/monitor/{API_KEY}", headers=(("dd-api-key", KEY),))
    answer = recorded(asked, status=404, headers={}, text="", seconds=1.0, keep_answers=False)
    assert not readable(API_KEY, answer.exchange.url)
    assert answer.exchange.url.startswith("https://api.datadoghq.com/api/v1/monitor/<api_key")
