"""Look for secrets in notebooks, reports and folders; report where they are, not their values.

    ddoauth scan notebooks ddoauth-runs

`masking.patterns` defines what looks like a secret, and `masking.walk` how deep to look. A file's
first bytes determine how it is read: as UTF-8, UTF-16, UTF-32, gzip, zip, tar, bzip2, xz or zlib.
In any other binary, the readable strings are searched. A file that cannot be read is reported and
counts as a finding.
"""

from __future__ import annotations

import json
import os
import re
import stat
from bisect import bisect_right
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ddoauth_kit.errors import InputError
from ddoauth_kit.leaks.allowed import fingerprint, is_allowed_line
from ddoauth_kit.leaks.notebook_text import notebook_texts, output_pieces
from ddoauth_kit.leaks.notebooks import field_find, spread
from ddoauth_kit.masking.containers import (
    LARGEST,
    ClosedContainerError,
    Member,
    TooLargeError,
    members,
)
from ddoauth_kit.masking.patterns import Find
from ddoauth_kit.masking.redaction import Masker, replaced
from ddoauth_kit.printable import quoted_path

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from ddoauth_kit.leaks.notebook_text import Text
    from ddoauth_kit.secret import Secret

SKIPPED: Final = frozenset({".git", ".venv", "node_modules", "__pycache__"})
_BLOCK: Final = 256 * 1024
_REACH: Final = 16 * 1024
_FEWEST: Final = 4
# Runs on several sites repeat most of their cells, so each text is scanned only once.
_REMEMBERED: Final = 16 * 1024
_LONGEST_REMEMBERED: Final = 64 * 1024
# Cells and tables, which are repeated on the pages of a run.
_BLOCKS: Final = re.compile(r"(?=<(?:div|section|table)\b)")
# If a block contains one of these, the blocks around it show whether it is a secret.
_LEANING: Final = re.compile(r"code=|state=|\s(?:-[uU]|--user|--proxy-user)\b", re.IGNORECASE)
_AROUND: Final = 2048


@dataclass(frozen=True, slots=True)
class SecretFinding:
    """Where a secret is and what it looks like, but never its value.

    `fingerprint` identifies the secret in a list of allowed values. It is empty for values that are
    known in memory, because those can't be allowed, and for unreadable files.
    """

    path: str
    where: str
    what: str
    fingerprint: str = ""

    def __str__(self) -> str:
        return f"{self.path}: {self.where}: {self.what}"


@dataclass(slots=True)
class Scan:
    """Scan files, and record what was found, allowed and skipped."""

    masker: Masker = field(default_factory=Masker)
    allowed: Collection[str] = frozenset()
    findings: dict[SecretFinding, None] = field(default_factory=dict)
    skipped: list[str] = field(default_factory=list)
    files: int = 0
    suppressed: int = 0
    _done: dict[str, tuple[Find, ...]] = field(default_factory=dict, repr=False)

    def path(self, path: Path) -> None:
        """Scan a file, or all files in a folder.

        Raises:
            InputError: `unreadable_path`, for a path that does not exist.
        """
        if not path.exists() and not path.is_symlink():
            raise InputError("unreadable_path", f"There is no {quoted_path(path)}.")
        if not path.is_dir():
            self.file(path)
            return
        for folder, folders, names in os.walk(path, onerror=self._unlisted):
            passed = sorted(set(folders) & SKIPPED)
            self.skipped += [str(Path(folder) / name) for name in passed]
            folders[:] = sorted(set(folders) - SKIPPED)
            for name in sorted(names):
                self.file(Path(folder) / name)

    def file(self, path: Path) -> bytes:
        """Scan one file; whatever it contains, this adds findings and never raises an exception.

        Return the text that was read, so that the caller doesn't have to read it again.
        """
        self.files += 1
        data = b""
        for found in self._known_in(path.name):
            finding = SecretFinding(self._shown(str(path)), "the file's name", found.kind)
            self.findings.setdefault(finding)
        try:
            if not stat.S_ISREG(path.stat().st_mode):
                self._unread(path, "it is not a regular file")
                return data
            with path.open("rb") as file:
                data = file.read(LARGEST + 1)
            if len(data) > LARGEST:
                self._unread(path, f"it is larger than {LARGEST >> 20} MB; only its beginning was")
                data = data[:LARGEST]
            for member in members(data):
                self._member(path, member)
        except OSError as error:
            self._unread(path, error.strerror or type(error).__name__)
        except ClosedContainerError:
            self._unread(path, "it is encrypted, or packed in an unsupported way")
        except TooLargeError:
            self._unread(path, "its compressed content is too large or too deeply nested")
        except Exception as error:  # noqa: BLE001 - a file must not hide the others
            self._unread(path, type(error).__name__)
        return data

    def _member(self, path: Path, member: Member) -> None:
        name = self._shown(f"{path} ({member.name})" if member.name else str(path))
        for known in self._known_in(member.name):
            self.findings.setdefault(SecretFinding(name, "the name of a file in it", known.kind))
        packed = member.name.partition(" in ")[0] or path.name.removesuffix(".gz")
        notebook = _notebook(member.text) if packed.endswith(".ipynb") else None
        page = packed.endswith(".html")
        try:
            found = list(
                self._in_text(member.text, page=page)
                if notebook is None
                else self._in_notebook(notebook)
            )
        except (AttributeError, TypeError, ValueError, LookupError, RecursionError):
            found = list(self._in_text(member.text))
        for where, what, mark in found:
            if mark in self.allowed:
                self.suppressed += 1
            else:
                self.findings.setdefault(SecretFinding(name, where, what, mark))

    def _known_in(self, name: str) -> list[Find]:
        """Return only the known values in a file name, because many names contain hashes."""
        return [found for found in self.masker.walk.finds(name) if found.known]

    def _shown(self, name: str) -> str:
        return replaced(_printable(name), self._known_in(_printable(name)))

    def _unread(self, path: Path, why: str) -> None:
        finding = SecretFinding(self._shown(str(path)), "the file", f"could not be read: {why}")
        self.findings.setdefault(finding)

    def _unlisted(self, error: OSError) -> None:
        self._unread(Path(str(error.filename)), error.strerror or type(error).__name__)

    def _in_text(self, text: str, *, page: bool = False) -> Iterator[tuple[str, str, str]]:
        starts = _line_starts(text)
        for found in self._in_blocks(text) if page else _all_finds(text, self.masker):
            number = bisect_right(starts, found.begin)
            last = bisect_right(starts, max(found.begin, found.end - 1))
            line = text[starts[number - 1] : starts[last] if last < len(starts) else len(text)]
            if not found.known and is_allowed_line(line[:_REACH]):
                self.suppressed += 1
                continue
            yield f"line {number}", found.kind, _mark(text, found)

    def _in_blocks(self, text: str) -> Iterator[Find]:
        """Yield the matches in a page: known values in the whole page, the rest block by block."""
        yield from self.masker.walk.known(text)
        begin = 0
        for block in _BLOCKS.split(text):
            end = begin + len(block)
            around = _AROUND if _LEANING.search(block) else 0
            first = max(0, begin - around)
            for found in self._finds(text[first : end + around]):
                if begin <= first + found.begin < end:
                    yield replace(found, begin=first + found.begin, end=first + found.end)
            begin = end

    def _finds(self, text: str) -> tuple[Find, ...]:
        if len(text) > _LONGEST_REMEMBERED:
            return tuple(_all_finds(text, self.masker))
        if text not in self._done:
            if len(self._done) >= _REMEMBERED:
                self._done.clear()
            self._done[text] = tuple(_all_finds(text, self.masker))
        return self._done[text]

    def _in_notebook(self, notebook: Any) -> Iterator[tuple[str, str, str]]:  # noqa: ANN401 - JSON
        for text in notebook_texts(notebook):
            for found in self._in_place(text):
                yield text.place, found.kind, _mark(text.text, found)
        for _, found in spread(output_pieces(notebook), self.masker):
            yield "spread over outputs", found.kind, ""

    def _in_place(self, text: Text) -> Iterator[Find]:
        if len(text.text) < _FEWEST:
            return
        if label := field_find(text):
            yield _whole(text.text, label)
        for found in self._finds(text.text):
            if text.is_id and not found.known:
                continue
            if not found.known and text.name == "source" and _is_allowed(text.text, found):
                self.suppressed += 1
                continue
            yield found


def scan_paths(
    paths: Iterable[str | Path],
    *,
    secrets: Iterable[Secret] = (),
    allowed: Collection[str] = frozenset(),
) -> list[SecretFinding]:
    """Return the secrets in files, and in all files in folders.

    `allowed` contains the fingerprints from a list; see `leaks.allowed`.

    Raises:
        InputError: `unreadable_path`.
    """
    scan = Scan(Masker(secrets), allowed)
    for path in paths:
        scan.path(Path(path))
    return list(scan.findings)


def _notebook(text: str) -> Any:  # noqa: ANN401 - JSON
    """Return a notebook, or None for a file that is readable only as text."""
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None


def _all_finds(text: str, masker: Masker) -> Iterator[Find]:
    """Yield the matches in text; long text is scanned in overlapping blocks."""
    if len(text) <= _BLOCK:
        yield from masker.walk.finds(text)
        return
    done = begin = 0
    while begin < len(text):
        for found in masker.walk.finds(text[begin : begin + _BLOCK + _REACH]):
            if begin + found.end > done:
                yield replace(found, begin=begin + found.begin, end=begin + found.end)
        done = begin + _BLOCK + _REACH
        begin += _BLOCK


def _whole(text: str, label: str) -> Find:
    return Find(0, len(text), f"<{label}>", f"a value named {label}")


def _mark(text: str, found: Find) -> str:
    return "" if found.known else fingerprint(text[found.begin : found.end])


def _is_allowed(text: str, found: Find) -> bool:
    begin = text.rfind("\n", 0, found.begin) + 1
    end = text.find("\n", found.end)
    return is_allowed_line(text[begin : end if end >= 0 else len(text)])


def _line_starts(text: str) -> list[int]:
    starts, position = [0], text.find("\n")
    while position >= 0:
        starts.append(position + 1)
        position = text.find("\n", position + 1)
    return starts


def _printable(text: str) -> str:
    """Return a name without surrogates, which file systems allow but which can't be printed."""
    return text.encode("utf-8", "backslashreplace").decode()
