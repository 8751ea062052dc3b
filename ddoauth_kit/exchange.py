"""Represent one request and its response in masked form."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Purpose(StrEnum):
    """The purposes that programs check for; all other purposes are free text for people."""

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
    """Facts about an exchange, so that programs don't have to parse masked text.

    `client_id` is empty if a request does not have one. `trial` is true if the call only tested a
    scope and was not one of the integration's own calls.
    """

    site: str = ""
    path: str = ""
    client_id: str = ""
    trial: bool = False


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its response in masked form, without secrets.

    `request_type` is the content type of a body. `seconds` is wall time; the repr leaves it out
    because it differs from run to run. All fields except `facts`, `method` and `status` are meant
    for people to read.
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
