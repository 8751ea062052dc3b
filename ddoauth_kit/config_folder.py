"""Keep what is public in the user's config folder."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ddoauth_kit.binder import on_binder
from ddoauth_kit.environment_values import path_in

if TYPE_CHECKING:
    from collections.abc import Mapping

FOLDER: Final = "ddoauth-kit"
ANYBODY: Final = 0o666
ONLY_ME: Final = 0o600


def config_folder(environ: Mapping[str, str] = os.environ) -> Path | None:
    """Return the folder for settings that are not secrets, or None if nothing may be written.

    `DDOAUTH_CONFIG_FOLDER` wins over `XDG_CONFIG_HOME`, and that over `~/.config`. A `~` in front
    is the home folder. `XDG_CONFIG_HOME` counts if it is an absolute path, as its specification
    says.

    Raises:
        InputError: `bad_variable`, if `DDOAUTH_CONFIG_FOLDER` is not an absolute path.
    """
    if on_binder(environ):
        return None
    if folder := path_in("DDOAUTH_CONFIG_FOLDER", environ, whole=True):
        return folder
    config = Path(environ.get("XDG_CONFIG_HOME", "").strip())
    if config.is_absolute():
        return config / FOLDER
    home = Path(environ.get("HOME", "").strip())
    return home / ".config" / FOLDER if home.is_absolute() else None


def write_setting(path: Path, content: bytes) -> None:
    """Replace a file of the config folder, for this user alone; the folder is made if it must be.

    Raises:
        OSError: the file is as it was.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_whole(path, content, mode=ONLY_ME)


def write_whole(path: Path, content: bytes, *, mode: int = ANYBODY) -> None:
    """Replace a file atomically: readers see either the old or the new content, even after a crash.

    The draft is next to it under a name of its own, so that two processes that write at once
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
