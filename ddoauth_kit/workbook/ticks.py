"""Keep what was ticked off, in the user's config folder; on Binder, in memory alone."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ddoauth_kit.place import NOTHING_KEPT, on_binder

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

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


class Ticks:
    """Hold the ticked numbers of one list; a file that cannot be read counts as empty."""

    def __init__(self, name: str, *, environ: Mapping[str, str] = os.environ) -> None:
        folder = config_folder(environ)
        self._path = folder / f"ticks-{name}.json" if folder else None

    @property
    def where(self) -> str:
        """Return where the ticks are kept, for people."""
        return str(self._path) if self._path else f"this kernel ({NOTHING_KEPT})"

    def read(self) -> frozenset[int]:
        """Return the ticked numbers."""
        try:
            found = json.loads(self._path.read_text("utf-8")) if self._path else []
        except (OSError, ValueError):
            return frozenset()
        return (
            frozenset(n for n in found if isinstance(n, int))
            if isinstance(found, list)
            else frozenset()
        )

    def write(self, ticked: Iterable[int]) -> None:
        """Keep the ticked numbers, where something may be written."""
        if self._path is None:
            return
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            new = self._path.with_suffix(".new")
            new.write_text(json.dumps(sorted(ticked)), encoding="utf-8")
            new.replace(self._path)
        except OSError:
            self._path = None
