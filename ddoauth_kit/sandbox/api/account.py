"""Who an org is: its users, the user behind a token, and what permissions there are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ddoauth_kit.sandbox.clock import START, iso
from ddoauth_kit.sandbox.facts.catalogue import catalogue
from ddoauth_kit.sandbox.http.messages import json_answer

if TYPE_CHECKING:
    from ddoauth_kit.sandbox.http.messages import Answer, Incoming
    from ddoauth_kit.sandbox.state.orgs import Org
    from ddoauth_kit.sandbox.state.state import Twin


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


def list_permissions(twin: Twin, incoming: Incoming, _org: Org) -> Answer:
    """List the permissions; with `include_scopes` those that exist as scopes alone, too.

    The public description does not tell scopes and permissions apart, so here a scope that only
    partners hold is one that is no permission.
    """
    everything = incoming.parameters.get("include_scopes", "").lower() == "true"
    known = catalogue()
    found = [
        _permission(twin, name, description)
        for name, description in known.descriptions.items()
        if everything or known.sources[name] == "spec"
    ]
    return json_answer(200, {"data": found})


def _permission(twin: Twin, name: str, description: str) -> dict[str, Any]:
    kind = catalogue().kinds[name]
    attributes = {
        "created": iso(START),
        "description": description,
        "display_name": name.replace("_", " ").title(),
        "display_type": "read" if kind == "read" else "write",
        "group_name": "General",
        "name": name,
        "restricted": False,
    }
    return {
        "type": "permissions",
        "id": twin.mint.uuid(f"permission:{name}"),
        "attributes": attributes,
    }
