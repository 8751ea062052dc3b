"""Write the pages that a browser sees at the end: plain, closed, and without anything secret."""

from __future__ import annotations

from html import escape
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from ddoauth_kit.oauth.callback.loopback_server import Reply

if TYPE_CHECKING:
    from ddoauth_kit.errors import DdoauthError

STRICT: Final = (
    (
        "Content-Security-Policy",
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "no-referrer"),
    ("Cache-Control", "no-store"),
    ("X-Content-Type-Options", "nosniff"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
)
_PAGE: Final = (
    '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width, initial-scale=1">'
    '<meta name="color-scheme" content="light dark"><title>{title} - ddoauth</title></head>'
    "<body><main><h1>{title}</h1>{paragraphs}</main></body></html>\n"
)
_WORDS: Final = {
    HTTPStatus.BAD_REQUEST: "This request cannot be read.",
    HTTPStatus.FORBIDDEN: "This page opens in a browser window of its own, and in no other page.",
    HTTPStatus.NOT_FOUND: "There is nothing here.",
    HTTPStatus.METHOD_NOT_ALLOWED: "This address takes GET requests only.",
    HTTPStatus.REQUEST_TIMEOUT: "The request took too long.",
    HTTPStatus.REQUEST_URI_TOO_LONG: "The address is too long.",
    HTTPStatus.MISDIRECTED_REQUEST: "This name is not the listener's.",
    HTTPStatus.TOO_MANY_REQUESTS: "Too many attempts were begun. Finish one, or start again.",
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: "The request's headers are too large.",
}


def page(status: int, title: str, *paragraphs: str) -> Reply:
    """Return a page that no other page may frame, no cache keeps, and that loads nothing."""
    text = "".join(f"<p>{escape(paragraph)}</p>" for paragraph in paragraphs)
    body = _PAGE.format(title=escape(title), paragraphs=text).encode()
    return Reply(status, (("Content-Type", "text/html; charset=utf-8"), *STRICT), body)


def refusal(status: int) -> Reply:
    """Return the page for a request that is none of the listener's."""
    found = page(status, HTTPStatus(status).phrase, _WORDS[HTTPStatus(status)])
    if status != HTTPStatus.METHOD_NOT_ALLOWED:
        return found
    return Reply(status, (*found.headers, ("Allow", "GET")))  # HEAD has no body (RFC 9110 9.3.2)


def error_page(error: DdoauthError, *, waits: bool) -> Reply:
    """Return the page for a refusal: its kind and what to do, and no word that came from outside.

    `waits` says whether the attempt goes on.
    """
    kind = f"Reason: {error.code.replace('_', ' ')}."
    next_step = error.advice[0].upper() + error.advice[1:]
    rest = (
        "The listener goes on waiting."
        if waits
        else "This attempt is over, and your program shows the details. You may now close this tab."
    )
    return page(HTTPStatus.BAD_REQUEST, "Not authorized", kind, next_step, rest)


def success_page() -> Reply:
    """Return the page for an attempt that went well."""
    return page(
        HTTPStatus.OK,
        "Authorized",
        "You may now close this tab.",
        "Your program continues by itself.",
    )


def answered_page() -> Reply:
    """Return the page for a redirect that comes after the answer."""
    words = "This attempt was answered before. You may now close this tab."
    return page(HTTPStatus.CONFLICT, "Answered already", words)


def unexpected_page() -> Reply:
    """Return the page for a failure that is not the kit's to name."""
    words = "Your program failed; it shows the error."
    return page(HTTPStatus.INTERNAL_SERVER_ERROR, "Not authorized", words)


def send_on(location: str, *headers: tuple[str, str]) -> Reply:
    """Return the redirect that sends the browser on by GET (RFC 9700 section 4.12)."""
    return Reply(HTTPStatus.SEE_OTHER, (("Location", location), *STRICT, *headers))
