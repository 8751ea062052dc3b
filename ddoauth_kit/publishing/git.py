"""Ask git what an earlier commit holds; nothing is fetched, changed or run from the repository."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

BASES: Final = ("origin/HEAD", "origin/master", "origin/main", "master", "main")
_SECONDS: Final = 20
# Git sets these for its hooks; they would name another repository than the folder's own.
_OF_HOOKS: Final = {"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"}
# A partial clone would fetch a missing object: neither that nor any protocol is allowed.
_QUIET: Final = ("-c", "protocol.allow=never", "-c", "core.fsmonitor=false")


def folder_prefix(folder: Path) -> str | None:
    """Return the folder's path below the top of its repository, or None without one or git.

    The path ends with a slash, or is empty for the top itself.
    """
    answer = _git(folder, "rev-parse", "--show-prefix")
    return None if answer is None else os.fsdecode(answer.removesuffix(b"\n"))


def find_commit(folder: Path, *references: str) -> tuple[str, str] | None:
    """Return the first reference that names a commit, and the commit's id."""
    for reference in references:
        commit = f"{reference}^{{commit}}"
        answer = _git(folder, "rev-parse", "--verify", "--quiet", "--end-of-options", commit)
        if answer is not None:
            return reference, answer.decode("ascii", "replace").strip()
    return None


def file_at(folder: Path, *, commit: str, name: str) -> str | None:
    """Return a file of the folder as a commit holds it, or None where it does not."""
    answer = _git(folder, "cat-file", "blob", f"{commit}:./{name}")
    return None if answer is None else answer.decode("utf-8", "replace")


def _git(folder: Path, *arguments: str) -> bytes | None:
    """Return what git prints, or None if there is no git or it says no."""
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
