"""List the names of a request's fields, but never their values, which may be secret."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote_plus

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

HIDDEN: Final = "<hidden>"
_FIELDS: Final = 100
# A word of a program, because Datadog's shortest keys have 32 characters, including digits.
_NAME: Final = re.compile(r"[A-Za-z_$@-][\w.$@\[\]-]{0,30}", re.ASCII)
_DEEP: Final = 6
_LONG: Final = re.compile(r"[^/]{20,}")
_PART: Final = re.compile(rb'content-disposition:[^\r\n]*?;\s*name="?([^";\r\n]*)', re.IGNORECASE)
_CREDENTIALS: Final = frozenset(
    {
        "authorization",
        "cookie",
        "dd-api-key",
        "dd-application-key",
        "proxy-authorization",
        "x-api-key",
        "x-datadog-api-key",
    }
)


def query_fields(target: str) -> tuple[str, ...]:
    """Return the parameter names in a request target's query."""
    return _kept(_pair_names(target.partition("?")[2]))


def shown_path(target: str) -> str:
    """Return the path of a request target, with long segments masked."""
    return _LONG.sub(HIDDEN, target.partition("?")[0])[:200]


def credential_headers(names: Iterable[bytes]) -> tuple[str, ...]:
    """Return the header names that usually carry a credential."""
    return tuple(sorted({name.decode("latin-1").lower() for name in names} & _CREDENTIALS))


def body_fields(body: bytes, content_type: str) -> tuple[str, ...]:
    """Return a body's field names, from a form, from JSON (as `data.id`) or from its parts."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind.startswith("multipart/"):
        return _kept(name.decode("utf-8", "replace") for name in _PART.findall(body))
    text = body.decode("utf-8", "replace")
    if kind == "application/json" or kind.endswith("+json") or text.lstrip()[:1] in {"{", "["}:
        try:
            return _kept(_json_names(json.loads(text), depth=0))
        except (ValueError, RecursionError):
            return ()
    return _kept(_pair_names(text))


def _pair_names(text: str) -> Iterator[str]:
    # A pair without "=" may be only a value.
    yield from (unquote_plus(pair.partition("=")[0]) for pair in text.split("&") if "=" in pair)


def _json_names(value: object, *, depth: int) -> Iterator[str]:
    if isinstance(value, list) and depth < _DEEP:
        for item in value[:_FIELDS]:
            yield from _json_names(item, depth=depth + 1)
    if not isinstance(value, dict):
        return
    for name, inner in value.items():
        yield name
        if depth < _DEEP:
            for below in _json_names(inner, depth=depth + 1):
                yield f"{_shown(name)}.{below}" if below != HIDDEN else below


def _kept(names: Iterable[str]) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for name in names:
        found[".".join(_shown(part) for part in name.split("."))] = None
        if len(found) == _FIELDS:
            break
    return tuple(found)


def _shown(name: str) -> str:
    return name if _NAME.fullmatch(name) else HIDDEN
