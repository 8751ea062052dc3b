"""Store public values in the user's config folder."""

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
    """Return the folder for settings that are not secret, or None if nothing may be written.

    `DDOAUTH_CONFIG_FOLDER` takes precedence over `XDG_CONFIG_HOME`, which takes precedence over
    `~/.config`. A leading `~` stands for the home folder. `XDG_CONFIG_HOME` is used only if it is
    an absolute path, as its specification requires.

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
