"""The only error that setting up a sandbox can raise."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class SandboxError(Exception):
    """A one-line message saying why the sandbox can't start, and what to do about it."""


class NotThereError(SandboxError):
    """The given id does not exist."""


def meant(name: str, names: Iterable[str]) -> str:
    """Return a "did you mean" question with names similar to a misspelled one, or ""."""
    close = difflib.get_close_matches(name.lower(), list(names), n=2, cutoff=0.6)
    return f" Did you mean {' or '.join(close)}?" if close else ""
