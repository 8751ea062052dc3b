"""Replace files as a whole, so that a crash leaves either the old or the new content."""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

ANYBODY: Final = 0o666
ONLY_ME: Final = 0o600


def write_setting(path: Path, content: bytes) -> None:
    """Replace a file in the config folder, readable only by this user; create the folder if needed.

    Raises:
        OSError: the file is unchanged.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_whole(path, content, mode=ONLY_ME)


def write_whole(path: Path, content: bytes, *, mode: int = ANYBODY) -> None:
    """Replace a file atomically: readers see either the old or the new content, even after a crash.

    The new contents are first written to a uniquely named file in the same folder, so two processes
    that write at the same time don't collide. `mode` is the new file's mode before the process's
    umask is applied.

    Raises:
        OSError: the file is unchanged.
    """
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        draft.touch(mode=mode, exist_ok=False)
        with draft.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
