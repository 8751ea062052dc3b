"""List the people, roles and permissions that each org starts with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ddoauth_kit.sandbox.clock import START, iso
from ddoauth_kit.sandbox.facts.catalogue import catalogue

if TYPE_CHECKING:
    from ddoauth_kit.sandbox.state.created_resources import Item
    from ddoauth_kit.sandbox.state.orgs import Org
    from ddoauth_kit.sandbox.state.state import Twin


def admin_of(twin: Twin, org: Org) -> Item:
    """Return an org's administrator, who is the user of every token."""
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


def org_itself(twin: Twin, org: Org) -> Item:
    """Return the org itself as a resource."""
    return {
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
    }


def role_of(twin: Twin, org: Org) -> Item:
    """Return the role of the org's admin."""
    return {
        "type": "roles",
        "id": twin.mint.uuid(f"role:{org.id}"),
        "attributes": {
            "name": "Datadog Admin Role",
            "created_at": iso(START),
            "modified_at": iso(START),
            "user_count": 1,
        },
        "relationships": {"permissions": {"data": []}},
    }


def permission(twin: Twin, name: str) -> Item:
    """Return the permission with the same name as a scope."""
    known = catalogue()
    return {
        "type": "permissions",
        "id": twin.mint.uuid(f"permission:{name}"),
        "attributes": {
            "created": iso(START),
            "description": known.descriptions[name],
            "display_name": name.replace("_", " ").title(),
            "display_type": "read" if known.kinds[name] == "read" else "write",
            "group_name": "General",
            "name": name,
            "restricted": False,
        },
    }
