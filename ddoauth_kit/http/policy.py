"""Decide what may be sent, when it is sent again, and what is kept of the answer; sends nothing."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from ddoauth_kit.errors import InputError
from ddoauth_kit.exchange import Exchange
from ddoauth_kit.http.answers import seconds_to_wait
from ddoauth_kit.http.message import Request, Response
from ddoauth_kit.masking.redaction import Masker, outline, redact_body

RECORDED: Final = 64 * 1024
LONGEST_WAIT: Final = 30.0
_SUCCESS: Final = range(200, 300)
_TOO_MANY: Final = 429
_TRY_AGAIN: Final = frozenset({502, 503, 504})
_SENDABLE: Final = re.compile(r"[!-~](?:[ -~]*[!-~])?")
_SHOWN_HEADERS: Final = frozenset(
    {"cache-control", "content-type", "www-authenticate", "x-ratelimit-reset"}
)


def refuse_insecure(url: str) -> bool:
    """Return whether the URL is on loopback; plain http is for loopback only (RFC 9700 2.6).

    Raises:
        InputError: `insecure_url`.
    """
    parts = urlsplit(url)
    loopback = _is_loopback(parts.hostname or "")
    if parts.scheme != "https" and not (parts.scheme == "http" and loopback):
        raise InputError("insecure_url", f"{parts.scheme}://{parts.hostname} is not encrypted.")
    return loopback


def refuse_unsendable(request: Request) -> None:
    """Refuse a line break or the like in a header, which httpx would quote in its own error.

    Raises:
        InputError: `unusable_credential`.
    """
    if any(not _SENDABLE.fullmatch(value) for _, value in request.revealed_headers()):
        raise unsendable(request)


def unsendable(request: Request) -> InputError:
    """Describe a request with a credential that no header can hold."""
    what = f"A credential for the {request.purpose} holds what cannot be sent."
    return InputError("unusable_credential", what)


def seconds_before_repeat(response: Response, *, attempt: int) -> float | None:
    """Return how long to wait before a repeat, or None where waiting would not help.

    After 429 it is what the answer says, after 502 to 504 half a second, then one.
    """
    if response.status in _TRY_AGAIN:
        return 0.5 * (attempt + 1)
    if response.status != _TOO_MANY:
        return None
    wait = seconds_to_wait(response)
    return wait if wait is not None and wait <= LONGEST_WAIT else None


def recorded(  # noqa: PLR0913 - the parts of one answer
    request: Request,
    *,
    status: int,
    headers: dict[str, str],
    text: str,
    seconds: float,
    keep_answers: bool,
) -> Response:
    """Return an answer with its masked record.

    Without `keep_answers` the record of a successful API answer is its shape, without values.
    """
    mask = Masker(request.secrets)
    exchange = Exchange(
        purpose=request.purpose,
        method=request.method,
        url=mask(request.shown_url),
        status=status,
        request_headers=request.shown_headers(),
        request_body=mask(request.shown_body()),
        response_headers=tuple(
            (name, mask(value)) for name, value in headers.items() if name in _SHOWN_HEADERS
        ),
        response_body=_kept(request, status=status, text=text, keep_answers=keep_answers),
        request_type=request.content_type,
        seconds=seconds,
    )
    return Response(status=status, headers=headers, text=text, exchange=exchange)


def _kept(request: Request, *, status: int, text: str, keep_answers: bool) -> str:
    if not keep_answers and status in _SUCCESS and request.path.startswith("/api/"):
        return Masker(request.secrets)(outline(text))[:RECORDED]
    return redact_body(text, secrets=request.secrets, longest=RECORDED)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
