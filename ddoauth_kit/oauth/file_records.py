"""Store pending records as files, for all processes on one machine."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final

from ddoauth_kit.oauth.pending import LIFETIME, MOST
from ddoauth_kit.store.files import PrivateFolder

if TYPE_CHECKING:
    import os

_ENDING: Final = ".pending"
_SWEEP_SECONDS: Final = 60.0
_SWEEP_RECORDS: Final = 500


class FileRecords:
    """Store pending records in a folder of mode 0700 that nothing else uses (POSIX only).

    Old records are deleted once a minute. If 10,000 are pending, the oldest are removed.

    Raises:
        InputError: `unsafe_store` or `not_stored`, here and in every method.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self._folder = PrivateFolder(folder)
        self._lock = threading.Lock()
        self._next_sweep = 0.0
        self._put_since = 0

    def put(self, key: str, record: str, *, seconds: int) -> None:  # noqa: ARG002 - swept by age
        """Store a record; when this returns, other processes can see it."""
        self._folder.write(key + _ENDING, record.encode("ascii"))
        if self._is_time_to_sweep():
            self._sweep()

    def get(self, key: str) -> str | None:
        """Return a record, or None if it does not exist."""
        content = self._folder.read(key + _ENDING)
        return None if content is None else content.decode("ascii", "replace")

    def delete(self, key: str) -> bool:
        """Delete a record; the system ensures that this succeeds in only one process."""
        return self._folder.remove(key + _ENDING)

    def _is_time_to_sweep(self) -> bool:
        with self._lock:
            self._put_since += 1
            now = time.monotonic()
            if now < self._next_sweep and self._put_since < _SWEEP_RECORDS:
                return False
            self._next_sweep, self._put_since = now + _SWEEP_SECONDS, 0
            return True

    def _sweep(self) -> None:
        """Delete old records and any above the limit; `names` starts with the oldest."""
        names = [name for name in self._folder.names() if name.endswith(_ENDING)]
        oldest = time.time() - LIFETIME
        for place, name in enumerate(names):
            if place >= len(names) - MOST and self._folder.written(name) >= oldest:
                return
            self._folder.remove(name)
