"""Store secrets in memory until the process ends."""

from __future__ import annotations

import threading
from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from ddoauth_kit.secret import Secret
    from ddoauth_kit.store.slots import Slot


class ThreadLocks:
    """Give each slot a lock that all threads in this process share."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._locks: defaultdict[Slot, threading.Lock] = defaultdict(threading.Lock)

    def alone(self, slot: Slot) -> AbstractContextManager[object]:
        """Return the lock of a slot."""
        with self._guard:
            return self._locks[slot]


class MemoryStore:
    """Store secrets until the process ends."""

    where = "memory: lost when this kernel ends"

    def __init__(self) -> None:
        self._kept: dict[Slot, Secret] = {}
        self._locks = ThreadLocks()

    def get(self, slot: Slot) -> Secret | None:
        """Return the secret in the slot, or None."""
        return self._kept.get(slot)

    def put(self, slot: Slot, secret: Secret) -> None:
        """Store a secret until the process ends."""
        self._kept[slot] = secret

    def forget(self, slot: Slot) -> None:
        """Delete the secret in the slot, if there is one."""
        self._kept.pop(slot, None)

    def slots(self) -> tuple[Slot, ...]:
        """Return the slots in use."""
        return tuple(self._kept)

    def alone(self, slot: Slot) -> AbstractContextManager[object]:
        """Block other threads that need the same slot."""
        return self._locks.alone(slot)
