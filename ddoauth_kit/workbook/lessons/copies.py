"""Copy the lessons to the user's folder without ever overwriting the user's changes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from ddoauth_kit.errors import InputError
from ddoauth_kit.printable import quoted_path
from ddoauth_kit.whole_files import write_whole

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

NOTE: Final = ".ddoauth-copies.json"


@dataclass(frozen=True, slots=True)
class Copies:
    """The folder with the copies, and what happened to each lesson, by file name."""

    folder: Path
    new: tuple[str, ...] = ()
    updated: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()


def copy_notebooks(lessons: Iterable[Path], *, folder: Path) -> Copies:
    """Copy missing lessons, and update copies that have not been edited.

    An edited copy belongs to the user and is left alone. The folder records the checksums of the
    copies.

    Raises:
        InputError: `bad_output_folder`.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        noted = _noted(folder)
        done: dict[str, list[str]] = {"new": [], "updated": [], "kept": [], "same": []}
        for lesson in lessons:
            content = lesson.read_bytes()
            state = _state(folder / lesson.name, content, noted.get(lesson.name, ""))
            done[state].append(lesson.name)
            if state in {"new", "updated"}:
                write_whole(folder / lesson.name, content)
            if state != "kept":
                noted[lesson.name] = _sum(content)
        write_whole(folder / NOTE, (json.dumps(noted, indent=1) + "\n").encode())
    except OSError as error:
        what = f"Nothing can be written to {quoted_path(folder)}: {error.strerror or error}."
        raise InputError("bad_output_folder", what) from None
    return Copies(folder, tuple(done["new"]), tuple(done["updated"]), tuple(done["kept"]))


def _state(target: Path, content: bytes, noted: str) -> str:
    if not target.exists() and not target.is_symlink():
        return "new"
    there = target.read_bytes() if target.is_file() else b""
    if there == content:
        return "same"
    return "updated" if _sum(there) == noted and not target.is_symlink() else "kept"


def _noted(folder: Path) -> dict[str, str]:
    """Return the checksums of earlier copies; an unreadable record counts as missing."""
    try:
        noted = json.loads((folder / NOTE).read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return {str(k): str(v) for k, v in noted.items()} if isinstance(noted, dict) else {}


def _sum(content: bytes) -> str:
    return sha256(content).hexdigest()
