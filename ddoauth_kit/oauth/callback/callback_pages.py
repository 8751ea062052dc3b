"""Write the pages that a browser shows at the end of the flow; they don't contain secrets."""

from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256
from html import escape
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ddoauth_kit.oauth.callback.loopback_server import Reply

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ddoauth_kit.errors import DdoauthError

_STYLE: Final = Path(__file__).with_suffix(".css").read_text("utf-8")
_HASH: Final = b64encode(sha256(_STYLE.encode()).digest()).decode()
_POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{_HASH}'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
STRICT: Final = (
    ("Content-Security-Policy", _POLICY),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "no-referrer"),
    ("Cache-Control", "no-store"),
    ("X-Content-Type-Options", "nosniff"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
)
_CODE: Final = re.compile(r"`([^`<>]+)`")
_PAGE: Final = (
    '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width, initial-scale=1">'
    '<meta name="color-scheme" content="light dark"><title>{title} - ddoauth</title>'
    "<style>{style}</style></head><body><header>ddoauth-kit on this machine</header>"
    "<main{mark}><h1>{title}</h1>{content}</main></body></html>\n"
)
_WORDS: Final = {
    HTTPStatus.BAD_REQUEST: "This request cannot be read.",
    HTTPStatus.FORBIDDEN: (
        "This page opens only for the user whose program is waiting, in a browser window of its "
        "own."
    ),
    HTTPStatus.NOT_FOUND: "There is nothing here.",
    HTTPStatus.METHOD_NOT_ALLOWED: "This address accepts only GET requests.",
    HTTPStatus.REQUEST_TIMEOUT: "The request took too long.",
    HTTPStatus.REQUEST_URI_TOO_LONG: "The address is too long.",
    HTTPStatus.MISDIRECTED_REQUEST: "The listener does not have this host name.",
    HTTPStatus.TOO_MANY_REQUESTS: "Too many attempts are pending. Finish one, or start again.",
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: "The request's headers are too large.",
}


def page(
    status: int, title: str, *paragraphs: str, facts: Mapping[str, str] | None = None
) -> Reply:
    """Return a page that loads nothing, and that browsers must not frame or cache.

    `facts` are shown in a box below the paragraphs, because a client may have many scopes.
    """
    rows = "".join(
        f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in (facts or {}).items()
    )
    words = "".join(f"<p>{escape(paragraph)}</p>" for paragraph in paragraphs)
    text = _CODE.sub(r"<code>\1</code>", words)
    body = _PAGE.format(
        title=escape(title),
        style=_STYLE,
        mark=' class="good"' if status == HTTPStatus.OK else "",
        content=text + (f"<dl>{rows}</dl>" if rows else ""),
    ).encode()
    return Reply(status, (("Content-Type", "text/html; charset=utf-8"), *STRICT), body)


def refusal(status: int) -> Reply:
    """Return the page for a request that is not meant for the listener."""
    found = page(status, HTTPStatus(status).phrase, _WORDS[HTTPStatus(status)])
    if status != HTTPStatus.METHOD_NOT_ALLOWED:
        return found
    return Reply(status, (*found.headers, ("Allow", "GET")))  # HEAD has no body (RFC 9110 9.3.2)


def taken_page() -> Reply:
    """Return the page for a link that another browser opened first, or that is too old."""
    return page(
        HTTPStatus.BAD_REQUEST,
        "Not authorized",
        "Another browser opened this link first, or the link is too old.",
        "Continue in the browser that opened it, or end the attempt in your program and start "
        "again.",
        "The listener is still waiting.",
    )


def error_page(error: DdoauthError, *, waits: bool) -> Reply:
    """Return the page for an error: its kind and what to do, without any text from outside.

    `waits` is true if the attempt is still pending.
    """
    kind = f"Reason: {error.code.replace('_', ' ')}."
    next_step = error.advice[0].upper() + error.advice[1:]
    rest = (
        "The listener is still waiting."
        if waits
        else (
            "This attempt has ended, and your program shows the details. You may now close this "
            "tab."
        )
    )
    return page(HTTPStatus.BAD_REQUEST, "Not authorized", kind, next_step, rest)


def success_page(facts: Mapping[str, str], *, lasts: bool = False) -> Reply:
    """Return the page for an attempt that succeeded; `facts` says what was granted and where."""
    reload = (
        "You can reload this page for a minute, while your program runs."
        if lasts
        else "Don't reload this page: the listener has closed, so the browser can't reach it again."
    )
    return page(
        HTTPStatus.OK,
        "Authorized",
        "You may now close this tab.",
        "Go back to your notebook or terminal: it continues by itself.",
        reload,
        facts=facts,
    )


def answered_page() -> Reply:
    """Return the page for a redirect that arrives after the attempt has ended."""
    words = "This attempt has already ended. You may now close this tab."
    return page(HTTPStatus.CONFLICT, "Already finished", words)


def unexpected_page() -> Reply:
    """Return the page for an unexpected exception in the caller's program."""
    words = "Your program failed, and shows the error."
    return page(HTTPStatus.INTERNAL_SERVER_ERROR, "Not authorized", words)


def send_on(location: str, *headers: tuple[str, str]) -> Reply:
    """Return a redirect that the browser follows with GET (RFC 9700 section 4.12)."""
    return Reply(HTTPStatus.SEE_OTHER, (("Location", location), *STRICT, *headers))
