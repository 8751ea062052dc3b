"""Parse JSON and record each member's position, so that members can be edited as text."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from ddoauth_kit.publishing.findings import Edit, Place

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ddoauth_kit.publishing.integration_files import TextFile

Path = tuple[str | int, ...]
MAX_DEPTH: Final = 100
_TOKEN: Final = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+')
_BLANKS: Final = re.compile(r"\s*\Z")


@dataclass(frozen=True, slots=True)
class Member:
    """The offsets of a value and its key; for an item of a list, both are the value's."""

    key_start: int
    key_end: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class BrokenJson:
    """The reason a string is not JSON, as a clause; lines are counted from 1."""

    line: int
    why: str


@dataclass(frozen=True, slots=True)
class Document:
    """A JSON document's value, its members by path, and the paths that occur twice."""

    file: TextFile
    value: Any
    members: Mapping[Path, Member]
    repeated: tuple[tuple[Path, int], ...]

    def get(self, *path: str | int) -> Any:  # noqa: ANN401 - JSON has no narrower type
        """Return the value at a path, or None if it is missing."""
        value = self.value
        for step in path:
            known = isinstance(value, dict) and step in value
            if not known and not (isinstance(value, list) and step in range(len(value))):
                return None
            value = value[step]
        return value

    def place(self, *path: str | int) -> Place:
        """Return the position of a member, or of its nearest existing ancestor."""
        while path and path not in self.members:
            path = path[:-1]
        return Place(self.file.name, self.file.line_at(self.members[path].key_start))

    def replaced(self, *path: str | int, value: str) -> tuple[Edit, ...]:
        """Return the edit that replaces a value with another string."""
        member = self.members[path]
        return (Edit(self.file.name, member.start, member.end, json.dumps(value)),)

    def inserted(self, *path: str, value: str, before: str | None = None) -> tuple[Edit, ...]:
        """Return the edit that adds a member, indented like its neighbour.

        The member goes before the sibling `before` if that exists, otherwise to the end. The result
        is empty if the path does not lead to an object.
        """
        *above, key = path
        siblings = self.get(*above)
        if not isinstance(siblings, dict):
            return ()
        name, content = json.dumps(key), json.dumps(value)
        if not siblings:
            at, text = self.members[tuple(above)].start + 1, f"{name}: {content}"
        elif before in siblings:
            member = self.members[(*above, str(before))]
            blanks, colon = self._style(member)
            at, text = member.key_start, f"{name}{colon}{content},{blanks}"
        else:
            member = max((self.members[(*above, k)] for k in siblings), key=lambda m: m.end)
            blanks, colon = self._style(member)
            at, text = member.end, f",{blanks}{name}{colon}{content}"
        return (Edit(self.file.name, at, at, text),)

    def _style(self, member: Member) -> tuple[str, str]:
        """Return the white space before a member, and the text between its key and value."""
        blanks = _BLANKS.search(self.file.text, 0, member.key_start)
        return blanks[0] if blanks else "", self.file.text[member.key_end : member.start]


def parse_json(file: TextFile) -> Document | BrokenJson:
    """Parse JSON with the standard library, then find the positions of its members."""
    try:
        value = json.loads(file.text)
    except json.JSONDecodeError as error:
        line = file.line_at(error.pos)
        return BrokenJson(line, f"is not JSON: {error.msg} at line {line} column {error.colno}")
    except RecursionError:
        return BrokenJson(1, "is nested too deeply")
    except ValueError:
        return BrokenJson(1, "contains a number that is too long")
    scan = _Scan()
    for token in _TOKEN.finditer(file.text):
        scan.take(token[0], token.start(), token.end())
        if len(scan.around) > MAX_DEPTH:
            return BrokenJson(file.line_at(token.start()), "is nested too deeply")
    return Document(file, value, scan.members, tuple(scan.repeated))


@dataclass(slots=True)
class _Around:
    """An object or list that is still open."""

    path: Path
    members: tuple[int, int, int]
    is_list: bool
    key: str | None = None
    key_span: tuple[int, int] = (0, 0)
    index: int = 0


@dataclass(slots=True)
class _Scan:
    """A walk over the tokens of a string that is known to be JSON."""

    members: dict[Path, Member] = field(default_factory=dict)
    repeated: list[tuple[Path, int]] = field(default_factory=list)
    around: list[_Around] = field(default_factory=list)

    def take(self, mark: str, start: int, end: int) -> None:
        """Process one token; the open object or list determines whether it is a key or a value."""
        top = self.around[-1] if self.around else None
        if mark in "}]":
            closed = self.around.pop()
            key_start, key_end, opened = closed.members
            self.members[closed.path] = Member(key_start, key_end, opened, end)
        elif mark == ",":
            assert top is not None  # noqa: S101 - a comma stands inside something
            top.index += 1
            top.key = None
        elif mark == ":":
            return
        elif top is not None and not top.is_list and top.key is None:
            top.key, top.key_span = json.loads(mark), (start, end)
            if (*top.path, top.key) in self.members:
                self.repeated.append(((*top.path, top.key), start))
        else:
            self._value(mark, start, end)

    def _value(self, mark: str, start: int, end: int) -> None:
        path, span = self._place(start, end)
        if mark in "{[":
            self.around.append(_Around(path, (*span, start), is_list=mark == "["))
        else:
            self.members[path] = Member(*span, start, end)

    def _place(self, start: int, end: int) -> tuple[Path, tuple[int, int]]:
        if not self.around:
            return (), (start, start)
        top = self.around[-1]
        if top.is_list:
            return (*top.path, top.index), (start, end)
        assert top.key is not None  # noqa: S101 - in an object a value follows its key
        return (*top.path, top.key), top.key_span
