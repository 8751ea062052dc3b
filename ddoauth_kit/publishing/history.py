"""Find an integration's earlier `app_uuid`, which must not change."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ddoauth_kit.errors import InputError
from ddoauth_kit.printable import quoted_path
from ddoauth_kit.publishing.findings import plain
from ddoauth_kit.publishing.integration import MANIFEST
from ddoauth_kit.publishing.integration_files import TextFile, read_text

BASES: Final = ("origin/HEAD", "origin/master", "origin/main", "master", "main")
_SECONDS: Final = 20
# Git sets these for its hooks; they would name a repository other than the folder's own.
_OF_HOOKS: Final = {"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"}
# A partial clone would fetch a missing object, so fetching and all protocols are disabled.
_QUIET: Final = ("-c", "protocol.allow=never", "-c", "core.fsmonitor=false")


def folder_prefix(folder: Path) -> str | None:
    """Return the folder's path within its repository, or None without a repository or git.

    The path ends with a slash; for the repository's top folder, it is empty.
    """
    answer = _git(folder, "rev-parse", "--show-prefix")
    return None if answer is None else os.fsdecode(answer.removesuffix(b"\n"))


def find_commit(folder: Path, *references: str) -> tuple[str, str] | None:
    """Return the first of these references that resolves to a commit, and that commit's id."""
    for reference in references:
        commit = f"{reference}^{{commit}}"
        answer = _git(folder, "rev-parse", "--verify", "--quiet", "--end-of-options", commit)
        if answer is not None:
            return reference, answer.decode("ascii", "replace").strip()
    return None


def file_at(folder: Path, *, commit: str, name: str) -> str | None:
    """Return a commit's version of a file in the folder, or None."""
    answer = _git(folder, "cat-file", "blob", f"{commit}:./{name}")
    return None if answer is None else answer.decode("utf-8", "replace")


def _git(folder: Path, *arguments: str) -> bytes | None:
    """Return git's output, or None if git is missing or fails."""
    try:
        done = subprocess.run(  # noqa: S603 - no shell, and options end before what was given
            ["git", *_QUIET, "-C", str(folder), *arguments],  # noqa: S607 - the user's own git
            capture_output=True,
            check=False,
            timeout=_SECONDS,
            env=_environment(),
        )
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None


def _environment() -> dict[str, str]:
    own = {"GIT_OPTIONAL_LOCKS": "0", "GIT_NO_LAZY_FETCH": "1", "GIT_TERMINAL_PROMPT": "0"}
    return {name: value for name, value in os.environ.items() if name not in _OF_HOOKS} | own


@dataclass(frozen=True, slots=True)
class EarlierManifest:
    """The earlier `app_uuid` (empty if unknown), its origin, and notes for the reader."""

    app_uuid: str = ""
    where: str = ""
    note: str = ""


def earlier_app_uuid(folder: Path, *, base: str = "", manifest: str | Path = "") -> EarlierManifest:
    """Return the value from the given manifest, the given git reference or the usual base branch.

    If neither is given and git, the repository or the branch is missing, return a note, not an
    error.

    Raises:
        InputError: `bad_earlier_manifest`, `bad_base`.
    """
    if str(manifest):
        return _of_file(Path(manifest))
    if not base and folder_prefix(folder) is None:
        return _uncompared("not in a git repository")
    found = find_commit(folder, *([base] if base else BASES))
    if found is None:
        if base:
            what = f"Git doesn't know a commit {base!a} for {quoted_path(folder)}."
            raise InputError("bad_base", what)
        return _uncompared("without a base branch")
    commit, reference = found[1], plain(found[0])
    text = file_at(folder, commit=commit, name=MANIFEST)
    if text is None:
        note = (
            f"The integration is new, because {reference} has no {MANIFEST} for it: its app_uuid "
            "is "
        )
        return EarlierManifest(note=f"{note}the one on the Publishing tab.")
    app_uuid = _app_uuid(text)
    if not app_uuid:
        return EarlierManifest(note=f"app_uuid was not compared: it can't be read on {reference}.")
    return EarlierManifest(app_uuid, reference)


def _uncompared(place: str) -> EarlierManifest:
    return EarlierManifest(
        note=f"app_uuid was not compared: according to git, the folder is {place}. Name an earlier "
        "manifest with --earlier, or a branch with --base."
    )


def _of_file(path: Path) -> EarlierManifest:
    """Read a manifest that the caller has named."""
    file = read_text(path.parent.resolve(), path.name)
    app_uuid = _app_uuid(file.text) if isinstance(file, TextFile) else ""
    if not app_uuid:
        why = "cannot be read" if not isinstance(file, TextFile) else "is not JSON with an app_uuid"
        raise InputError("bad_earlier_manifest", f"The earlier manifest {quoted_path(path)} {why}.")
    return EarlierManifest(app_uuid, plain(path.name))


def _app_uuid(text: str) -> str:
    try:
        content = json.loads(text.removeprefix("\ufeff"))
    except (ValueError, RecursionError):
        return ""
    found = content.get("app_uuid") if isinstance(content, dict) else None
    return found if isinstance(found, str) else ""
