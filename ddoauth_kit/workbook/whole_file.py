"""Write a file whole or not at all, and not through a link."""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

ANYBODY: Final = 0o666
ONLY_ME: Final = 0o600


def write_whole(path: Path, content: bytes, *, mode: int = ANYBODY) -> None:
    """Replace a file at once: whoever looks sees the old content or the new, also after a crash.

    The draft stands beside it under a name of its own, so that two processes that write at once
    do not meet. `mode` is the new file's, less what the process withholds (its umask).

    Raises:
        OSError: the file is as it was.
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
