"""Events, in and out (Datadog API v1 and v2), and service checks."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from ddoauth_kit.sandbox.api.search_query import query_matches, read_search, run_search
from ddoauth_kit.sandbox.clock import iso
from ddoauth_kit.sandbox.http.messages import json_answer
from ddoauth_kit.sandbox.http.payload import json_body, malformed, moment_of, seconds_parameter
from ddoauth_kit.sandbox.http.refusals import api_refusal
from ddoauth_kit.sandbox.state.received_data import Event

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ddoauth_kit.sandbox.http.messages import Answer, Incoming
    from ddoauth_kit.sandbox.state.orgs import Org
    from ddoauth_kit.sandbox.state.state import Twin

OLDEST_SECONDS = 18 * 3600
ALERT_TYPES = ("error", "warning", "info", "success", "user_update", "recommendation", "snapshot")


def create_event(twin: Twin, incoming: Incoming, org: Org) -> Answer:
    """Store a v1 event, but refuse events older than 18 hours, as Datadog does."""
    body = json_body(incoming)
    event = _event(twin, body if isinstance(body, dict) else {})
    twin.telemetry[org.id].events.append(event)
    return json_answer(202, {"status": "ok", "event": _v1(event, org)})


def _event(twin: Twin, body: dict[str, Any]) -> Event:
    if not all(isinstance(body.get(key), str) and body[key] for key in ("title", "text")):
        raise malformed("An event needs a title and a text.")
    happened = body.get("date_happened", int(twin.clock.timestamp()))
    tags = body.get("tags") or []
    if not isinstance(happened, int) or not 0 <= happened < 1e11 or not isinstance(tags, list):  # noqa: PLR2004
        raise malformed("date_happened must be in epoch seconds, and tags must be a list.")
    if body.get("alert_type", "info") not in ALERT_TYPES:
        raise malformed(f"alert_type must be one of {',  '.join(ALERT_TYPES)}.")
    if happened < twin.clock.timestamp() - OLDEST_SECONDS:
        raise api_refusal("event-too-old", 400, "Event too far in the past", as_text=True)
    return Event(
        id=twin.mint.next_number("event"),
        timestamp=happened,
        title=body["title"],
        text=body["text"],
        tags=tuple(map(str, tags)),
        alert_type=body.get("alert_type", "info"),
        priority="low" if body.get("priority") == "low" else "normal",
        host=str(body.get("host") or ""),
        source=str(body.get("source_type_name") or "api"),
    )


def submit_service_check(twin: Twin, incoming: Incoming, org: Org) -> Answer:
    """Store one service check or a list of them."""
    body = json_body(incoming)
    checks = body if isinstance(body, list) else [body]
    for check in checks:
        good = isinstance(check, dict) and check.get("status") in {0, 1, 2, 3}
        if not good or not all(isinstance(check.get(k), str) for k in ("check", "host_name")):
            raise malformed("A check needs check, host_name and a status from 0 to 3.")
    twin.telemetry[org.id].checks.extend(checks)
    return json_answer(202, {"status": "ok"})


def list_events_v1(twin: Twin, incoming: Incoming, org: Org) -> Answer:
    """List events with all the given tags between `start` and `end`, in epoch seconds."""
    parameters = incoming.parameters
    start = seconds_parameter(parameters, "start")
    end = seconds_parameter(parameters, "end")
    wanted = {tag for tag in parameters.get("tags", "").split(",") if tag}
    events = [
        _v1(event, org)
        for event in reversed(twin.telemetry[org.id].events)
        if start <= event.timestamp <= end
        and wanted <= set(event.tags)
        and parameters.get("priority", event.priority) == event.priority
    ]
    return json_answer(200, {"events": events, "status": "ok"})


def _v1(event: Event, org: Org) -> dict[str, Any]:
    return {
        "id": event.id,
        "id_str": str(event.id),
        "title": event.title,
        "text": event.text,
        "date_happened": event.timestamp,
        "alert_type": event.alert_type,
        "priority": event.priority,
        "source_type_name": event.source,
        "host": event.host,
        "tags": list(event.tags),
        "url": f"{org.site.app_url}/event/event?id={event.id}",
    }


def list_events_v2(twin: Twin, incoming: Incoming, org: Org) -> Answer:
    """Search events by query parameters; an org without events returns a sample."""
    parameters = incoming.parameters
    settings = _bracketed(parameters, "filter")
    page = _bracketed(parameters, "page")
    events = twin.telemetry[org.id].events
    if not events and not settings:
        events = deque([_sample(twin, org)])
    return _search(twin, events, settings, page, sort=parameters.get("sort"))


def _sample(twin: Twin, org: Org) -> Event:
    return Event(
        id=twin.mint.number(f"event:{org.id}"),
        timestamp=int(twin.clock.timestamp()),
        title="Sandbox sample",
        text="This org has not received an event yet.",
        tags=("team:sandbox",),
        alert_type="info",
        priority="normal",
        host="",
        source="sandbox",
    )


def search_events(twin: Twin, incoming: Incoming, org: Org) -> Answer:
    """Search events by a JSON body."""
    body = json_body(incoming) if incoming.body else {}
    if not isinstance(body, dict):
        raise malformed("The body must be a JSON object.")
    settings, page = body.get("filter") or {}, body.get("page") or {}
    if not isinstance(settings, dict) or not isinstance(page, dict):
        raise malformed("Filter and page must be JSON objects.")
    events = twin.telemetry[org.id].events
    return _search(twin, events, settings, page, sort=body.get("sort"))


def _bracketed(parameters: dict[str, str], name: str) -> dict[str, str]:
    start = f"{name}["
    return {
        key[len(start) : -1]: value
        for key, value in parameters.items()
        if key.startswith(start) and key.endswith("]")
    }


def _search(
    twin: Twin,
    kept: Sequence[Event],
    settings: dict[str, Any],
    page: dict[str, Any],
    *,
    sort: object,
) -> Answer:
    events, meta = run_search(
        read_search(settings, page, sort=sort or "timestamp", clock=twin.clock),
        kept,
        timestamp=lambda event: event.timestamp * 1000,
        matches=_matches,
    )
    request_id = twin.mint.next_uuid("request")
    return json_answer(
        200,
        {
            "data": [_resource(event) for event in events],
            "meta": {"elapsed": 1, "request_id": request_id, "status": "done", **meta},
        },
    )


def _matches(event: Event, query: str) -> bool:
    fields = {"source": event.source, "status": event.alert_type, "host": event.host}
    text = f"{event.title}\n{event.text}"
    return query_matches(query, text=text, fields=fields, tags=event.tags)


def _resource(event: Event) -> dict[str, Any]:
    return {
        "id": str(event.id),
        "type": "event",
        "attributes": {
            "attributes": {
                "evt": {"id": str(event.id), "name": event.title, "type": event.source},
                "title": event.title,
                "status": event.alert_type,
                "priority": event.priority,
                "hostname": event.host,
                "source_type_name": event.source,
                "tags": list(event.tags),
                "timestamp": event.timestamp * 1000,
                "date_happened": event.timestamp,
            },
            "message": event.text,
            "tags": list(event.tags),
            "timestamp": iso(moment_of(event.timestamp * 1000)),
        },
    }
