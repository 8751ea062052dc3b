"""Find the user's config folder, which holds public values."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ddoauth_kit.binder import on_binder
from ddoauth_kit.environment_values import path_in

if TYPE_CHECKING:
    from collections.abc import Mapping

FOLDER: Final = "ddoauth-kit"


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
