"""Do slow work only once in a test run, in whichever process needs it first."""

from __future__ import annotations

import fcntl
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def made_once(path: Path, make: Callable[[Path], Path]) -> Path:
    """Return a path that exists; `make` gets a folder, and returns the finished path in it.

    A process that comes second waits for the first, and makes it itself if the first failed.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(f"{path.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            folder = path.with_name(f"{path.name}.new")
            folder.mkdir(exist_ok=True)
            make(folder).rename(path)
    return path
