"""The responses in the API description, by operation, from a derived data file."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from ddoauth_kit.sandbox.facts.entries import Entries, parts

if TYPE_CHECKING:
    from collections.abc import Mapping


@cache
def documents() -> Mapping[str, Mapping[str, Any]]:
    """Read `answers.json` on first use, once for all sandboxes in the process."""
    return Entries(parts("answers.json")["answers"])
