"""Write the files that a command leaves in a folder that the user named.

Somebody else may have filled that folder, such as the author of a repository that was cloned. A
link in it never leads a result elsewhere: the result takes the link's place.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def write_text(path: Path, text: str) -> Path:
    """Write a text in UTF-8, with its line ends as they are, and return the path.

    What was there is replaced, not changed: neither a symbolic nor a hard link is followed. Half a
    character, which a notebook can hold and UTF-8 cannot, becomes a question mark.

    Raises:
        OSError: the file is as it was.
    """
    draft = path.with_name(f".{secrets.token_hex(8)}")
    try:
        with draft.open("x", encoding="utf-8", errors="replace", newline="") as file:
            file.write(text)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    return path


def without_link(path: Path) -> Path:
    """Return a path at which a library can write a file of its own: a link there is removed.

    Raises:
        OSError: it can't be removed.
    """
    if path.is_symlink():
        path.unlink()
    return path


def folder_within(folder: Path, name: str) -> Path:
    """Return a folder inside another, which is made if it must be.

    Raises:
        OSError: it can't be made.
    """
    inner = without_link(folder / name)
    inner.mkdir(exist_ok=True)
    return inner
