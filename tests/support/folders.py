"""Create integration folders from the clean one, each with a few named edits."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

from support.places import TESTS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Change = Callable[[Path], None]

CLEAN = TESTS / "publishing" / "data" / "acme_sensors"
README = "README.md"
MANIFEST = "manifest.json"
CLIENT = "assets/oauth_clients.json"
FILES = (README, MANIFEST, CLIENT)


def folder(tmp_path: Path, *changes: Change) -> Path:
    """Copy the clean folder and change the copy."""
    copy = tmp_path / "acme_sensors"
    shutil.copytree(CLEAN, copy)
    for change in changes:
        change(copy)
    return copy


def swap(file: str, old: str, new: str) -> Change:
    """Replace text that occurs exactly once."""

    def change(place: Path) -> None:
        text = (place / file).read_bytes().decode()
        assert text.count(old) == 1, f"{old!r} is {text.count(old)} times in {file}"
        (place / file).write_bytes(text.replace(old, new).encode())

    return change


def cut(file: str, start: str, end: str) -> Change:
    """Remove everything from one text up to, but not including, another."""

    def change(place: Path) -> None:
        text = (place / file).read_bytes().decode()
        at = text.index(start)
        (place / file).write_bytes((text[:at] + text[text.index(end, at + 1) :]).encode())

    return change


def move(file: str, start: str, end: str, *, before: str) -> Change:
    """Move everything between two texts to a different place."""

    def change(place: Path) -> None:
        text = (place / file).read_bytes().decode()
        at = text.index(start)
        part = text[at : text.index(end, at + 1)]
        rest = text.replace(part, "")
        (place / file).write_bytes(rest.replace(before, part + before).encode())

    return change


def put(file: str, content: bytes | str) -> Change:
    """Write a whole file."""

    def change(place: Path) -> None:
        data = content.encode() if isinstance(content, str) else content
        (place / file).write_bytes(data)

    return change


def remove(file: str) -> Change:
    """Remove a file."""
    return lambda place: (place / file).unlink()


def git(place: Path, *arguments: str, stdin: bytes = b"") -> bytes:
    """Run git without user settings, and without the variables of a hook that runs the tests."""
    outer = {name: text for name, text in os.environ.items() if not name.startswith("GIT_")}
    own = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    names = ("-c", "user.name=Acme", "-c", "user.email=acme@example.com")
    done = subprocess.run(
        ["git", *names, "-C", str(place), *arguments],
        input=stdin,
        capture_output=True,
        check=True,
        env={**outer, **own},
    )
    return done.stdout


def contents(place: Path) -> dict[str, bytes]:
    """Return every file in a folder, except git's own."""
    return {
        str(path.relative_to(place)): path.read_bytes()
        for path in sorted(place.rglob("*"))
        if path.is_file() and ".git" not in path.parts
    }
