"""Look for secrets in notebooks, reports and folders, and say where, without repeating one.

    ddoauth scan notebooks ddoauth-runs

Looked for are Datadog's API keys (32 hex digits) and application keys (40), credentials of an
`Authorization` header, all that the sandbox mints, and values that the caller knows; raw, URL-
encoded, in base64, escaped in JSON or HTML; in notebooks also spread over several outputs.
"""

from __future__ import annotations

import html
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

from ddoauth_kit.errors import InputError
from ddoauth_kit.masking.known_secrets import SHORTEST
from ddoauth_kit.masking.notebook_text import joined_hits, notebook_texts, output_pieces, widget_ids
from ddoauth_kit.masking.redaction import Masker, base64_texts

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from ddoauth_kit.secret import Secret

MINTED: Final = re.compile(
    r"sandbox-(?:(?:secret|code|access|refresh)-[0-9a-f]{40}|key-[0-9a-f]{20})"
)
_SHAPES: Final = {
    "credential of the sandbox": MINTED,
    "API key (32 hex digits)": re.compile(r"(?<![0-9a-zA-Z/@-])[0-9a-f]{32}(?![0-9a-zA-Z-])"),
    "application key (40 hex digits)": re.compile(
        r"(?<![0-9a-zA-Z/@-])[0-9a-f]{40}(?![0-9a-zA-Z-])"
    ),
    "credential of a header": re.compile(
        r"(?i)\b(?:bearer|basic)\s+(?=[\w.~+/=-]*\d)[\w.~+/=-]{16,}"
    ),
}
_BASE64: Final = re.compile(r"[A-Za-z0-9+/_-]{24,}")
_WRAPPED: Final = re.compile(r"[A-Za-z0-9+/=\s]+")
_ESCAPE: Final = re.compile(r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|([/\"\\]))")
_ENCODED_TWICE: Final = 2
_SKIPPED: Final = frozenset({".git", ".venv", "node_modules", "__pycache__", ".ipynb_checkpoints"})


@dataclass(frozen=True, slots=True)
class SecretFinding:
    """Say where something secret stands and what it looks like, and never what it is."""

    path: str
    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.path}: {self.where}: {self.what}"


def scan_paths(
    paths: Iterable[str | Path], *, secrets: Iterable[Secret] = ()
) -> list[SecretFinding]:
    """Return what is found in files, and in all files of folders.

    Raises:
        InputError: `unreadable_path`.
    """
    masker = Masker(secrets)
    found = (
        finding
        for path in paths
        for file in _files(Path(path))
        for finding in scan_file(file, masker)
    )
    return list(dict.fromkeys(found))


def scan_file(path: Path, masker: Masker) -> Iterator[SecretFinding]:
    """Yield what is found in one file; one that is no notebook is read as text.

    Raises:
        InputError: `unreadable_path`.
    """
    try:
        text = path.read_bytes().decode("utf-8", "replace")
    except OSError as error:
        what = f"{str(path)!r} cannot be read: {error.strerror or error}."
        raise InputError("unreadable_path", what) from None
    notebook = _notebook(text) if path.suffix == ".ipynb" else None
    places = _in_text(text, masker) if notebook is None else _in_notebook(notebook, masker)
    for where, what in places:
        yield SecretFinding(str(path), where, what)


def kinds(text: str, masker: Masker, *, keep: Collection[str] = ()) -> set[str]:
    """Return what kinds of secret a text holds, in whatever encoding."""
    found = {f"the value of {shown}" for form, shown in masker.forms.items() if _holds(text, form)}
    for variant in _variants(text, depth=_ENCODED_TWICE):
        for kind, shape in _SHAPES.items():
            if any(match[0] not in keep for match in shape.finditer(variant)):
                found.add(kind)
    return found


def _files(path: Path) -> Iterator[Path]:
    if not path.exists():
        raise InputError("unreadable_path", f"There is no {str(path)!r}.")
    if not path.is_dir():
        yield path
        return
    for folder, folders, names in os.walk(path):
        folders[:] = sorted(set(folders) - _SKIPPED)
        yield from (
            file for file in (Path(folder) / name for name in sorted(names)) if file.is_file()
        )


def _notebook(text: str) -> Any:  # noqa: ANN401 - JSON
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return None
    cells = content.get("cells") if isinstance(content, dict) else None
    whole = isinstance(cells, list) and all(isinstance(cell, dict) for cell in cells)
    return content if whole else None


def _in_text(text: str, masker: Masker) -> Iterator[tuple[str, str]]:
    whole = kinds(text, masker)
    if not whole:
        return
    lines = enumerate(text.splitlines(), start=1)
    placed = [(f"line {number}", what) for number, line in lines for what in kinds(line, masker)]
    yield from placed
    yield from (("over several lines", what) for what in whole - {what for _, what in placed})


def _in_notebook(notebook: Any, masker: Masker) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - JSON
    keep = widget_ids(notebook)
    places: dict[str, list[str]] = {}
    for where, text in notebook_texts(notebook):
        places.setdefault(where, []).append(text)
    for where, texts in places.items():
        yield from ((where, what) for what in sorted(kinds("\n".join(texts), masker, keep=keep)))
    for _, what in joined_hits(output_pieces(notebook), spread(masker)):
        yield "spread over outputs", f"the value of {what}"


def spread(masker: Masker) -> Callable[[str], Iterator[tuple[int, int, str]]]:
    """Return what finds known values, and what the sandbox mints, in a text without blanks.

    Without blanks the ends of a word are lost, so that shapes alone would find too much.
    """
    bare = {re.sub(r"\s+", "", form): shown for form, shown in masker.forms.items()}
    forms = {form: shown for form, shown in bare.items() if len(form) >= SHORTEST}

    def find(text: str) -> Iterator[tuple[int, int, str]]:
        for form, shown in forms.items():
            for match in re.finditer(re.escape(form), text) if form in text else ():
                yield match.start(), match.end(), shown
        for match in MINTED.finditer(text):
            yield match.start(), match.end(), f"<sandbox_{match[0].split('-')[1]}>"

    return find


def _holds(text: str, form: str) -> bool:
    return form in text or ("%" in form and form.lower() in text.lower())


def _variants(text: str, *, depth: int) -> Iterator[str]:
    """Yield a text, and what it says when its encodings are undone, one within the other."""
    yield text
    if not depth:
        return
    for decoded in dict.fromkeys(_decoded(text)):
        if decoded != text:
            yield from _variants(decoded, depth=depth - 1)


def _decoded(text: str) -> Iterator[str]:
    if "%" in text:
        yield unquote(text, errors="replace")
    if "\\" in text:
        yield _ESCAPE.sub(_unescaped, text)
    if "&" in text:
        yield html.unescape(text)
    if _WRAPPED.fullmatch(text):
        text = re.sub(r"\s+", "", text)
    for word in _BASE64.findall(text):
        yield from base64_texts(word)


def _unescaped(match: re.Match[str]) -> str:
    digits = match[1] or match[2]
    return chr(int(digits, 16)) if digits else match[3]
