"""What the API description says that operations answer, read from the data file derived from it."""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@cache
def documents() -> Mapping[str, Mapping[str, Any]]:
    """Read `answers.json` once for all sandboxes of the process, when first asked for."""
    file = resources.files("ddoauth_kit").joinpath("sandbox", "facts", "answers.json")
    found: Mapping[str, Mapping[str, Any]] = json.loads(file.read_text(encoding="utf-8"))["answers"]
    return found
