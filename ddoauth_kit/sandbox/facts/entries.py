"""Data files with one entry per line, each parsed only when it is needed.

Most sandboxes use only a few of the thousands of entries, and a parsed entry takes ten times as
much memory as its text.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib import resources
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_MARK = b'": '


class Entries(Mapping[str, Any]):
    """The entries of one part of a file, by name."""

    def __init__(self, lines: Iterable[bytes]) -> None:
        pairs = (line.partition(_MARK) for line in lines)
        self._found: dict[str, Any] = {name[3:].decode(): text for name, _, text in pairs}

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401 - JSON is anything
        """Return an entry, which is parsed on the first call."""
        found = self._found[name]
        if isinstance(found, bytes):
            found = self._found[name] = _parsed(found)
        return found

    def __iter__(self) -> Iterator[str]:
        """Yield the names."""
        return iter(self._found)

    def __len__(self) -> int:
        """Count the entries."""
        return len(self._found)


class NumberedEntries:
    """The entries of a part that is a list."""

    def __init__(self, lines: Iterable[bytes]) -> None:
        self._found: list[Any] = list(lines)

    def __getitem__(self, number: int) -> Any:  # noqa: ANN401 - JSON is anything
        """Return an entry, which is parsed on the first call."""
        found = self._found[number]
        if isinstance(found, bytes):
            found = self._found[number] = _parsed(found)
        return found


def parts(name: str) -> dict[str, list[bytes]]:
    """Return the lines of entries in each part of a data file."""
    file = resources.files("ddoauth_kit").joinpath("sandbox", "facts", name)
    found: dict[str, list[bytes]] = {}
    lines: list[bytes] = []
    for line in file.read_bytes().split(b"\n"):
        if line.startswith(b"  "):
            lines.append(line)
        elif line.endswith((b"{", b"[")) and _MARK in line:
            lines = found[line.strip()[1:].partition(_MARK)[0].decode()] = []
    return found


def _parsed(text: bytes) -> Any:  # noqa: ANN401 - JSON is anything
    return json.loads(text.strip().removesuffix(b","))
