"""Check whether a redirect URI is valid, and whether it leads to this machine."""

from __future__ import annotations

import ipaddress
import re
from typing import Final
from urllib.parse import urlsplit

LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
# Printable characters that RFC 3986 doesn't allow in any part of a URI.
_NEVER: Final = frozenset('\\"<>^`{|}')
_LABEL: Final = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")


def why_no_redirect_uri(uri: str) -> str:
    """Say why a server may not redirect to this URI, or return an empty string if it may.

    See RFC 6749 section 3.1.2 and RFC 8252 section 7.3.
    """
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
    if _is_address(host) or all(_LABEL.fullmatch(label) for label in labels):
        return ""
    return f"{host[:60]!r} is not the name of one host, and Datadog allows no wildcards."


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def leads_here(url: str) -> bool:
    """Return whether a URL is plain http with a loopback host and a usable port."""
    try:
        parts = urlsplit(url)
        usable = parts.port != 0
    except ValueError:
        return False
    return usable and parts.scheme == "http" and parts.hostname in LOOPBACK
