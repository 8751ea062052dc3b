"""Fill in a call's required values: times, and ids that don't exist."""

from __future__ import annotations

import json
import re
from datetime import UTC, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from ddoauth_kit.http.message import Pairs

ABSENT_NAME: Final = "ddoauth-probe-nonexistent"
ABSENT_UUID: Final = "00000000-0000-0000-0000-000000000000"
HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)
_PLACEHOLDER: Final = re.compile(r"\{([^}]+)\}")
_CHOICE: Final = "one of "
_ID: Final = re.compile(r"[A-Za-z0-9_.~-]{1,200}")


def absent_path(path: str, *, path_ids: Mapping[str, str]) -> str:
    """Fill a path with ids that don't exist, each in its usual format."""
    return _PLACEHOLDER.sub(lambda found: _absent(found[1], path_ids.get(found[1], "")), path)


def names_something(kind: str) -> bool:
    """Return whether a path parameter identifies one object rather than a kind of object."""
    return not kind.startswith(_CHOICE)


def is_id(value: object) -> bool:
    """Return whether a value from a response can safely be put into a path.

    The value must be a whole number, or a string of letters, digits and `-_.~` that doesn't lead to
    another folder.
    """
    if isinstance(value, bool) or not isinstance(value, str | int):
        return False
    return bool(_ID.fullmatch(str(value))) and str(value).strip(".") != ""


def filled_path(path: str, *, value: str) -> str:
    """Fill in a path's only id."""
    return _PLACEHOLDER.sub(lambda _: value, path)


def filled_query(query: Mapping[str, str], *, now: datetime) -> Pairs | None:
    """Return the required query parameters, or None if the value of one is unknown."""
    utc = now.astimezone(UTC)
    pairs = [(name, _filling(name, kind, now=utc)) for name, kind in query.items()]
    if any(value is None for _, value in pairs):
        return None
    return tuple((name, value) for name, value in pairs if value is not None)


def search_body(address: str, *, now: datetime) -> Any:  # noqa: ANN401 - JSON has no narrower type
    """Return the body of a POST that only reads or validates, or None for any other address.

    The bodies in `searches.json` come from Datadog's API reference; times are in milliseconds.
    """
    if address not in searches():
        return None
    body = json.dumps(searches()[address])
    for name, moment in (("now", now), ("day_ago", now - DAY)):
        body = body.replace(f'"{{{name}}}"', str(int(moment.timestamp()) * 1000))
    return json.loads(body)


@cache
def searches() -> dict[str, Any]:
    """Return the bodies by method and path; `{now}` and `{day_ago}` stand for times."""
    found: dict[str, Any] = json.loads(Path(__file__).with_name("searches.json").read_text("utf-8"))
    return found


def _absent(name: str, kind: str) -> str:
    if kind in {"int64", "int32", "integer"}:
        return "0"
    if not names_something(kind):
        return kind.removeprefix(_CHOICE)
    return ABSENT_UUID if kind == "uuid" or "uuid" in name else ABSENT_NAME


def _filling(name: str, kind: str, *, now: datetime) -> str | None:
    if kind.startswith(_CHOICE):
        return kind.removeprefix(_CHOICE)
    make = _QUERY.get((name, kind))
    return make(now) if make else None


def _seconds(moment: datetime) -> str:
    return str(int(moment.timestamp()))


_QUERY: Final[Mapping[tuple[str, str], Callable[[datetime], str]]] = {
    ("from", "int64"): lambda now: _seconds(now - HOUR),
    ("to", "int64"): _seconds,
    ("start", "int64"): lambda now: _seconds(now - HOUR),
    ("end", "int64"): _seconds,
    ("query", "string"): lambda _now: "avg:system.cpu.user{*}",
    ("q", "string"): lambda _now: "ddoauth",
    ("start_hr", "date-time"): lambda now: f"{now - DAY:%Y-%m-%dT%H}",
    ("start_month", "date-time"): lambda now: f"{now - 31 * DAY:%Y-%m}",
    ("filter[month]", "string"): lambda now: f"{now - 31 * DAY:%Y-%m}",
}

# These ask for things that don't exist, so a 404 says nothing about the site.
SEARCHES_FOR_NOTHING: Final = frozenset({"POST /api/v2/code-coverage/files"})
