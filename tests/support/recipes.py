"""Run the Python blocks from the page on servers, unchanged."""

from __future__ import annotations

import re
from typing import Any

from support.places import ROOT

PAGE = ROOT / ".github" / "SERVER.md"


def recipes() -> dict[str, Any]:
    """Return every name that the page's blocks define."""
    names: dict[str, Any] = {}
    for block in re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL):
        exec(compile(block, str(PAGE), "exec"), names)
    return names
