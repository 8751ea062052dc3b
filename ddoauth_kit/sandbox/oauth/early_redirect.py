"""Call a redirect URI before the browser does, like a link scanner or an eager browser."""

from __future__ import annotations

import threading
import urllib.request
from contextlib import suppress
from http.client import HTTPException
from ipaddress import ip_address
from urllib.parse import urlsplit

SECONDS = 5.0


class _Stay(urllib.request.HTTPRedirectHandler):
    """Do not follow redirects, because their targets don't concern the sandbox."""

    def redirect_request(self, *_: object) -> None:
        """Return None instead of a new request."""


def call_ahead(location: str) -> None:
    """Request a loopback address once, in a separate thread; ignore every other address."""
    if is_loopback(location):
        threading.Thread(target=_call, args=(location,), daemon=True).start()


def is_loopback(location: str) -> bool:
    """Return whether an address is plain http on this machine."""
    parts = urlsplit(location)
    host = parts.hostname or ""
    try:
        local = ip_address(host).is_loopback
    except ValueError:
        local = host == "localhost"
    return local and parts.scheme == "http"


def _call(location: str) -> None:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _Stay)
    with suppress(OSError, HTTPException), opener.open(location, timeout=SECONDS) as answer:
        answer.read()
