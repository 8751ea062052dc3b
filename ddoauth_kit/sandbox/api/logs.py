"""Logs, in and out (Datadog API v2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ddoauth_kit.sandbox.api.search_query import query_matches, read_search, run_search
from ddoauth_kit.sandbox.clock import iso
from ddoauth_kit.sandbox.http.messages import json_answer
from ddoauth_kit.sandbox.http.payload import (
    json_body,
    malformed,
    milliseconds,
    moment_of,
    plain_body,
    read_json,
)
from ddoauth_kit.sandbox.http.refusals import api_refusal
from ddoauth_kit.sandbox.state.received_data import Log

if TYPE_CHECKING:
    from ddoauth_kit.sandbox.http.messages import Answer, Incoming
    from ddoauth_kit.sandbox.state.orgs import Org
    from ddoauth_kit.sandbox.state.state import Twin

MAX_LOGS = 1000
_OWN_FIELDS = {"message", "hostname", "service", "status", "ddtags", "ddsource", "timestamp"}


def submit_logs(twin: Twin, incoming: Incoming, org: Org) -> Answer:
    """Store one log or a list of them; plain text has one log per line."""
    if incoming.content_type == "text/plain":
        text = plain_body(incoming).decode("utf-8", errors="replace")
        entries: list[Any] = [{"message": line} for line in text.splitlines() if line]
    else:
        entries = _json_entries(incoming)
    if len(entries) > MAX_LOGS:
        raise _bad_log(f"A request may contain at most {MAX_LOGS} logs.", status=413)
    shared = incoming.parameters
    logs = [_log(twin, {**shared, **entry}) for entry in entries]
    twin.telemetry[org.id].logs.extend(logs)
    return json_answer(202, {})


def _json_entries(incoming: Incoming) -> list[dict[str, Any]]:
    try:
        body = read_json(plain_body(incoming))
    except (ValueError, RecursionError):
        raise _bad_log("The body is not valid JSON.") from None
    entries = body if isinstance(body, list) else [body]
    if not all(isinstance(entry, dict) for entry in entries):
        raise _bad_log("Each log must be a JSON object.")
    return entries


def _bad_log(detail: str, *, status: int = 400) -> Exception:
    title = "Bad Request" if status == 400 else "Payload Too Large"  # noqa: PLR2004
    error = {"status": str(status), "title": title, "detail": detail}
    return api_refusal("malformed-log", status, error)


def _log(twin: Twin, entry: dict[str, Any]) -> Log:
    when = entry.get("timestamp")
    tags = [tag for tag in str(entry.get("ddtags", "")).split(",") if tag]
    if entry.get("ddsource"):
        tags.append(f"source:{entry['ddsource']}")
    return Log(
        id=twin.mint.next_uuid("log"),
        timestamp=milliseconds("now" if when is None else when, clock=twin.clock),
        message=str(entry.get("message", "")),
        host=str(entry.get("hostname", "")),
        service=str(entry.get("service", "")),
        status=str(entry.get("status", "info")),
        tags=tuple(tags),
        attributes={key: value for key, value in entry.items() if key not in _OWN_FIELDS},
    )


def search_logs(twin: Twin, incoming: Incoming, org: Org) -> Answer:
    """Search the org's logs; an empty body searches the last 15 minutes."""
    body = json_body(incoming) if incoming.body else {}
    settings, page = (
        (body.get(k) or {} for k in ("filter", "page")) if isinstance(body, dict) else (0, 0)
    )
    if not isinstance(settings, dict) or not isinstance(page, dict):
        raise malformed("Filter and page must be JSON objects.")
    search = read_search(settings, page, sort=body.get("sort"), clock=twin.clock)
    logs, meta = run_search(
        search,
        twin.telemetry[org.id].logs,
        timestamp=lambda log: log.timestamp,
        matches=_matches,
    )
    return json_answer(
        200,
        {
            "data": [_resource(log) for log in logs],
            "meta": {
                "elapsed": 1,
                "request_id": twin.mint.next_uuid("request"),
                "status": "done",
                **meta,
            },
        },
    )


def _matches(log: Log, query: str) -> bool:
    fields = {"service": log.service, "host": log.host, "status": log.status}
    fields |= {f"@{key}": str(value) for key, value in log.attributes.items()}
    return query_matches(query, text=log.message, fields=fields, tags=log.tags)


def _resource(log: Log) -> dict[str, Any]:
    return {
        "id": log.id,
        "type": "log",
        "attributes": {
            "service": log.service,
            "host": log.host,
            "message": log.message,
            "status": log.status,
            "tags": list(log.tags),
            "timestamp": iso(moment_of(log.timestamp)),
            "attributes": log.attributes,
        },
    }
