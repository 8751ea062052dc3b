"""Read the files of an untrusted folder unchanged, within size limits and never outside it."""

from __future__ import annotations

import os
import re
import stat
from bisect import bisect_right
from codecs import BOM_UTF8
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

MAX_BYTES: Final = 256 * 1024
_NEWLINE: Final = re.compile(r"\r\n?|\n")
_MARK: Final = BOM_UTF8.decode("utf-8")


@dataclass(frozen=True, slots=True)
class TextFile:
    """The exact text of a file, including its line endings.

    `mark` is the byte order mark, which is stored separately so that offsets and lines don't count
    it. `linked` tells whether the file is a symbolic link, which a patch can't change.
    """

    name: str
    text: str
    mark: str = ""
    linked: bool = False

    @property
    def whole(self) -> str:
        """Return the text with its byte order mark."""
        return self.mark + self.text

    @property
    def newline(self) -> str:
        """Return the first line ending in the file."""
        first = _NEWLINE.search(self.text)
        return first[0] if first else "\n"

    @property
    def starts(self) -> tuple[int, ...]:
        """Return the offset where each line starts; a lone CR also ends a line, as in Markdown."""
        return _starts(self.text)

    def line_at(self, offset: int) -> int:
        """Return the line that contains an offset, counted from 1."""
        return bisect_right(self.starts, offset)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """The reason an existing file cannot be read, as a clause."""

    name: str
    why: str


def read_text(folder: Path, name: str) -> TextFile | Unreadable | None:
    """Read a file in the folder, or return the reason it can't be read; None if it is missing."""
    path = folder / name
    try:
        content = _read(folder, path) if _is_there(path) else None
    except OSError as error:
        return Unreadable(name, f"cannot be read: {error.strerror or error}")
    if content is None:
        return None
    if isinstance(content, str):
        return Unreadable(name, content)
    return _decoded(name, content, linked=path.is_symlink())


def find_file(folder: Path, name: str) -> Path | None:
    """Return the path of a file named in a manifest, or None.

    The name must be relative, and its target must be inside the folder.
    """
    try:
        path = Path(os.path.realpath(folder / name, strict=True))
    except (OSError, ValueError):
        return None
    if Path(name).is_absolute():
        return None
    return path if _inside(folder, path) and path.is_file() else None


@lru_cache(maxsize=8)
def _starts(text: str) -> tuple[int, ...]:
    return (0, *(end.end() for end in _NEWLINE.finditer(text)))


def _is_there(path: Path) -> bool:
    """Return whether the name exists, even if it is a broken link."""
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def _read(folder: Path, path: Path) -> bytes | str:
    """Return the bytes, or a clause with the reason they were not read."""
    real = Path(os.path.realpath(path, strict=True))
    if not _inside(folder, real):
        return "is outside the folder"
    if not stat.S_ISREG(real.stat().st_mode):
        return "is not a regular file"
    with real.open("rb") as file:
        content = file.read(MAX_BYTES + 1)
    return content if len(content) <= MAX_BYTES else f"is larger than {MAX_BYTES} bytes"


def _inside(folder: Path, path: Path) -> bool:
    return path.is_relative_to(os.path.realpath(folder))


def _decoded(name: str, content: bytes, *, linked: bool) -> TextFile | Unreadable:
    if b"\0" in content:
        return Unreadable(name, "is binary, not text in UTF-8")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return Unreadable(name, f"is not text in UTF-8 (line {line})")
    mark = _MARK if text.startswith(_MARK) else ""
    return TextFile(name, text.removeprefix(_MARK), mark=mark, linked=linked)
