"""Respect the rate limits that responses announce (Datadog docs: rate limits).

`X-RateLimit-Reset` is a number of seconds from now, and Datadog does not send `Retry-After`. Some
servers send headers twice.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from ddoauth_kit.http.answers import first_value, seconds_to_wait
from ddoauth_kit.http.policy import LONGEST_WAIT

if TYPE_CHECKING:
    from collections.abc import Callable

    from ddoauth_kit.http.message import Request, Response

Limit = tuple[str, str]
_TOO_MANY: Final = 429


class Pace:
    """Remember which limits are used up on each site, and until when."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._names: dict[Limit, str] = {}
        self._until: dict[Limit, float] = {}

    def due(self, request: Request) -> float | None:
        """Return when the limit for a request resets, if that limit is used up."""
        return self._until.get(self._limit(request))

    def delay(self, request: Request) -> float:
        """Return how many seconds a request should wait; very long waits are ignored."""
        due = self.due(request)
        wait = due - self._clock() if due is not None else 0.0
        return wait if 0 < wait <= LONGEST_WAIT else 0.0

    def waited(self, request: Request, *, due: float | None) -> None:
        """Forget a reset that has passed, unless the limit was used up again in the meantime."""
        if self.due(request) == due:
            self._until.pop(self._limit(request), None)

    def note(self, request: Request, *, response: Response) -> None:
        """Record the limit that a response names for its operation, and whether it is used up."""
        name = first_value(response.headers.get("x-ratelimit-name", ""))
        if name:
            self._names[self._operation(request)] = name
        wait = seconds_to_wait(response)
        used_up = first_value(response.headers.get("x-ratelimit-remaining", "")) == "0"
        if (used_up or response.status == _TOO_MANY) and wait is not None:
            self._until[self._limit(request)] = self._clock() + wait

    def _limit(self, request: Request) -> Limit:
        operation = self._operation(request)
        return request.site.name, self._names.get(operation, operation[1])

    @staticmethod
    def _operation(request: Request) -> Limit:
        return request.site.name, f"{request.method} {request.path}"
