"""Act as several users of one machine, which only root can do."""

from __future__ import annotations

import ctypes
import encodings.idna  # noqa: F401 - another user may not be able to read its file
import os
import sys
import threading
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

as_root = pytest.mark.skipif(
    sys.platform == "linux" and os.geteuid() != 0, reason="only root can be several users"
)


def as_user(user: int, act: Callable[[], bytes]) -> bytes:
    """Run code in a thread whose sockets belong to a user (setfsuid(2) affects one thread)."""
    done: list[bytes] = []

    def run() -> None:
        ctypes.CDLL(None).setfsuid(user)
        done.append(act())

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return done[0]
