"""Suggest the name that the user probably meant."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def nearest(name: str, names: Iterable[str]) -> str:
    """Return a question such as ` Did you mean us1?`, or an empty string if no name is similar."""
    close = difflib.get_close_matches(name.strip().lower(), list(names), n=2, cutoff=0.6)
    return f" Did you mean {' or '.join(close)}?" if close else ""
