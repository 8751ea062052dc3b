"""Find a folder with a short path for a kernel's sockets, because systems limit path lengths."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ddoauth_kit.printable import readable

if TYPE_CHECKING:
    from collections.abc import Mapping

# `sun_path` has 104 bytes on macOS and 108 on Linux, including the final zero.
LONGEST: Final = 103
_SOCKET: Final = "/k-65535"
_PREFIX: Final = "ddoauth-"
_RANDOM: Final = 8
_LEFT: Final = re.compile(rf"{_PREFIX}(\d+)-.+")


def short_parent(environ: Mapping[str, str] = os.environ) -> Path | None:
    """Return a parent for socket folders: the temporary folder, or a shorter path.

    ZeroMQ accepts only UTF-8 paths.
    """
    named = environ.get("XDG_RUNTIME_DIR", "").strip()
    shorter = [Path(path) for path in (named, "/tmp", "/var/tmp") if path]  # noqa: S108 - 0700 within
    for parent in (Path(tempfile.gettempdir()), *shorter):
        longest = f"{parent}/{_PREFIX}{os.getpid()}-{'x' * _RANDOM}{_SOCKET}"
        usable = parent.is_dir() and os.access(parent, os.W_OK | os.X_OK)
        if usable and longest == readable(longest) and len(os.fsencode(longest)) <= LONGEST:
            return parent
    return None


def new_socket_folder() -> tuple[Path, bool]:
    """Create a folder for this user, and say whether its path is short enough for sockets."""
    parent = short_parent()
    prefix = f"{_PREFIX}{os.getpid()}-"
    return Path(tempfile.mkdtemp(prefix=prefix, dir=parent)), parent is not None


def remove_left_over() -> None:
    """Delete socket folders that killed processes left behind."""
    parent = short_parent() or Path(tempfile.gettempdir())
    for folder in parent.glob(f"{_PREFIX}*-*"):
        left = _LEFT.fullmatch(folder.name)
        with suppress(OSError):
            if left and not _lives(int(left[1])) and folder.stat().st_uid == os.geteuid():
                shutil.rmtree(folder, ignore_errors=True)


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True
