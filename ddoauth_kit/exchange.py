"""Hold one request and its answer as they may be shown."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Exchange:
    """Hold one request and its answer as they may be shown; nothing in here is secret.

    `request_type` is the content type of a body. `seconds` is wall time, and kept out of the repr
    because it differs from run to run.
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
