"""Represent requests and responses as frozen values; requests show placeholders for secrets."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from ddoauth_kit.masking.redaction import issued_secrets, redact_body
from ddoauth_kit.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ddoauth_kit.exchange import Exchange
    from ddoauth_kit.http.record import Record
    from ddoauth_kit.sites import Host, Site

Pairs = tuple[tuple[str, "str | Secret"], ...]
_SUCCESS: Final = range(200, 300)


@dataclass(frozen=True, slots=True)
class Request:
    """One request before it is sent: the host's role and a path, never an arbitrary URL.

    `purpose` is a `Purpose`, or any other noun phrase to use in messages. `form` is sent
    form-encoded and `body` as JSON; both may contain secrets. `repeatable` is true if sending the
    request twice is harmless. `trial` is true if the call tests a scope and is not one of the
    integration's own.
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
    trial: bool = False

    @property
    def url(self) -> str:
        """Return the real URL, including secrets in the query."""
        return self.site.url(self.host, self.path) + _query(_revealed(self.query))

    @property
    def shown_url(self) -> str:
        """Return the URL for printing, with Datadog's host and placeholders for secrets."""
        shown = tuple((name, str(value)) for name, value in self.query)
        return self.site.shown_url(self.host, self.path) + _query(shown, safe="<>{}*:,/")

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """Return every secret in the request."""
        pairs = (*self.query, *self.headers, *(self.form or ()))
        values = (*(value for _, value in pairs), *_leaves(self.body))
        return tuple(value for value in values if isinstance(value, Secret))

    def revealed_headers(self) -> list[tuple[str, str]]:
        """Return the headers that are sent."""
        headers = [(name, _header(name, value)) for name, value in _revealed(self.headers)]
        return [("accept", "application/json"), ("accept-encoding", "identity"), *headers]

    @property
    def content_type(self) -> str:
        """Return the body's content type, or an empty string if there is no body."""
        if self.form is not None:
            return "application/x-www-form-urlencoded"
        return "" if self.body is None else "application/json"

    def content(self) -> bytes | None:
        """Return the body that is sent, or None if there is none."""
        if self.form is not None:
            return urlencode(_revealed(self.form)).encode()
        return None if self.body is None else json.dumps(self.body, default=Secret.reveal).encode()

    def shown_headers(self) -> tuple[tuple[str, str], ...]:
        """Return the headers with placeholders."""
        return tuple((name, _header(name, str(value))) for name, value in self.headers)

    def shown_body(self) -> str:
        """Return the body with placeholders: one form field per line, or indented JSON."""
        if self.form is not None:
            return "\n".join(f"{name}={value}" for name, value in self.form)
        return "" if self.body is None else json.dumps(self.body, indent=2, default=str)


@dataclass(frozen=True, slots=True)
class Response:
    """A response: its status, headers with lower-case names, text, and masked record.

    `secrets` contains the request's secrets, because a server may repeat them.
    """

    status: int
    headers: dict[str, str] = field(repr=False)
    text: str = field(repr=False)
    record: Record = field(repr=False)
    secrets: tuple[Secret, ...] = field(default=(), repr=False)

    @property
    def succeeded(self) -> bool:
        """Return whether the status is from 200 to 299."""
        return self.status in _SUCCESS

    @property
    def exchange(self) -> Exchange:
        """Return the masked record."""
        return self.record.exchange

    def masked(self, text: str) -> str:
        """Mask the secrets that were sent or issued in part of the response."""
        return redact_body(text, secrets=(*self.secrets, *issued_secrets(self.text)))


def _revealed(pairs: Pairs) -> tuple[tuple[str, str], ...]:
    return tuple(
        (name, value.reveal() if isinstance(value, Secret) else value) for name, value in pairs
    )


def _leaves(body: Any) -> Iterator[Any]:  # noqa: ANN401 - JSON
    if isinstance(body, dict | list | tuple):
        for value in body.values() if isinstance(body, dict) else body:
            yield from _leaves(value)
    else:
        yield body


def _header(name: str, value: str) -> str:
    return f"Bearer {value}" if name == "authorization" else value


def _query(pairs: tuple[tuple[str, str], ...], *, safe: str = "") -> str:
    return f"?{urlencode(pairs, safe=safe)}" if pairs else ""
