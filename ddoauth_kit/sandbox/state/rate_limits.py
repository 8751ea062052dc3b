"""Rate limits for the operations that bearer tokens can call."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ddoauth_kit.sandbox.http.refusals import Refusal, api_refusal

if TYPE_CHECKING:
    from ddoauth_kit.sandbox.clock import Clock
    from ddoauth_kit.sandbox.facts.catalogue import Operation
    from ddoauth_kit.sandbox.facts.profiles import Profile
    from ddoauth_kit.sandbox.state.orgs import Org

    Headers = tuple[tuple[str, str], ...]

_NAMES = {"ListLogs": "logs_public_search_api"}


class RateLimits:
    """Counts calls per org and operation, in windows aligned with the calendar.

    Source: Datadog docs, rate limits. `X-RateLimit-Reset` is a number of seconds, not a Unix time.
    """

    def __init__(self, *, clock: Clock, profile: Profile) -> None:
        self._clock = clock
        self._limit = profile.rate_limit
        self._period = profile.rate_period
        self._calls: dict[tuple[str, str], tuple[int, int]] = {}

    def count(self, operation: Operation, *, org: Org) -> Headers:
        """Count one call and return the headers for its response, or refuse the call."""
        window = self._window()
        name = _name(operation)
        seen_window, calls = self._calls.get((org.id, name), (window, 0))
        calls = calls + 1 if seen_window == window else 1
        self._calls[org.id, name] = (window, calls)
        headers = self._headers(name, window=window, calls=calls)
        if calls > self._limit:
            raise with_headers(api_refusal("rate-limit-reached", 429), *headers)
        return headers

    def uncounted(self, operation: Operation) -> Headers:
        """Return the headers for a response that doesn't count toward the limit."""
        return self._headers(_name(operation), window=self._window(), calls=0)

    def _window(self) -> int:
        return int(self._clock.timestamp() // self._period)

    def _headers(self, name: str, *, window: int, calls: int) -> Headers:
        end = (window + 1) * self._period
        return rate_headers(
            name,
            limit=self._limit,
            period=self._period,
            remaining=max(0, self._limit - calls),
            reset=math.ceil(end - self._clock.timestamp()),
        )


def _name(operation: Operation) -> str:
    return _NAMES.get(operation.id, f"{operation.method} {operation.path}")


def rate_headers(name: str, *, limit: int, period: int, remaining: int, reset: int) -> Headers:
    """Write the five headers; the period and the reset are in seconds."""
    return (
        ("X-RateLimit-Limit", str(limit)),
        ("X-RateLimit-Period", str(period)),
        ("X-RateLimit-Remaining", str(remaining)),
        ("X-RateLimit-Reset", str(reset)),
        ("X-RateLimit-Name", name),
    )


def with_headers(refusal: Refusal, *headers: tuple[str, str]) -> Refusal:
    """Return the refusal with additional headers."""
    refusal.headers = (*refusal.headers, *headers)
    return refusal
