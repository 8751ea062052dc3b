"""Store ticks in the user's config folder, or only in memory if that fails."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Final

from ddoauth_kit.binder import NOTHING_KEPT, on_binder
from ddoauth_kit.config_folder import config_folder
from ddoauth_kit.whole_files import write_setting

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

NO_HOME: Final = "the environment names no home folder"


class Ticks:
    """The ticked steps in one list; an unreadable file counts as empty.

    Ticks are stored by the text of their step, because lists change. If two kernels write, the last
    write wins.
    """

    def __init__(self, name: str, *, environ: Mapping[str, str] = os.environ) -> None:
        folder = config_folder(environ)
        self._path = folder / f"ticks-{name}.json" if folder else None
        self._here: frozenset[str] = frozenset()
        self._why_here = "" if folder else NOTHING_KEPT if on_binder(environ) else NO_HOME

    @property
    def where(self) -> str:
        """Describe where ticks are stored."""
        return f"this kernel ({self._why_here})" if self._why_here else _from_home(self._path)

    def read(self) -> frozenset[str]:
        """Return the ticked steps."""
        return self._here if self._why_here else frozenset(_steps(self._file()) or ())

    @property
    def broken(self) -> bool:
        """Return whether the file exists but is not a list of ticks."""
        found = self._file()
        return found is not None and _steps(found) is None

    def write(self, ticked: Iterable[str]) -> None:
        """Store the ticked steps; if that fails, keep them in this kernel until it works again."""
        self._here = frozenset(ticked)
        if self._path is None:
            return
        try:
            write_setting(self._path, json.dumps(sorted(self._here)).encode())
        except OSError as error:
            self._why_here = f"{self._path} cannot be written: {error.strerror or error}"
        else:
            self._why_here = ""

    def _file(self) -> bytes | None:
        try:
            return self._path.read_bytes() if self._path and not self._why_here else None
        except OSError:
            return None


def _steps(content: bytes | None) -> list[str] | None:
    """Return a file's ticked steps, or None if it is not a list of steps."""
    try:
        found = json.loads(content or b"")
    except (ValueError, RecursionError):
        return None
    right = isinstance(found, list) and all(isinstance(step, str) for step in found)
    return found if right else None


def _from_home(path: Path | None) -> str:
    """Return a path with `~` for the home folder."""
    home = os.path.expanduser("~")  # noqa: PTH111 - `Path.home` raises where there is none
    inside = path is not None and home != "/" and path.is_relative_to(home)
    return f"~/{path.relative_to(home)}" if path and inside else str(path)
