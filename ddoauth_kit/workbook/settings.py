"""Keep what is public in the user's config folder."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ddoauth_kit.place import on_binder
from ddoauth_kit.workbook.whole_file import ONLY_ME, write_whole

if TYPE_CHECKING:
    from collections.abc import Mapping

FOLDER: Final = "ddoauth-kit"


def config_folder(environ: Mapping[str, str] = os.environ) -> Path | None:
    """Return where settings go that are no secrets, or None where nothing may be written.

    `DDOAUTH_CONFIG_FOLDER` wins over `XDG_CONFIG_HOME`, and that over `~/.config`.
    """
    if on_binder(environ):
        return None
    if folder := environ.get("DDOAUTH_CONFIG_FOLDER", "").strip():
        return Path(folder)
    if config := environ.get("XDG_CONFIG_HOME", "").strip():
        return Path(config) / FOLDER
    home = environ.get("HOME", "").strip()
    return Path(home) / ".config" / FOLDER if home else None


def write_setting(path: Path, content: bytes) -> None:
    """Replace a file of the config folder, for this user alone; the folder is made if it must be.

    Raises:
        OSError: the file is as it was.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_whole(path, content, mode=ONLY_ME)
