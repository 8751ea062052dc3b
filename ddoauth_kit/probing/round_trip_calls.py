"""List a round trip that leaves nothing behind, for each write scope that partners ask for.

All objects have names that people recognize, and none of them notifies anybody or watches anything:
a monitor without recipients, a downtime in 2037, a paused test, a test incident. The bodies follow
Datadog's API reference.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from ddoauth_kit.probing.round_trips import OWN_NAME, RoundTrip, Step

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

CHANGED: Final = f"{OWN_NAME} (changed)"
_HANDLE: Final = "ddoauth-kit-probe-safe-to-delete"
_TAG: Final = "ddoauth-kit:probe"
_EXAMPLE: Final = "https://example.com/ddoauth-kit"
_MONITORS: Final = "/api/v1/monitor"
_DASHBOARDS: Final = "/api/v1/dashboard"
_DOWNTIMES: Final = "/api/v2/downtime"
_SLOS: Final = "/api/v1/slo"
_TESTS: Final = "/api/v1/synthetics/tests"
_PROJECTS: Final = "/api/v2/cases/projects"
_INCIDENTS: Final = "/api/v2/incidents"
_WEBHOOKS: Final = "/api/v1/integration/webhooks/configuration/webhooks"
_TEAMS: Final = "/api/v2/team"
_SERVICES: Final = "/api/v2/services/definitions"


def _always(body: Any) -> Callable[[datetime], Any]:  # noqa: ANN401 - JSON has no narrower type
    return lambda _now: body


def _item(kind: str, attributes: dict[str, Any], *, known: bool = False) -> dict[str, Any]:
    """Wrap attributes as JSON:API does; an existing item includes its id."""
    return {"data": {"type": kind, **({"id": "{id}"} if known else {}), "attributes": attributes}}


def _plain(path: str, *, body: dict[str, Any], change: dict[str, Any], at: Any) -> RoundTrip:  # noqa: ANN401
    """Return the round trip of a v1 resource, which is changed with PUT."""
    one = f"{path}/{{id}}"
    return RoundTrip(
        create=Step("POST", path, _always(body)),
        id_at=at,
        read=Step("GET", one),
        change=Step("PUT", one, _always(change)),
        delete=Step("DELETE", one),
    )


def _json_api(
    path: str,
    *,
    kind: str,
    attributes: dict[str, Any],
    change: dict[str, Any],
    known: bool = True,
) -> RoundTrip:
    """Return the round trip of a v2 resource, which is changed with PATCH."""
    one = f"{path}/{{id}}"
    return RoundTrip(
        create=Step("POST", path, _always(_item(kind, attributes))),
        id_at=("data", "id"),
        read=Step("GET", one),
        change=Step("PATCH", one, _always(_item(kind, change, known=known))),
        delete=Step("DELETE", one),
    )


def _dashboard(title: str) -> dict[str, Any]:
    note = {"definition": {"type": "note", "content": OWN_NAME}}
    return {"title": title, "layout_type": "ordered", "widgets": [note]}


def _slo(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "type": "metric",
        "query": {
            "numerator": "sum:ddoauth_kit.probe.good{*}.as_count()",
            "denominator": "sum:ddoauth_kit.probe.all{*}.as_count()",
        },
        "thresholds": [{"target": 99, "timeframe": "30d"}],
    }


def _test(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "type": "api",
        "subtype": "http",
        "status": "paused",
        "message": "",
        "locations": ["aws:eu-central-1"],
        "options": {"tick_every": 604_800},
        "config": {
            "assertions": [{"type": "statusCode", "operator": "is", "target": 200}],
            "request": {"method": "GET", "url": _EXAMPLE},
        },
    }


def _service(description: str) -> dict[str, Any]:
    return {"schema-version": "v2.1", "dd-service": _HANDLE, "description": description}


_MONITOR: Final = {
    "name": OWN_NAME,
    "type": "query alert",
    "query": "avg(last_5m):avg:ddoauth_kit.probe{*} > 100",
    "message": "",
    "tags": [_TAG],
    "options": {"thresholds": {"critical": 100}},
}
_DOWNTIME: Final = {
    "message": OWN_NAME,
    "monitor_identifier": {"monitor_tags": [_TAG]},
    "scope": _TAG,
    "schedule": {"start": "2037-01-01T00:00:00+00:00", "end": "2037-01-01T00:05:00+00:00"},
}
_RESOLVED: Final = {"state": {"type": "dropdown", "value": "resolved"}}

ROUND_TRIPS: Final[Mapping[str, RoundTrip]] = MappingProxyType(
    {
        "monitors_write": _plain(_MONITORS, body=_MONITOR, change={"name": CHANGED}, at=("id",)),
        "dashboards_write": _plain(
            _DASHBOARDS, body=_dashboard(OWN_NAME), change=_dashboard(CHANGED), at=("id",)
        ),
        "monitors_downtime": _json_api(
            _DOWNTIMES, kind="downtime", attributes=_DOWNTIME, change={"message": CHANGED}
        ),
        "slos_write": _plain(
            _SLOS, body=_slo(OWN_NAME), change=_slo(CHANGED), at=("data", 0, "id")
        ),
        "synthetics_write": RoundTrip(
            create=Step("POST", f"{_TESTS}/api", _always(_test(OWN_NAME))),
            id_at=("public_id",),
            read=Step("GET", f"{_TESTS}/api/{{id}}"),
            change=Step("PUT", f"{_TESTS}/api/{{id}}", _always(_test(CHANGED))),
            delete=Step("POST", f"{_TESTS}/delete", _always({"public_ids": ["{id}"]})),
        ),
        "cases_write": _json_api(
            _PROJECTS,
            kind="project",
            attributes={"key": "DDOAUTHKIT", "name": OWN_NAME},
            change={"name": CHANGED},
            known=False,
        ),
        "incident_write": _json_api(
            _INCIDENTS,
            kind="incidents",
            attributes={"title": OWN_NAME, "customer_impacted": False, "is_test": True},
            change={"title": CHANGED, "fields": _RESOLVED},
        ),
        "incident_settings_write": _json_api(
            f"{_INCIDENTS}/config/types",
            kind="incident_types",
            attributes={"name": OWN_NAME, "is_default": False},
            change={"name": CHANGED},
        ),
        "incident_notification_settings_write": _json_api(
            f"{_INCIDENTS}/config/notification-templates",
            kind="notification_templates",
            attributes={
                "name": OWN_NAME,
                "category": "alert",
                "content": OWN_NAME,
                "subject": OWN_NAME,
            },
            change={"name": CHANGED},
        ),
        "create_webhooks": _plain(
            _WEBHOOKS,
            body={"name": _HANDLE, "url": _EXAMPLE},
            change={"payload": CHANGED},
            at=("name",),
        ),
        "teams_manage": _json_api(
            _TEAMS,
            kind="team",
            attributes={"handle": _HANDLE, "name": OWN_NAME},
            change={"handle": _HANDLE, "name": CHANGED},
            known=False,
        ),
        "apm_service_catalog_write": RoundTrip(
            create=Step("POST", _SERVICES, _always(_service(OWN_NAME))),
            id_at=("data", 0, "attributes", "schema", "dd-service"),
            read=Step("GET", f"{_SERVICES}/{{id}}"),
            change=Step("POST", _SERVICES, _always(_service(CHANGED))),
            delete=Step("DELETE", f"{_SERVICES}/{{id}}"),
        ),
    }
)
