"""The requests and responses that handlers use, independent of any web framework."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterable, Mapping

    from ddoauth_kit.sandbox.facts.sites import Site

NO_CONTENT = 204
PAGE_HEADERS = (
    ("X-Frame-Options", "DENY"),
    (
        "Content-Security-Policy",
        # Chromium applies form-action to the redirect after the form too, so it is left out.
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'",
    ),
    ("Referrer-Policy", "no-referrer"),
    ("Cache-Control", "no-store"),
    ("X-Content-Type-Options", "nosniff"),
)


@dataclass(frozen=True)
class Incoming:
    """One request: its contents, and the site and host role that it reached."""

    method: str
    site: Site
    role: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    cookies: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    body: bytes = b""

    @property
    def parameters(self) -> dict[str, str]:
        """Return the query's parameters; if one is repeated, the last value wins."""
        return dict(self.query)

    @property
    def content_type(self) -> str:
        """Return the media type without its parameters, in lower case."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    def form(self) -> tuple[tuple[str, str], ...]:
        """Read the fields of an HTML form; any other body yields no fields."""
        return self._pairs

    @cached_property
    def _pairs(self) -> tuple[tuple[str, str], ...]:
        return read_pairs(self.body)


@dataclass(frozen=True)
class Answer:
    """One response, and how a fault may disturb its delivery.

    With a `stream`, the body is sent in parts as they are created, until the client hangs up.
    """

    status: int
    body: bytes = b""
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()
    delay: float = 0.0
    cut_off: bool = False
    stream: Callable[[], AsyncGenerator[bytes]] | None = None

    def with_headers(self, *headers: tuple[str, str]) -> Answer:
        """Return this response with more headers."""
        # Each response passes through here twice, and `replace` takes twice as long.
        return Answer(
            self.status,
            self.body,
            self.content_type,
            (*self.headers, *headers),
            self.delay,
            self.cut_off,
            self.stream,
        )

    def wire_headers(self) -> list[tuple[str, str]]:
        """Return all headers to send; `Content-Length` counts the complete body."""
        length = ("Content-Length", str(len(self.body)))
        first = [("Content-Type", self.content_type), *([] if self.stream else [length])]
        if self.status == NO_CONTENT:
            first = []  # RFC 9110 8.6: such an answer must not have a length
        return [*first, *self.headers]

    def wire_body(self) -> bytes:
        """Return the part of the body to send."""
        return self.body[: len(self.body) // 2] if self.cut_off else self.body


def read_pairs(raw: bytes) -> tuple[tuple[str, str], ...]:
    """Read form-encoded bytes from a query or a body into pairs."""
    try:
        text = raw.decode("utf-8")
        return tuple(parse_qsl(text, keep_blank_values=True, max_num_fields=1000))
    except ValueError:
        return ()


def duplicates(pairs: Iterable[tuple[str, str]]) -> list[str]:
    """Return the parameters that appear more than once, which RFC 6749 3.1 forbids."""
    seen: set[str] = set()
    again: list[str] = []
    for name, _ in pairs:
        if name in seen and name not in again:
            again.append(name)
        seen.add(name)
    return again


_COMPACT = json.JSONEncoder(separators=(",", ":"))


def json_answer(status: int, document: Any, *headers: tuple[str, str]) -> Answer:  # noqa: ANN401
    """Answer with a JSON document, written as compactly as Datadog's newer services do."""
    return Answer(status, _COMPACT.encode(document).encode(), headers=headers)


def html_answer(status: int, page: str, *headers: tuple[str, str]) -> Answer:
    """Answer with a page that other sites may not frame and caches may not store."""
    return Answer(
        status,
        page.encode(errors="replace"),
        "text/html; charset=utf-8",
        headers=(*PAGE_HEADERS, *headers),
    )


def see_other(location: str, *headers: tuple[str, str]) -> Answer:
    """Redirect with a 303, so browsers don't send the form's body again (RFC 9700, 4.12)."""
    return Answer(
        303,
        content_type="text/plain; charset=utf-8",
        headers=(("Location", location), *PAGE_HEADERS, *headers),
    )


def with_query(uri: str, pairs: Iterable[tuple[str, str]]) -> str:
    """Add form-encoded parameters to a URI, and keep its existing query (RFC 6749, 4.1.2)."""
    query = urlencode(list(pairs))
    if not query:
        return uri
    address, mark, fragment = uri.partition("#")
    if not address.endswith(("?", "&")):
        address += "&" if "?" in address else "?"
    return f"{address}{query}{mark}{fragment}"
