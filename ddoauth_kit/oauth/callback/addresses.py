"""Determine the listener's addresses, on this machine and behind Jupyter's proxy."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from ddoauth_kit.errors import InputError
from ddoauth_kit.registration.redirect_uris import LOOPBACK, leads_here

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ddoauth_kit.registration import ClientRegistration

CALLBACK_PATH: Final = "/oauth/callback"
ONBOARDING_PATH: Final = "/onboarding"
_HTTP_PORT: Final = 80
_NAMES: Final = ("127.0.0.1", "[::1]", "localhost")
_BOUND: Final = {"127.0.0.1": ("127.0.0.1",), "[::1]": ("::1",), "localhost": ("127.0.0.1", "::1")}
_HOST: Final = re.compile(r"(?:[a-z0-9](?:[a-z0-9.-]{0,250}[a-z0-9])?|\[[0-9a-f:]+\])(?::\d{1,5})?")
_LOCALHOST: Final = (
    "The redirect URI names `localhost`, where another program may answer; also register "
    "127.0.0.1, and the kit uses that (RFC 8252 section 8.3)."
)


@dataclass(frozen=True, slots=True)
class CallbackUrls:
    """The two URLs for the browser, and the proxy's address if there is one.

    `proxy_url` is empty without a proxy; with one, a port's address is `proxy_url` plus the port.
    """

    redirect_uri: str
    onboarding_url: str
    proxy_url: str = ""


@dataclass(frozen=True, slots=True)
class CallbackAddress:
    """The host name and port to open, and the paths to serve there."""

    name: str
    port: int
    urls: CallbackUrls
    warnings: tuple[str, ...] = ()

    @property
    def hosts(self) -> tuple[str, ...]:
        """Return the loopback addresses to bind."""
        return _BOUND[self.name]

    @property
    def callback_path(self) -> str:
        """Return the path of the redirect URI."""
        return urlsplit(self.urls.redirect_uri).path or "/"

    @property
    def onboarding_path(self) -> str:
        """Return the path of the onboarding URL."""
        return urlsplit(self.urls.onboarding_url).path or "/"

    @property
    def host_headers(self) -> frozenset[str]:
        """Return the `Host` values of requests that don't come through a proxy."""
        bare = _NAMES if self.port == _HTTP_PORT else ()
        return frozenset([*(f"{name}:{self.port}" for name in _NAMES), *bare])


def registered_address(
    registration: ClientRegistration, *, redirect_uri: str | None = None
) -> CallbackAddress:
    """Return the address for a registered client's redirects, which must lead to this machine.

    If there are several loopback redirect URIs, one with an IP literal is preferred to `localhost`
    (RFC 8252 section 8.3). The onboarding URL is served if it has the same port.

    Raises:
        InputError: `no_loopback_redirect_uri`.
    """
    wanted = registration.redirect_uris if redirect_uri is None else (redirect_uri,)
    uri = _best(wanted)
    if uri is None:
        listed = ", ".join(wanted) or "none"
        what = f"None of the redirect URIs leads to this machine; registered: {listed}."
        raise InputError("no_loopback_redirect_uri", what)
    parts = urlsplit(uri)
    port = _HTTP_PORT if parts.port is None else parts.port
    onboarding, warnings = _onboarding(registration.onboarding_url, uri, port)
    name = _name(parts.hostname or "")
    if name == "localhost":
        warnings = (_LOCALHOST, *warnings)
    return CallbackAddress(name, port, CallbackUrls(uri, onboarding), warnings)


def free_address(port: int = 0) -> CallbackAddress:
    """Return an address on any free port, for a client whose registration can change."""
    origin = f"http://127.0.0.1:{port}"
    urls = CallbackUrls(f"{origin}{CALLBACK_PATH}", f"{origin}{ONBOARDING_PATH}")
    return CallbackAddress("127.0.0.1", port, urls)


def proxied(url: str, proxy_url: str) -> str:
    """Return a loopback URL's address behind the proxy; return any other URL unchanged."""
    if not proxy_url or not leads_here(url):
        return url
    parts = urlsplit(url)
    query = f"?{parts.query}" if parts.query else ""
    return f"{proxy_url}{parts.port or _HTTP_PORT}{parts.path}{query}"


def proxy_origin(headers: Mapping[str, str]) -> str | None:
    """Return the scheme and host of the page that sent a proxied request, or None.

    Jupyter's proxy keeps `Host` and passes on a hub's `X-Forwarded-Proto`. Without that header, the
    scheme is inferred from `Sec-Fetch-Mode`, because browsers send it only to secure and loopback
    origins.
    """
    host = headers.get("host", "").lower()
    if not _HOST.fullmatch(host):
        return None
    scheme = headers.get("x-forwarded-proto", "").partition(",")[0].strip().lower()
    if scheme not in {"http", "https"}:
        local = urlsplit(f"//{host}").hostname in LOOPBACK
        scheme = "https" if "sec-fetch-mode" in headers and not local else "http"
    return f"{scheme}://{host}"


def _best(uris: Iterable[str]) -> str | None:
    here = [uri for uri in uris if leads_here(uri)]
    return min(here, key=lambda uri: urlsplit(uri).hostname == "localhost", default=None)


def _name(hostname: str) -> str:
    return f"[{hostname}]" if ":" in hostname else hostname


def _onboarding(registered: str, uri: str, port: int) -> tuple[str, tuple[str, ...]]:
    """Return the onboarding URL to serve, and a warning if a different one is registered."""
    if leads_here(registered) and (urlsplit(registered).port or _HTTP_PORT) == port:
        return registered, ()
    parts = urlsplit(uri)
    path = f"{ONBOARDING_PATH}/start" if parts.path == ONBOARDING_PATH else ONBOARDING_PATH
    served = f"http://{parts.netloc}{path}"
    return served, (f"The tile leads to {registered or 'no onboarding URL'}, not to {served}.",)
