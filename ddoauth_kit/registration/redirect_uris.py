"""Check whether a redirect URI is valid, and whether it leads to this machine or a test host."""

from __future__ import annotations

import ipaddress
import re
from typing import Any, Final
from urllib.parse import urlsplit

LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_TESTS: Final = frozenset({"dev", "local", "localdev", "qa", "stage", "staging", "test", "testing"})
_TUNNELS: Final = ("ngrok.io", "ngrok.app", "ngrok-free.app", "ngrok-free.dev", "ngrok.dev")
_RESERVED: Final = ("test", "example", "invalid", "local", "internal")
# Printable characters that RFC 3986 doesn't allow in any part of a URI.
_NEVER: Final = frozenset('\\"<>^`{|}')
_LABEL: Final = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")


def can_be_redirect_uri(uri: str) -> bool:
    """Return whether a server may redirect to this URI (RFC 6749 section 3.1.2, RFC 8252 7.3)."""
    return not why_no_redirect_uri(uri)


def why_no_redirect_uri(uri: str) -> str:
    """Say why a server may not redirect to this URI, or return an empty string if it may."""
    try:
        parts = urlsplit(uri)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "This is not a valid URL, or its port is above 65535."
    if not uri.isascii() or any(c.isspace() or c in _NEVER for c in uri):
        return "A redirect URI may contain only the ASCII characters of a URL, and no spaces."
    if parts.scheme != "https" and not (parts.scheme == "http" and host in LOOPBACK):
        return "A redirect URI starts with https://, or with http:// on this machine."
    if parts.fragment:
        return "A fragment (#...) is not allowed in a redirect URI."
    if parts.username:
        return "A user name is not allowed in a redirect URI."
    return _why_no_host(host or "")


def _why_no_host(host: str) -> str:
    labels = host.removesuffix(".").split(".")
    if not host:
        return "A redirect URI needs a host."
    if _address(host) is not None or all(_LABEL.fullmatch(label) for label in labels):
        return ""
    return f"{host[:60]!r} is not the name of one host, and Datadog allows no wildcards."


def leads_here(url: str) -> bool:
    """Return whether a URL is plain http with a loopback host and a usable port."""
    try:
        parts = urlsplit(url)
        usable = parts.port != 0
    except ValueError:
        return False
    return usable and parts.scheme == "http" and parts.hostname in LOOPBACK


def is_for_tests(host: str) -> bool:
    """Return whether a host name looks like a test host; `.dev` at the end doesn't count."""
    address = _address(host)
    if address is not None:
        return not address.is_global
    *labels, top = host.rstrip(".").split(".")
    words = {word for label in labels for word in label.split("-")}
    tunnel = any(host == name or host.endswith(f".{name}") for name in _TUNNELS)
    return bool(words & _TESTS) or top in _RESERVED or not labels or tunnel


def _address(host: str) -> Any:  # noqa: ANN401 - the two classes of addresses share no base
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def is_loopback(host: str) -> bool:
    """Return whether a host name or address refers to this machine, as `localhost` does."""
    address = _address(host)
    if address is not None:
        return bool(address.is_loopback or address.is_unspecified)
    return host.rstrip(".") == "localhost" or host.rstrip(".").endswith(".localhost")
