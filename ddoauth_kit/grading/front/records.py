"""Record each request or connection that the front saw, without any secrets."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from enum import StrEnum


class Treatment(StrEnum):
    """What the front did with a request."""

    FORWARDED = "forwarded"
    REFUSED = "refused"
    TUNNELLED = "tunnelled"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontRecord:
    """One request or connection at the front.

    `reason` is a stable code, and `line` is one sentence for people; both are empty if nothing is
    wrong. `site` and `role` are set for Datadog's hosts. Field names are read only for refused
    hosts, because the sandbox's journal does not have those requests. `at` is in seconds since
    1970.
    """

    treatment: Treatment
    host: str
    port: int = 443
    site: str | None = None
    role: str | None = None
    method: str = ""
    path: str = ""
    status: int | None = None
    query_fields: tuple[str, ...] = ()
    body_fields: tuple[str, ...] = ()
    credential_headers: tuple[str, ...] = ()
    reason: str = ""
    line: str = ""
    at: float = field(default_factory=time.time)
