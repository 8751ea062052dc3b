"""The one error that setting up a sandbox can raise."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class SandboxError(Exception):
    """Say in one line what keeps the sandbox from starting, and what to do about it."""


class NotThereError(SandboxError):
    """Say that nothing has the id that was named."""


def meant(name: str, names: Iterable[str]) -> str:
    """Return a question that names what comes close to a misspelt name, or nothing."""
    close = difflib.get_close_matches(name.lower(), list(names), n=2, cutoff=0.6)
    return f" Did you mean {' or '.join(close)}?" if close else ""
