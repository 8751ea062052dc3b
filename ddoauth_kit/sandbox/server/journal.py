"""A journal without secrets: its entries in order, and a way to wait for the next one."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from itertools import islice
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

ENTRIES_KEPT = 10_000

_NOTHING: Mapping[str, str] = MappingProxyType({})
_NO_LENGTHS: Mapping[str, int] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalEntry:
    """One handled request; only names and the protocol's public values are recorded.

    `at` is in seconds since 1970. `host` is the name that the client asked for, one of Datadog's if
    a front forwarded the request. `behaviour` is the id of the rule that refused the request, or
    `fault:NAME`, and `reason` explains it in words; both are empty if the request succeeded.
    `authentication` is none, body, basic, bearer or api-key, or several of these joined by a plus
    sign. `attempt` is the fingerprint of the state that started the authorization. Equal
    `fingerprints` mean equal values.
    """

    number: int
    at: float
    site: str | None
    role: str | None
    host: str
    method: str
    path: str
    status: int
    behaviour: str = ""
    reason: str = ""
    operation: str | None = None
    authentication: str = "none"
    content_type: str = ""
    query_fields: tuple[str, ...] = ()
    form_fields: tuple[str, ...] = ()
    json_fields: tuple[str, ...] = ()
    values: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    grant: str | None = None
    org: str | None = None
    attempt: str | None = None
    faults: tuple[str, ...] = ()
    tolerated: tuple[str, ...] = ()
    fingerprints: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    lengths: Mapping[str, int] = field(default_factory=lambda: _NO_LENGTHS)

    @property
    def fields(self) -> tuple[str, ...]:
        """Return the names of the form's fields."""
        return self.form_fields

    def document(self) -> dict[str, Any]:
        """Return the entry in its JSON form."""
        shown = {each.name: getattr(self, each.name) for each in fields(self)}
        return {n: dict(v) if isinstance(v, Mapping) else v for n, v in shown.items()}


class Journal:
    """The latest ten thousand entries, oldest first, numbered from 1 without gaps."""

    def __init__(self) -> None:
        self._entries: deque[JournalEntry] = deque(maxlen=ENTRIES_KEPT)
        self._last = 0
        self._lock = threading.Lock()
        self._listeners: list[Callable[[JournalEntry], None]] = []

    @property
    def last(self) -> int:
        """Return the number of the newest entry, or 0 if there is none."""
        return self._last

    def write(self, **seen: Any) -> None:  # noqa: ANN401 - the fields of an entry
        """Add an entry and notify waiting callers."""
        with self._lock:
            self._last += 1
            entry = JournalEntry(number=self._last, **seen)
            self._entries.append(entry)
            listeners = tuple(self._listeners)
        for listener in listeners:
            listener(entry)

    def entries(self, *, after: int = 0) -> list[JournalEntry]:
        """Return the entries after a number."""
        with self._lock:
            if not self._entries:
                return []
            skipped = max(0, after + 1 - self._entries[0].number)
            return list(islice(self._entries, skipped, None))

    def clear(self) -> None:
        """Delete all entries; numbering continues, so no reader misses an entry."""
        with self._lock:
            self._entries.clear()

    def listen(self, listener: Callable[[JournalEntry], None]) -> Callable[[], None]:
        """Call a quick function with each new entry; return a function that stops these calls."""
        with self._lock:
            self._listeners.append(listener)

        def stop() -> None:
            with self._lock:
                self._listeners.remove(listener)

        return stop

    async def follow(self, *, after: int, patience: float) -> AsyncIterator[list[JournalEntry]]:
        """Yield new entries forever, with an empty list every few seconds if there are none."""
        loop, news = asyncio.get_running_loop(), asyncio.Event()
        stop = self.listen(lambda _: _wake(loop, news))
        try:
            while True:
                news.clear()
                entries = self.entries(after=after)
                if entries:
                    after = entries[-1].number
                    yield entries
                    continue
                try:
                    async with asyncio.timeout(patience):
                        await news.wait()
                except TimeoutError:
                    yield []
        finally:
            stop()


def _wake(loop: asyncio.AbstractEventLoop, news: asyncio.Event) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(news.set)
