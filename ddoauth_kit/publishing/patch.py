"""Write edits as a unified diff that `git apply` accepts and that changes nothing else."""

from __future__ import annotations

import difflib
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ddoauth_kit.publishing.findings import Edit
    from ddoauth_kit.publishing.integration_files import TextFile

_CONTEXT: Final = 3
_UNSAFE: Final = re.compile(r'[\0-\x1f"\\\x7f]')
_END: Final = "\n\\ No newline at end of file\n"


def edited(file: TextFile, edits: Iterable[Edit]) -> TextFile:
    """Return the file with its edits applied; insertions at the same position keep their order."""
    parts, at = [], 0
    for edit in sorted(edits, key=lambda edit: (edit.start, edit.end)):
        parts += [file.text[at : edit.start], edit.text]
        at = edit.end
    return replace(file, text="".join([*parts, file.text[at:]]))


def unified_diff(before: TextFile, after: TextFile, *, prefix: str = "") -> str:
    """Return the difference in git's format; only LF ends a line, so CRs are preserved.

    `prefix` is the folder's path below the top of the repository, with a trailing slash.
    """
    old, new = _lines(before.whole), _lines(after.whole)
    if old == new:
        return ""
    names = [_quoted(side + prefix + before.name) for side in ("a/", "b/")]
    # A tab ends a name that contains a space, as in git's own patches.
    tabs = ["\t" if " " in name else "" for name in names]
    head = f"diff --git {names[0]} {names[1]}\n--- {names[0]}{tabs[0]}\n+++ {names[1]}{tabs[1]}\n"
    groups = difflib.SequenceMatcher(None, old, new).get_grouped_opcodes(_CONTEXT)
    return head + "".join(_hunk(group, old, new) for group in groups)


def _lines(text: str) -> list[str]:
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def _hunk(group: Sequence[tuple[str, int, int, int, int]], old: list[str], new: list[str]) -> str:
    first, last = group[0], group[-1]
    ranges = (_range(first[1], last[2]), _range(first[3], last[4]))
    parts = [f"@@ -{ranges[0]} +{ranges[1]} @@\n"]
    for tag, old_from, old_to, new_from, new_to in group:
        if tag == "equal":
            parts += _marked(" ", old[old_from:old_to])
            continue
        parts += _marked("-", old[old_from:old_to])
        parts += _marked("+", new[new_from:new_to])
    return "".join(parts)


def _marked(mark: str, lines: list[str]) -> Iterator[str]:
    for line in lines:
        yield mark + line + ("" if line.endswith("\n") else _END)


def _range(start: int, end: int) -> str:
    """Return a range in diff notation, counted from 1; an empty range gives the line before it."""
    return f"{start + (end > start)},{end - start}"


def _quoted(name: str) -> str:
    """Return a path, quoted as git does if necessary."""
    if not _UNSAFE.search(name):
        return name
    return '"' + _UNSAFE.sub(lambda found: f"\\{ord(found[0]):03o}", name) + '"'
