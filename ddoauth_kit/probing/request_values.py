"""Fill in a call's required values: times, and ids that don't exist."""

from __future__ import annotations

import re
from datetime import UTC, timedelta
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
    """Return the body of a POST that only reads or validates, or None for any other address."""
    make = SEARCHES.get(address)
    return make(now) if make else None


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


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp()) * 1000


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

# POSTs that don't store anything and return data or a validation (Datadog's API reference).
SEARCHES: Final[Mapping[str, Callable[[datetime], Any]]] = {
    "POST /api/v2/logs/events/search": lambda _now: {
        "filter": {"query": "*", "from": "now-15m", "to": "now"},
        "page": {"limit": 1},
    },
    "POST /api/v2/error-tracking/issues/search": lambda now: {
        "data": {
            "type": "search_request",
            "attributes": {
                "query": "*",
                "persona": "ALL",
                "from": _milliseconds(now - DAY),
                "to": _milliseconds(now),
            },
        }
    },
    "POST /api/v2/code-coverage/files": lambda _now: {
        "data": {
            "type": "ci_app_coverage_files_request",
            "attributes": {
                "repository_url": f"https://{ABSENT_NAME}.example.com/repository",
                "commit_sha": ABSENT_UUID.replace("-", "") + "0" * 8,
            },
        }
    },
    "POST /api/v2/security_monitoring/configuration/suppressions/validation": lambda _now: {
        "data": {
            "type": "suppressions",
            "attributes": {
                "name": "ddoauth-kit probe, never saved",
                "enabled": False,
                "rule_query": "type:log_detection source:ddoauth-probe",
                "suppression_query": "env:ddoauth-probe",
            },
        }
    },
    "POST /api/v2/security_monitoring/rules/validation": lambda _now: {
        "name": "ddoauth-kit probe, never saved",
        "message": "A rule that is validated and never saved.",
        "isEnabled": False,
        "type": "log_detection",
        "queries": [{"query": "source:ddoauth-probe", "aggregation": "count"}],
        "cases": [{"status": "info", "condition": "a > 0", "notifications": []}],
        "options": {"evaluationWindow": 300, "keepAlive": 300, "maxSignalDuration": 300},
        "tags": [],
    },
}
