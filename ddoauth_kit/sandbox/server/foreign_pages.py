"""Refuse requests that a browser sends for a page from another origin.

A browser reveals the page's origin in `Sec-Fetch-Site` (W3C Fetch Metadata) and `Origin` (RFC
6454); other programs send neither. The sandbox's tokens can be guessed, so a token alone doesn't
prove anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ddoauth_kit.sandbox.http.refusals import api_refusal, page_refusal

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_OWN = frozenset({"same-origin", "none"})
_TEXT = "A page from another origin sent this request."


def check_page(
    method: str, headers: Mapping[str, str], *, form: bool, hosts: Collection[str]
) -> None:
    """Refuse a request that changes something and comes from a foreign page.

    A `form` on the sandbox's own pages contains a session token. Its `Origin` is not checked: the
    pages' own policy makes it `null`, and it changes behind a proxy.
    """
    if method in _SAFE:
        return
    site = headers.get("sec-fetch-site")
    foreign = site is not None and site.strip().lower() not in _OWN
    if form and foreign:
        raise page_refusal("foreign-page", _TEXT, status=403)
    origin = headers.get("origin")
    if not form and (foreign or (origin is not None and _host(origin) not in hosts)):
        raise api_refusal("foreign-page", 403, _TEXT)


def _host(origin: str) -> str:
    """Return the host and port of an origin, or a string that doesn't match any host."""
    try:
        parts = urlsplit(origin.strip().lower())
    except ValueError:
        return "?"
    whole = (
        parts.scheme in {"http", "https"} and f"{parts.scheme}://{parts.netloc}" == parts.geturl()
    )
    return parts.netloc if whole else "?"
