"""What an org has without anyone sending it: its users, monitors and dashboards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ddoauth_kit.sandbox.clock import START, iso
from ddoauth_kit.sandbox.messages import json_answer
from ddoauth_kit.sandbox.refusals import api_refusal

if TYPE_CHECKING:
    from ddoauth_kit.sandbox.messages import Answer, Incoming
    from ddoauth_kit.sandbox.orgs import Org
    from ddoauth_kit.sandbox.state import Twin


def get_current_user(twin: Twin, _incoming: Incoming, org: Org) -> Answer:
    """Tell who authorized the token, a call that needs no scope."""
    return json_answer(200, {"data": _user(twin, org), "included": _included(twin, org)})


def list_users(twin: Twin, _incoming: Incoming, org: Org) -> Answer:
    """List the org's users: its admin."""
    meta = {"page": {"total_count": 1, "total_filtered_count": 1}}
    body = {"data": [_user(twin, org)], "included": _included(twin, org), "meta": meta}
    return json_answer(200, body)


def _user(twin: Twin, org: Org) -> dict[str, Any]:
    admin = org.admin
    return {
        "type": "users",
        "id": admin.id,
        "attributes": {
            "uuid": admin.id,
            "name": admin.name,
            "handle": admin.email,
            "email": admin.email,
            "created_at": iso(START),
            "modified_at": iso(START),
            "icon": "",
            "title": None,
            "verified": True,
            "service_account": False,
            "disabled": False,
            "status": "Active",
            "mfa_enabled": False,
            "last_login_time": iso(START),
        },
        "relationships": {
            "roles": {"data": [{"type": "roles", "id": twin.mint.uuid(f"role:{org.id}")}]},
            "org": {"data": {"type": "orgs", "id": org.id}},
        },
    }


def _included(twin: Twin, org: Org) -> list[dict[str, Any]]:
    return [
        {
            "type": "orgs",
            "id": org.id,
            "attributes": {
                "name": org.name,
                "public_id": twin.mint.uuid(f"public:{org.id}")[:8],
                "description": "",
                "disabled": False,
                "sharing": "none",
                "url": org.site_url,
                "created_at": iso(START),
                "modified_at": iso(START),
            },
        },
        {
            "type": "roles",
            "id": twin.mint.uuid(f"role:{org.id}"),
            "attributes": {
                "name": "Datadog Admin Role",
                "created_at": iso(START),
                "modified_at": iso(START),
                "user_count": 1,
            },
            "relationships": {"permissions": {"data": []}},
        },
    ]


def list_monitors(twin: Twin, _incoming: Incoming, org: Org) -> Answer:
    """List the org's two sample monitors."""
    return json_answer(200, _monitors(twin, org))


def get_monitor(twin: Twin, incoming: Incoming, org: Org) -> Answer:
    """Return one monitor by its number."""
    wanted = incoming.path.rpartition("/")[2]
    for monitor in _monitors(twin, org):
        if str(monitor["id"]) == wanted:
            return json_answer(200, monitor)
    raise api_refusal("monitor-not-found", 404, "Monitor not found")


def _monitors(twin: Twin, org: Org) -> list[dict[str, Any]]:
    samples = (
        ("CPU is busy", "metric alert", "avg(last_5m):avg:system.cpu.user{*} > 90", "OK"),
        ("Orders stopped", "query alert", "sum(last_1h):sum:shop.orders{*} < 1", "No Data"),
    )
    admin = org.admin
    return [
        {
            "id": twin.mint.number(f"monitor:{org.id}:{name}"),
            "name": name,
            "type": kind,
            "query": query,
            "message": "Look at the dashboard first.",
            "tags": ["team:sandbox"],
            "overall_state": state,
            "multi": False,
            "priority": None,
            "restricted_roles": None,
            "created": iso(START),
            "modified": iso(START),
            "deleted": None,
            "creator": {"email": admin.email, "handle": admin.email, "name": admin.name},
            "options": {"thresholds": {"critical": 90.0 if state == "OK" else 1.0}},
        }
        for name, kind, query, state in samples
    ]


def list_dashboards(twin: Twin, _incoming: Incoming, org: Org) -> Answer:
    """List the org's sample dashboard."""
    mark = twin.mint.uuid(f"dashboard:{org.id}").replace("-", "")
    dashboard_id = f"{mark[:3]}-{mark[3:6]}-{mark[6:9]}"
    dashboard = {
        "id": dashboard_id,
        "title": f"{org.name} at a glance",
        "description": None,
        "author_handle": org.admin.email,
        "created_at": iso(START),
        "modified_at": iso(START),
        "url": f"/dashboard/{dashboard_id}/at-a-glance",
        "is_read_only": False,
        "layout_type": "ordered",
    }
    return json_answer(200, {"dashboards": [dashboard]})
