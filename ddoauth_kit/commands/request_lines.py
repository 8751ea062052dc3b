"""Print a line for each request as it arrives at a sandbox."""

from __future__ import annotations

import threading
from queue import SimpleQueue
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

    from ddoauth_kit.sandbox import JournalEntry, Sandbox


def request_line(entry: JournalEntry) -> str:
    """Describe a request in one line without secrets; if it was refused, say why."""
    host = "" if entry.host.startswith(("127.0.0.1", "localhost", "[::1]")) else entry.host
    # At the sandbox's own address, a path begins with site and role.
    place = host or "/".join(part for part in ("", entry.site, entry.role) if part is not None)
    return f"{entry.method} {place}{entry.path} {entry.status} {entry.reason}".rstrip()


class RequestLines:
    """Print the requests to a sandbox during the block; a slow terminal doesn't delay responses."""

    def __init__(self, sandbox: Sandbox, *, say: Callable[[str], None]) -> None:
        self._sandbox = sandbox
        self._say = say
        self._waiting: SimpleQueue[JournalEntry | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._print, name="ddoauth-requests", daemon=True)

    def __enter__(self) -> Self:
        self._stop = self._sandbox.actions.listen(self._waiting.put)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()
        self._waiting.put(None)
        self._thread.join()

    def _print(self) -> None:
        while (entry := self._waiting.get()) is not None:
            self._say(request_line(entry))
