"""Handle requests for an organization's user and permissions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ddoauth_kit.sandbox.facts.catalogue import catalogue
from ddoauth_kit.sandbox.http.messages import json_answer
from ddoauth_kit.sandbox.resources.org_people import admin_of, org_itself, permission, role_of

if TYPE_CHECKING:
    from ddoauth_kit.sandbox.http.messages import Answer, Incoming
    from ddoauth_kit.sandbox.state.orgs import Org
    from ddoauth_kit.sandbox.state.state import Twin


def get_current_user(twin: Twin, _incoming: Incoming, org: Org) -> Answer:
    """Return the user who authorized the token; the call doesn't need any scope."""
    return json_answer(
        200, {"data": admin_of(twin, org), "included": [org_itself(twin, org), role_of(twin, org)]}
    )


def list_permissions(twin: Twin, incoming: Incoming, _org: Org) -> Answer:
    """List the permissions; with `include_scopes`, also those that exist only as scopes.

    The public description does not distinguish scopes from permissions, so scopes that only
    partners have don't count as permissions here.
    """
    everything = incoming.parameters.get("include_scopes", "").lower() == "true"
    known = catalogue()
    found = [
        permission(twin, name)
        for name in known.descriptions
        if everything or known.sources[name] == "spec"
    ]
    return json_answer(200, {"data": found})
