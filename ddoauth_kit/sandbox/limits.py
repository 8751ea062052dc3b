"""Rate limits of the operations that read data."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ddoauth_kit.sandbox.refusals import Refusal, api_refusal

if TYPE_CHECKING:
    from ddoauth_kit.sandbox.catalogue import Operation
    from ddoauth_kit.sandbox.clock import Clock
    from ddoauth_kit.sandbox.orgs import Org
    from ddoauth_kit.sandbox.profiles import Profile

_NAMES = {"ListLogs": "logs_public_search_api"}


class RateLimits:
    """Count calls per org and operation, in windows aligned to the calendar.

    Source: Datadog docs, rate limits; `X-RateLimit-Reset` counts seconds and is no epoch.
    """

    def __init__(self, *, clock: Clock, profile: Profile) -> None:
        self._clock = clock
        self._limit = profile.rate_limit
        self._period = profile.rate_period
        self._calls: dict[tuple[str, str], tuple[int, int]] = {}

    def count(self, operation: Operation, *, org: Org) -> tuple[tuple[str, str], ...]:
        """Count one call and return the headers that its answer carries, or refuse it."""
        now = self._clock.timestamp()
        window = int(now // self._period)
        name = _NAMES.get(operation.id, f"{operation.method} {operation.path}")
        seen_window, calls = self._calls.get((org.id, name), (window, 0))
        calls = calls + 1 if seen_window == window else 1
        self._calls[org.id, name] = (window, calls)
        headers = rate_headers(
            name,
            limit=self._limit,
            period=self._period,
            remaining=max(0, self._limit - calls),
            reset=math.ceil((window + 1) * self._period - now),
        )
        if calls > self._limit:
            raise with_headers(api_refusal("rate-limit-reached", 429), *headers)
        return headers


def rate_headers(
    name: str, *, limit: int, period: int, remaining: int, reset: int
) -> tuple[tuple[str, str], ...]:
    """Write the five headers; period and reset are in seconds."""
    return (
        ("X-RateLimit-Limit", str(limit)),
        ("X-RateLimit-Period", str(period)),
        ("X-RateLimit-Remaining", str(remaining)),
        ("X-RateLimit-Reset", str(reset)),
        ("X-RateLimit-Name", name),
    )


def with_headers(refusal: Refusal, *headers: tuple[str, str]) -> Refusal:
    """Return the refusal with more headers on its answer."""
    refusal.headers = (*refusal.headers, *headers)
    return refusal
