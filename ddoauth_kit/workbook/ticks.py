"""Keep what was ticked off, in the user's config folder; where that fails, in memory alone."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ddoauth_kit.place import NOTHING_KEPT, on_binder
from ddoauth_kit.workbook.whole_file import ONLY_ME, write_whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

FOLDER: Final = "ddoauth-kit"
NO_HOME: Final = "the environment names no home"


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


class Ticks:
    """Hold the ticked numbers of one list; a file that cannot be read counts as empty.

    Of two kernels the last one to write wins.
    """

    def __init__(self, name: str, *, environ: Mapping[str, str] = os.environ) -> None:
        folder = config_folder(environ)
        self._path = folder / f"ticks-{name}.json" if folder else None
        self._here: frozenset[int] = frozenset()
        self._why_here = "" if folder else NOTHING_KEPT if on_binder(environ) else NO_HOME

    @property
    def where(self) -> str:
        """Return where the ticks are kept, for people."""
        return f"this kernel ({self._why_here})" if self._why_here else str(self._path)

    def read(self) -> frozenset[int]:
        """Return the ticked numbers."""
        if self._path is None or self._why_here:
            return self._here
        try:
            found = json.loads(self._path.read_text("utf-8"))
        except (OSError, ValueError, RecursionError):
            return frozenset()
        numbers = found if isinstance(found, list) else []
        return frozenset(n for n in numbers if type(n) is int)  # JSON's `true` is an int too

    def write(self, ticked: Iterable[int]) -> None:
        """Keep the ticked numbers; where that fails this kernel has them, until it works again."""
        self._here = frozenset(ticked)
        if self._path is None:
            return
        try:
            write_setting(self._path, json.dumps(sorted(self._here)).encode())
        except OSError as error:
            self._why_here = f"{self._path} cannot be written: {error.strerror or error}"
        else:
            self._why_here = ""
