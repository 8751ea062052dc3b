"""Read an integration's folder: README.md, manifest.json and the OAuth client's file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from ddoauth_kit.errors import InputError
from ddoauth_kit.printable import quoted_path
from ddoauth_kit.publishing.integration_files import TextFile, Unreadable, find_file, read_text
from ddoauth_kit.publishing.json_document import BrokenJson, Document, parse_json
from ddoauth_kit.publishing.markdown import MarkdownPage, parse_page

if TYPE_CHECKING:
    from collections.abc import Mapping

README: Final = "README.md"
MANIFEST: Final = "manifest.json"
CLIENT: Final = "assets/oauth_clients.json"
_NOTHING: Final[Mapping[str, TextFile]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Readme:
    """The README as text and as a page."""

    file: TextFile
    page: MarkdownPage


@dataclass(frozen=True, slots=True)
class Integration:
    """The contents of a folder's files; a file may also be unreadable, or None if it is missing."""

    folder: Path
    readme: Readme | Unreadable | None
    manifest: Document | BrokenJson | Unreadable | None
    client: Document | BrokenJson | Unreadable | None
    client_name: str

    @property
    def name(self) -> str:
        """Return the integration's title, or else the folder's name."""
        return self._text(self.manifest, "tile", "title") or self.folder.resolve().name

    @property
    def oauth_name(self) -> str:
        """Return the OAuth client's name, or an empty string."""
        return self._text(self.client, "integration", "name")

    @property
    def creates_key(self) -> bool:
        """Return whether the client requests the scope for creating an API key."""
        document = self.client
        scopes = document.get("integration", "scopes") if isinstance(document, Document) else None
        return isinstance(scopes, list) and "api_keys_write" in scopes

    @staticmethod
    def _text(document: object, *path: str) -> str:
        value = document.get(*path) if isinstance(document, Document) else None
        return value if isinstance(value, str) else ""


def read_integration(path: str | Path, *, edited: Mapping[str, TextFile] = _NOTHING) -> Integration:
    """Read a folder; texts in `edited` replace the files on disk.

    Raises:
        InputError: `not_an_integration`.
    """
    folder = _folder(path)
    manifest = _json(edited.get(MANIFEST) or read_text(folder, MANIFEST))
    client_name = _client_name(folder, manifest)
    client = _json(edited.get(client_name) or read_text(folder, client_name))
    if manifest is None and client is None:
        raise _no_integration(path, f"has neither {MANIFEST} nor {CLIENT}")
    readme = edited.get(README) or read_text(folder, README)
    if isinstance(readme, TextFile):
        return Integration(
            folder, Readme(readme, parse_page(readme)), manifest, client, client_name
        )
    return Integration(folder, readme, manifest, client, client_name)


def _folder(path: str | Path) -> Path:
    """Return an existing folder; refuse an empty name, which would mean the current folder."""
    try:
        if str(path) and Path(path).is_dir():
            return Path(path)
        there = bool(str(path)) and Path(path).exists()
    except (OSError, ValueError):
        there = False
    raise _no_integration(path, "is not a folder" if there else "does not exist")


def _no_integration(path: str | Path, what: str) -> InputError:
    return InputError("not_an_integration", f"{quoted_path(path)} {what}.")


def _json(file: TextFile | Unreadable | None) -> Document | BrokenJson | Unreadable | None:
    return parse_json(file) if isinstance(file, TextFile) else file


def _client_name(folder: Path, manifest: object) -> str:
    """Return the file named in the manifest if it exists, or else the usual one."""
    named = manifest.get("assets", "oauth") if isinstance(manifest, Document) else None
    return named if isinstance(named, str) and find_file(folder, named) else CLIENT
