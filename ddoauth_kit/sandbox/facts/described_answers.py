"""The operations' answers in the API description, from the data file derived from it."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from ddoauth_kit.sandbox.facts.entries import Entries, parts

if TYPE_CHECKING:
    from collections.abc import Mapping


@cache
def documents() -> Mapping[str, Mapping[str, Any]]:
    """Read `answers.json` once for all sandboxes in the process, at first use."""
    return Entries(parts("answers.json")["answers"])
