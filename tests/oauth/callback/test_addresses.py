"""Which address the listener opens, and how a proxy's address is read."""

from __future__ import annotations

import pytest
from support.builders import registration

from ddoauth_kit.oauth.callback.addresses import proxied, proxy_origin, registered_address

HERE = "http://127.0.0.1:8484/cb"


@pytest.mark.parametrize(
    ("uri", "hosts", "port", "path"),
    [
        (HERE, ("127.0.0.1",), 8484, "/cb"),
        ("http://127.0.0.1", ("127.0.0.1",), 80, "/"),
        ("http://[::1]:8484/cb?fixed=1", ("::1",), 8484, "/cb"),
        ("http://localhost:8484/cb", ("127.0.0.1", "::1"), 8484, "/cb"),
    ],
)
def test_redirect_uri_says_what_is_opened(
    uri: str, hosts: tuple[str, ...], port: int, path: str
) -> None:
    """Name, port and path are the registered ones; `localhost` is opened for both families."""
    address = registered_address(registration(redirect_uris=(uri,)))
    assert (address.hosts, address.port, address.callback_path) == (hosts, port, path)
    assert address.urls.redirect_uri == uri


def test_an_onboarding_url_elsewhere_is_told() -> None:
    """If the tile leads elsewhere, the listener serves its own path, with a warning."""
    address = registered_address(registration(redirect_uris=("http://127.0.0.1:8484/onboarding",)))
    assert address.urls.onboarding_url == "http://127.0.0.1:8484/onboarding/start"
    (warning,) = address.warnings
    assert warning == (
        "The tile leads to https://acme.example.com/onboarding, not to "
        "http://127.0.0.1:8484/onboarding/start."
    )


@pytest.mark.parametrize(
    ("headers", "origin"),
    [
        ({"host": "Hub.Example", "x-forwarded-proto": "https,http"}, "https://hub.example"),
        ({"host": "hub.example:8443", "sec-fetch-mode": "navigate"}, "https://hub.example:8443"),
        ({"host": "10.0.0.5:8888"}, "http://10.0.0.5:8888"),
        ({"host": "127.0.0.1:8888", "sec-fetch-mode": "navigate"}, "http://127.0.0.1:8888"),
        ({"host": "[::1]:8888"}, "http://[::1]:8888"),
        ({"host": "hub.example", "x-forwarded-proto": "javascript"}, "http://hub.example"),
        ({"host": "hub.example/path"}, None),
        ({"host": "user@hub.example"}, None),
        ({"host": ""}, None),
    ],
)
def test_origin_of_the_browser(headers: dict[str, str], origin: str | None) -> None:
    """Host is the browser's; the scheme is what a hub forwards, or what browsers give away."""
    assert proxy_origin(headers) == origin


def test_a_loopback_url_as_the_proxy_shows_it() -> None:
    """The port becomes part of the path; other addresses are unchanged."""
    proxy = "https://hub.example/user/abc/proxy/"
    shown = f"{proxy}8484/cb?code=c"
    assert proxied(f"{HERE}?code=c", proxy) == shown
    assert proxied("https://app.datadoghq.com/x", proxy) == "https://app.datadoghq.com/x"
    assert proxied(HERE, "") == HERE
