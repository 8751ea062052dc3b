"""Write a command's results into a folder that the user named.

That folder's contents may come from somebody else, such as the author of a cloned repository. A
link in the folder can't redirect a result elsewhere, because the result replaces the link.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def write_text(path: Path, text: str) -> Path:
    """Write text in UTF-8, with its line breaks unchanged, and return the path.

    An existing file is replaced rather than modified, and neither symbolic nor hard links are
    followed. Half of a surrogate pair, which a notebook can contain but UTF-8 cannot, becomes a
    question mark.

    Raises:
        OSError: the file is unchanged.
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
    """Return a path where a library can write its own file, after removing any link there.

    Raises:
        OSError: the link can't be removed.
    """
    if path.is_symlink():
        path.unlink()
    return path


def folder_within(folder: Path, name: str) -> Path:
    """Return a folder inside another one, and create it if necessary.

    Raises:
        OSError: the folder can't be created.
    """
    inner = without_link(folder / name)
    inner.mkdir(exist_ok=True)
    return inner
