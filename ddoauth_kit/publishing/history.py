"""Find the `app_uuid` that an integration had before, which must not change."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from ddoauth_kit.errors import InputError
from ddoauth_kit.publishing.files import TextFile, read_text
from ddoauth_kit.publishing.findings import plain
from ddoauth_kit.publishing.git import BASES, file_at, find_commit, folder_prefix
from ddoauth_kit.publishing.integration import MANIFEST


@dataclass(frozen=True, slots=True)
class Earlier:
    """Hold the earlier `app_uuid`, empty if unknown, where it is from, and what to tell."""

    app_uuid: str = ""
    where: str = ""
    note: str = ""


def earlier_app_uuid(folder: Path, *, base: str = "", manifest: str | Path = "") -> Earlier:
    """Return what a given manifest, a given git reference or the usual base branch says.

    Without both, a missing git, repository or branch is noted, not refused.

    Raises:
        InputError: `bad_earlier_manifest`, `bad_base`.
    """
    if str(manifest):
        return _of_file(Path(manifest))
    found = find_commit(folder, *([base] if base else BASES))
    if found is None:
        if base:
            what = f"Git knows no commit {base!a} for {str(folder)!a}."
            raise InputError("bad_base", what)
        return Earlier(note=_uncompared(folder))
    commit, reference = found[1], plain(found[0])
    text = file_at(folder, commit=commit, name=MANIFEST)
    if text is None:
        note = f"The integration is new, as {reference} has no {MANIFEST} of it: its app_uuid is "
        return Earlier(note=f"{note}the one that the Publishing tab shows.")
    app_uuid = _app_uuid(text)
    if not app_uuid:
        return Earlier(note=f"app_uuid was not compared: on {reference} it cannot be read.")
    return Earlier(app_uuid, reference)


def _uncompared(folder: Path) -> str:
    place = "in no git repository" if folder_prefix(folder) is None else "without a base branch"
    return (
        f"app_uuid was not compared: the folder is {place} as far as git says; "
        "give an earlier manifest with --earlier, or a branch with --base."
    )


def _of_file(path: Path) -> Earlier:
    """Read a manifest that the caller vouches for by naming it."""
    file = read_text(path.parent.resolve(), path.name)
    app_uuid = _app_uuid(file.text) if isinstance(file, TextFile) else ""
    if not app_uuid:
        why = "cannot be read" if not isinstance(file, TextFile) else "is no JSON with an app_uuid"
        raise InputError("bad_earlier_manifest", f"The earlier manifest {str(path)!a} {why}.")
    return Earlier(app_uuid, plain(path.name))


def _app_uuid(text: str) -> str:
    try:
        content = json.loads(text.removeprefix("\ufeff"))
    except (ValueError, RecursionError):
        return ""
    found = content.get("app_uuid") if isinstance(content, dict) else None
    return found if isinstance(found, str) else ""
