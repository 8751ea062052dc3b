"""Data that was sent to an org and can be read back."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

ENTRIES_KEPT = 10_000


@dataclass(frozen=True)
class Point:
    """One value of one metric, at a time in epoch seconds."""

    metric: str
    timestamp: int
    value: float
    tags: tuple[str, ...]


@dataclass(frozen=True)
class Log:
    """One log; `timestamp` is in epoch milliseconds."""

    id: str
    timestamp: int
    message: str
    host: str
    service: str
    status: str
    tags: tuple[str, ...]
    attributes: dict[str, Any]


@dataclass(frozen=True)
class Event:
    """One event; `timestamp` is in epoch seconds."""

    id: int
    timestamp: int
    title: str
    text: str
    tags: tuple[str, ...]
    alert_type: str
    priority: str
    host: str
    source: str


@dataclass
class ReceivedData:
    """The data of one org; the latest ten thousand entries of each kind are kept."""

    points: deque[Point] = field(default_factory=lambda: deque(maxlen=ENTRIES_KEPT))
    logs: deque[Log] = field(default_factory=lambda: deque(maxlen=ENTRIES_KEPT))
    events: deque[Event] = field(default_factory=lambda: deque(maxlen=ENTRIES_KEPT))
    checks: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=ENTRIES_KEPT))
