"""Decide what may be sent, when to repeat a request, and which part of the response to record."""

from __future__ import annotations

import re
import socket
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from ddoauth_kit.errors import InputError
from ddoauth_kit.exchange import Exchange, Facts
from ddoauth_kit.http.answers import seconds_to_wait
from ddoauth_kit.http.message import Request, Response
from ddoauth_kit.http.record import Record
from ddoauth_kit.masking.redaction import Masker, QuickMasker, masked_body, outline

if TYPE_CHECKING:
    from ddoauth_kit.secret import Secret

RECORDED: Final = 64 * 1024
LONGEST_WAIT: Final = 30.0
_SUCCESS: Final = range(200, 300)
_TOO_MANY: Final = 429
_TRY_AGAIN: Final = frozenset({502, 503, 504})
# This path is under /api/, too, but its responses contain tokens and scopes, not a customer's data.
_TOKENS: Final = "/api/v2/oauth2/"
_SENDABLE: Final = re.compile(r"[!-~](?:[ -~]*[!-~])?")
# Headers that are in nearly every response and don't have to be searched.
_ORDINARY: Final = frozenset({"application/json", "no-store", "text/html; charset=utf-8"})
_SHOWN_HEADERS: Final = frozenset(
    {"cache-control", "content-type", "www-authenticate", "x-ratelimit-reset"}
)


def refuse_insecure(url: str) -> None:
    """Allow plain http only on this machine (RFC 9700 section 2.6).

    Raises:
        InputError: `insecure_url`.
    """
    parts = urlsplit(url)
    here = is_loopback(parts.hostname or "")
    if parts.scheme != "https" and not (parts.scheme == "http" and here):
        raise InputError("insecure_url", f"{parts.scheme}://{parts.hostname} is not encrypted.")


def refuse_unsendable(request: Request) -> None:
    """Refuse headers with invalid characters, because httpx would quote the value in its error.

    Raises:
        InputError: `unusable_credential`.
    """
    if any(not _SENDABLE.fullmatch(value) for _, value in request.revealed_headers()):
        raise unsendable(request)


def unsendable(request: Request) -> InputError:
    """Return the error for a credential that can't be sent in a header."""
    what = f"A credential for the {request.purpose} contains characters that can't be sent."
    return InputError("unusable_credential", what)


def seconds_before_repeat(response: Response, *, attempt: int) -> float | None:
    """Return how many seconds to wait before a repeat, or None if waiting would not help.

    After a 429, the response specifies the wait. After a 502, 503 or 504, the wait is half a
    second, then one second.
    """
    if response.status in _TRY_AGAIN:
        return 0.5 * (attempt + 1)
    if response.status != _TOO_MANY:
        return None
    wait = seconds_to_wait(response)
    return wait if wait is not None and wait <= LONGEST_WAIT else None


def recorded(  # noqa: PLR0913 - the parts of one response
    request: Request,
    *,
    status: int,
    headers: dict[str, str],
    text: str,
    seconds: float,
    keep_answers: bool,
) -> Response:
    """Return a response with its masked record, which takes only one quick pass.

    Without `keep_answers`, the record of a successful API response contains only its structure, not
    its values.
    """
    secrets = request.secrets
    mask = QuickMasker(secrets)
    outlined = not keep_answers and status in _SUCCESS and _is_a_customers(request)
    body, issued = _kept(text, mask, outlined=outlined)
    exchange = Exchange(
        purpose=request.purpose,
        method=request.method,
        url=mask(request.shown_url),
        status=status,
        request_headers=request.shown_headers(),
        request_body=mask(request.shown_body()),
        response_headers=tuple(
            (name, value if value in _ORDINARY else mask(value))
            for name, value in headers.items()
            if name in _SHOWN_HEADERS
        ),
        response_body=body,
        request_type=request.content_type,
        seconds=seconds,
        facts=Facts(
            site=request.site.name,
            path=mask(request.path),
            client_id=str(dict(request.form or ()).get("client_id", "")),
            trial=request.trial,
        ),
    )
    record = Record(exchange, (*secrets, *issued), outlined=outlined)
    return Response(status, headers, text, record, secrets)


def _is_a_customers(request: Request) -> bool:
    return request.path.startswith("/api/") and not request.path.startswith(_TOKENS)


def _kept(text: str, quick: QuickMasker, *, outlined: bool) -> tuple[str, tuple[Secret, ...]]:
    """Return the part of a response to record, and the secrets that the response issued.

    Long text is searched before it is truncated, so half a secret can't remain at its end.
    """
    kept = outline(text) if outlined else text
    mask = quick if len(kept) <= RECORDED else Masker(quick.secrets)
    return (mask(kept)[:RECORDED], ()) if outlined else masked_body(kept, mask, longest=RECORDED)


@lru_cache(maxsize=256)
def is_loopback(host: str) -> bool:
    """Return whether a URL's host is one of this machine's usual names or addresses."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@lru_cache(maxsize=256)
def is_this_machine(host: str) -> bool:
    """Return whether a resolver maps a host, such as `127.1` or `a.localhost`, to this machine.

    Proxies are bypassed for such hosts, but plain http is allowed only for those that `is_loopback`
    accepts.
    """
    name = host.removesuffix(".")
    if is_loopback(name) or name.endswith(".localhost"):
        return True
    try:
        address: IPv4Address | IPv6Address = ip_address(name)
    except ValueError:
        try:
            address = IPv4Address(socket.inet_aton(name))
        except OSError:
            return False
    address = getattr(address, "ipv4_mapped", None) or address
    return address.is_loopback or address.is_unspecified
