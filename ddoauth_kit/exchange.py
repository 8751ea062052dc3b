"""Carry requests and answers as frozen values, and keep a masked record of each pair."""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from ddoauth_kit.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ddoauth_kit.sites import Host, Site

Pairs = tuple[tuple[str, "str | Secret"], ...]
KEPT_EXCHANGES: Final = 1000


@dataclass(frozen=True, slots=True)
class Request:
    """Describe one request before it goes: role of the host and path, never a free URL.

    `purpose` is a noun phrase for messages ("token exchange"). `form` is sent form-encoded, `body`
    as JSON. `repeatable` says that sending it twice does no harm.
    """

    purpose: str
    method: str
    site: Site
    host: Host
    path: str
    query: Pairs = ()
    headers: Pairs = ()
    form: Pairs | None = None
    body: Any = None
    repeatable: bool = False

    @property
    def url(self) -> str:
        """Return where it goes, secrets in the query included."""
        return self.site.url(self.host, self.path) + _query(_revealed(self.query))

    @property
    def shown_url(self) -> str:
        """Return the URL for printing: Datadog's host, secrets as placeholders."""
        shown = tuple((name, str(value)) for name, value in self.query)
        return self.site.shown_url(self.host, self.path) + _query(shown, safe="<>")

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """Return every secret that the request carries."""
        pairs = (*self.query, *self.headers, *(self.form or ()))
        return tuple(value for _, value in pairs if isinstance(value, Secret))

    def revealed_headers(self) -> list[tuple[str, str]]:
        """Return the headers as they go out."""
        headers = [(name, _header(name, value)) for name, value in _revealed(self.headers)]
        return [("accept", "application/json"), *headers]

    def content(self) -> tuple[str, bytes] | None:
        """Return content type and bytes of the body as they go out, or None without a body."""
        if self.form is not None:
            return "application/x-www-form-urlencoded", urlencode(_revealed(self.form)).encode()
        if self.body is not None:
            return "application/json", json.dumps(self.body).encode()
        return None

    def shown_headers(self) -> tuple[tuple[str, str], ...]:
        """Return the headers with placeholders."""
        return tuple((name, _header(name, str(value))) for name, value in self.headers)

    def shown_body(self) -> str:
        """Return the body with placeholders: form fields one a line, JSON indented."""
        if self.form is not None:
            return "\n".join(f"{name}={value}" for name, value in self.form)
        return "" if self.body is None else json.dumps(self.body, indent=2)


@dataclass(frozen=True, slots=True)
class Response:
    """Hold an answer: status, headers with lower-case names, text, and its masked record."""

    status: int
    headers: dict[str, str] = field(repr=False)
    text: str = field(repr=False)
    exchange: Exchange = field(repr=False)


@dataclass(frozen=True, slots=True)
class Exchange:
    """Hold one request and its answer as they may be shown; nothing in here is secret.

    `seconds` is wall time, and kept out of the repr because it differs from run to run.
    """

    purpose: str
    method: str
    url: str
    status: int
    request_headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    request_body: str = field(default="", repr=False)
    response_headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    response_body: str = field(default="", repr=False)
    seconds: float = field(default=0.0, repr=False, compare=False)


class Transcript:
    """Keep the newest masked exchanges, in order (at most 1,000)."""

    def __init__(self) -> None:
        self._exchanges: deque[Exchange] = deque(maxlen=KEPT_EXCHANGES)

    def add(self, exchange: Exchange) -> None:
        """Append one exchange."""
        self._exchanges.append(exchange)

    def __iter__(self) -> Iterator[Exchange]:
        return iter(tuple(self._exchanges))

    def __len__(self) -> int:
        return len(self._exchanges)

    def __repr__(self) -> str:
        lines = (f"{e.status} {e.method} {e.url}  ({e.purpose})" for e in self)
        return "\n".join(lines) or "(no request was sent)"

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{e.status}</td><td>{e.method}</td><td><code>{escape(e.url)}</code></td>"
            f"<td>{escape(e.purpose)}</td></tr>"
            for e in self
        )
        head = "<tr><th>status</th><th>method</th><th>URL</th><th>purpose</th></tr>"
        return f"<table><thead>{head}</thead><tbody>{rows}</tbody></table>"


def _revealed(pairs: Pairs) -> tuple[tuple[str, str], ...]:
    return tuple(
        (name, value.reveal() if isinstance(value, Secret) else value) for name, value in pairs
    )


def _header(name: str, value: str) -> str:
    return f"Bearer {value}" if name == "authorization" else value


def _query(pairs: tuple[tuple[str, str], ...], *, safe: str = "") -> str:
    return f"?{urlencode(pairs, safe=safe)}" if pairs else ""
