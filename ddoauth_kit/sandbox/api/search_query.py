"""The part of Datadog's search language that is needed to read back submitted data."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from ddoauth_kit.sandbox.http.payload import limit_of, malformed, milliseconds

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ddoauth_kit.sandbox.clock import Clock

Entry = TypeVar("Entry")

_TERM = re.compile(r'(-?)(?:([^\s:"]+):)?(?:"([^"]*)"|(\S+))')


@dataclass(frozen=True)
class Search:
    """One search over logs or events; times are in epoch milliseconds."""

    query: str
    start: int
    end: int
    newest_first: bool
    limit: int
    offset: int


def read_search(
    settings: Mapping[str, Any], page: Mapping[str, Any], *, sort: object, clock: Clock
) -> Search:
    """Read a search's filter, page and order; without times, it covers the last 15 minutes."""
    return Search(
        query=str(settings.get("query", "*")),
        start=milliseconds(settings.get("from", "now-15m"), clock=clock),
        end=milliseconds(settings.get("to", "now"), clock=clock),
        newest_first=sort != "timestamp",
        limit=limit_of(page.get("limit"), default=10),
        offset=read_cursor(page.get("cursor")),
    )


def read_cursor(cursor: object) -> int:
    """Return the offset that an opaque cursor encodes."""
    if not cursor:
        return 0
    try:
        return int(base64.urlsafe_b64decode(str(cursor)).decode().removeprefix("offset:"))
    except (binascii.Error, ValueError):
        raise malformed("Invalid cursor.") from None


def write_cursor(offset: int) -> str:
    """Return the cursor for an offset."""
    return base64.urlsafe_b64encode(f"offset:{offset}".encode()).decode()


def run_search(
    search: Search,
    entries: Sequence[Entry],
    *,
    timestamp: Callable[[Entry], int],
    matches: Callable[[Entry, str], bool],
) -> tuple[list[Entry], dict[str, Any]]:
    """Return one page of matching entries, and the page information for the response's `meta`."""
    found = [
        entry
        for entry in entries
        if search.start <= timestamp(entry) <= search.end and matches(entry, search.query)
    ]
    found.sort(key=timestamp, reverse=search.newest_first)
    end = max(0, search.offset) + search.limit
    meta = {"page": {"after": write_cursor(end)}} if end < len(found) else {}
    return found[max(0, search.offset) : end], meta


def query_matches(query: str, *, text: str, fields: Mapping[str, str], tags: Sequence[str]) -> bool:
    """Return whether all terms match: words, `field:value`, `@attribute:value` and tags."""
    return all(
        _term_holds(match, text=text, fields=fields, tags=tags) for match in _TERM.finditer(query)
    )


def _term_holds(
    match: re.Match[str], *, text: str, fields: Mapping[str, str], tags: Sequence[str]
) -> bool:
    minus, key, quoted, word = match.groups()
    value = quoted if quoted is not None else word
    if not key and value in {"*", "AND"}:
        return True
    if not key:
        holds = value.lower() in text.lower()
    elif key in fields:
        holds = _pattern(value).fullmatch(fields[key]) is not None
    else:
        holds = any(_pattern(f"{key}:{value}").fullmatch(tag) for tag in tags)
    return holds != bool(minus)


def _pattern(value: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(part) for part in value.split("*")), re.IGNORECASE)
