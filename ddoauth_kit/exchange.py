"""Hold one request and its answer as they may be shown."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Purpose(StrEnum):
    """Name what programs look for among the exchanges; other purposes are words for people."""

    EXCHANGE = "token exchange"
    REFRESH = "token refresh"
    REFRESH_REVOCATION = "revocation of the refresh token"
    ACCESS_REVOCATION = "revocation of the access token"
    KEY_CREATION = "API key creation"
    METRIC = "metric submission"
    LOG = "log submission"
    EVENT = "event submission"
    SERVICE_CHECK = "service check submission"


@dataclass(frozen=True, slots=True)
class Facts:
    """Hold what programs want to know of an exchange, so that none reads it out of masked text.

    `site` and `client_id` are names, the latter empty where a request has none. `trial` says that
    the call tried a scope and was not the integration's own.
    """

    site: str = ""
    path: str = ""
    client_id: str = ""
    trial: bool = False


@dataclass(frozen=True, slots=True)
class Exchange:
    """Hold one request and its answer as they may be shown; nothing in here is secret.

    `request_type` is the content type of a body. `seconds` is wall time, and kept out of the repr
    because it differs from run to run. All but `facts`, `method` and `status` is for people.
    """

    purpose: str
    method: str
    url: str
    status: int
    request_headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    request_body: str = field(default="", repr=False)
    response_headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    response_body: str = field(default="", repr=False)
    request_type: str = field(default="", repr=False)
    seconds: float = field(default=0.0, repr=False, compare=False)
    facts: Facts = field(default=Facts(), repr=False)
