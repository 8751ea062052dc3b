"""Distinguish this user's connections from those of other users on the same machine.

The link that begins an attempt is an argument of the browser's process, and on Linux anyone can
list a process's arguments. The system records which user owns a loopback socket (proc(5),
`/proc/net/tcp`).
"""

from __future__ import annotations

import os
import socket
import struct
import sys
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_TABLES: Final = ("/proc/net/tcp", "/proc/net/tcp6")
_MAPPED: Final = b"\0" * 10 + b"\xff\xff"
_ROOT: Final = 0
_NOBODY: Final = "0"
_TRIES: Final = 3


def is_foreign(connection: socket.socket, *, user: int | None = None) -> bool:
    """Return whether a loopback connection comes from a user other than `user` or root.

    By default, `user` is the user who runs this process. The result is False if that user is root,
    because the process may run as root in a container while the browser runs as another user. It is
    also False if the system doesn't say who owns the connection.
    """
    if sys.platform != "linux":
        return False
    own = os.geteuid() if user is None else user
    if own == _ROOT:
        return False
    try:
        ours, theirs = connection.getsockname(), connection.getpeername()
    except OSError:
        return True  # the process has ended, so its owner is unknown
    for _ in range(_TRIES):
        found = dict(_owners(_spellings(ours), _spellings(theirs)))
        if "theirs" in found or "ours" not in found:
            break
    owner = found.get("theirs", None if "ours" in found else own)
    return owner not in {own, _ROOT}


def _owners(ours: set[str], theirs: set[str]) -> Iterator[tuple[str, int | None]]:
    """Yield the owners of both ends; a closed socket, whose user is given as 0, has none."""
    for table in _TABLES:
        try:
            with open(table, encoding="ascii") as lines:  # noqa: PTH123 - proc has no size to read
                found = [line for line in lines if any(end in line for end in ours)]
                rows = [line.split(maxsplit=10) for line in found]
        except OSError:
            continue
        for row in rows:
            if row[1] in theirs and row[2] in ours:
                yield "theirs", int(row[7]) if row[9] != _NOBODY else None
            elif row[1] in ours and row[2] in theirs:
                yield "ours", int(row[7])


def _spellings(address: tuple[str, int]) -> set[str]:
    """Return an address in the tables' format: 32-bit words in this machine's byte order."""
    host, port = address[:2]
    if ":" in host:
        return {_spelled(socket.inet_pton(socket.AF_INET6, host), port)}
    packed = socket.inet_aton(host)
    return {_spelled(packed, port), _spelled(_MAPPED + packed, port)}


def _spelled(packed: bytes, port: int) -> str:
    words = struct.unpack(f"={len(packed) // 4}I", packed)
    return f"{''.join(f'{word:08X}' for word in words)}:{port:04X}"
