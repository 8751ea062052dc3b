"""The sandbox's own time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import lru_cache

START = datetime(2026, 1, 1, tzinfo=UTC)
TICK_SECONDS = 0.01


class Clock:
    """A clock that advances with each request, not with real time.

    It starts at 2026-01-01T00:00:00Z, so two runs of a script see the same times. With `real_time`,
    it shows the wall clock's time plus the seconds passed to `advance`.
    """

    def __init__(self, *, real_time: bool = False) -> None:
        self._real_time = real_time
        self._offset = timedelta()
        # How many seconds one response's clock is ahead, for the fault clock-skew.
        self.ahead = 0.0

    def now(self) -> datetime:
        """Return the current time in UTC."""
        return (datetime.now(UTC) if self._real_time else START) + self._offset

    def timestamp(self) -> float:
        """Return the current time in seconds since the epoch."""
        return self.now().timestamp()

    def advance(self, seconds: float) -> datetime:
        """Move the clock forward and return the new time; it never moves backward."""
        if seconds < 0:
            raise ValueError(
                f"the sandbox's clock only moves forward; it can't move by {seconds} seconds"
            )
        self._offset += timedelta(seconds=seconds)
        return self.now()

    def tick(self) -> None:
        """Count one handled request, unless the clock shows real time."""
        if not self._real_time:
            self._offset += timedelta(seconds=TICK_SECONDS)


def iso(moment: datetime) -> str:
    """Format a time as in Datadog's JSON: UTC, milliseconds, `Z`."""
    there = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    return there.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def http_date(moment: datetime) -> str:
    """Format a time for the `Date` header (RFC 9110, 5.6.7)."""
    return _written(moment.replace(microsecond=0))


@lru_cache(maxsize=1)
def _written(second: datetime) -> str:
    return format_datetime(second, usegmt=True)
