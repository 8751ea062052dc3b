"""Do slow work only once in a test run, in whichever process needs it first."""

from __future__ import annotations

import fcntl
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def made_once(path: Path, make: Callable[[Path], Path]) -> Path:
    """Return an existing path; `make` receives a folder and returns the finished path in it.

    A second process waits for the first one, and creates the path itself if the first one failed.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(f"{path.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            folder = path.with_name(f"{path.name}.new")
            folder.mkdir(exist_ok=True)
            make(folder).rename(path)
    return path
