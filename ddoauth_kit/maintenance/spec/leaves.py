"""Make up single values that are plausible, belong to nobody and are the same in every run."""

from __future__ import annotations

import re
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

MOMENT: Final = "2026-01-01T00:00:00+00:00"
_EPOCH_SECONDS: Final = 1767225600
_TIME_NAMES: Final = re.compile(r"(^|_)(time|timestamp|ts|date|at|from|to|start|end|created)$")
_FORMATS: Final = {
    "date-time": MOMENT,
    "date": MOMENT[:10],
    "email": "ada@example.com",
    "uri": "https://example.com/sandbox",
    "url": "https://example.com/sandbox",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "binary": "sandbox",
}
# Values for the spec's patterns, tried in turn.
_SHAPES: Final = (
    MOMENT[:10],
    "1",
    "a",
    "A",
    "#632ca6",
    "192.0.2.0/24",
    "abc-def-ghi",
    "sandbox",
    "sandbox.example.com",
    "https://example.com/sandbox",
    "arn:aws:iam::123456789012:role/sandbox",
    "123456789012",
)


def leaf(flat: dict[str, Any], *, name: str) -> object:
    """Return a value for a schema without parts: a string, a number, a boolean or anything."""
    if flat.get("enum"):
        return flat["enum"][0]
    wanted = flat.get("type", "")
    if wanted == "boolean":
        return False
    if wanted in {"integer", "number"}:
        return _number(flat, name=name)
    return _text(flat, name=name)


def _number(flat: dict[str, Any], *, name: str) -> object:
    usual = _EPOCH_SECONDS if _TIME_NAMES.search(name) else 1
    least = max(usual, flat.get("minimum", usual))
    value = min(least, flat.get("maximum", least))
    return value if flat["type"] == "integer" else float(value)


def _text(flat: dict[str, Any], *, name: str) -> str:
    if flat.get("format") == "uuid":
        return str(uuid5(NAMESPACE_URL, f"https://example.com/{name}"))
    if flat.get("format") in _FORMATS:
        return _FORMATS[flat["format"]]
    text = _FORMATS["email"] if "email" in name else f"sandbox-{name.replace('_', '-')}".lower()
    if "pattern" in flat:
        text = next((s for s in (text, *_SHAPES) if re.search(flat["pattern"], s)), text)
    return text[: flat.get("maxLength", len(text))].ljust(flat.get("minLength", 0), "x")
